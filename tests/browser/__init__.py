"""What a buyer does, in a real Chromium."""
