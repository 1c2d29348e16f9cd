"""The people who bought: find or create, and the log-in link of "find my purchases"."""
