"""Where the bytes for sale are kept."""
