"""What the tests stand on: a PostgreSQL, a mail server and a Chromium, all of them real."""
