"""The parts of the fake Stripe; a test uses `tests.providers.fake_stripe`."""
