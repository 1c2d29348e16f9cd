"""Payment providers. Each is a module with `open_provider(settings, home)`; see `base`."""
