"""What every test may ask for."""

from hypothesis import settings

pytest_plugins = [
    "tests.ground.amazon",
    "tests.ground.cases",
    "tests.ground.chromium",
    "tests.ground.compiled",
    "tests.ground.imap",
    "tests.ground.leftovers",
    "tests.ground.loopback",
    "tests.ground.memory",
    "tests.ground.names",
    "tests.ground.outside",
    "tests.ground.postgres",
    "tests.ground.ready",
    "tests.ground.shops",
    "tests.ground.smtp",
    "tests.ground.statements",
    "tests.ground.till",
]

# No deadline: the machine may be busy with the other worker.
settings.register_profile("handsel", deadline=None, max_examples=60, database=None)
settings.load_profile("handsel")
