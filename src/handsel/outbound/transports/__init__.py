"""Ways to carry a mail. Each is a module with `open_transport(settings, home)`."""
