"""What every test may ask for."""

pytest_plugins = ["tests.ground.chromium", "tests.ground.postgres"]
