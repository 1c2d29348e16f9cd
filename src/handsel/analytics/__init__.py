"""What visits come to: events, counted by the day, and reports of them."""
