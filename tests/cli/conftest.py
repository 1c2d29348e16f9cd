"""What the tests of the command line ask for."""

import socket
from datetime import UTC, datetime

import pytest

from tests.ground.shops import Clock
from tests.ops.conftest import pg_programs

__all__ = ["clock", "pg_programs", "unused_port"]


@pytest.fixture
def clock() -> Clock:
    """The machine's own time, because a command asks for no other."""
    clock = Clock()
    clock.time = datetime.now(UTC)
    return clock


@pytest.fixture
def unused_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
