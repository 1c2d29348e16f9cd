"""What the tests of the command line ask for."""

import socket

import pytest

from tests.ops.conftest import pg_programs

__all__ = ["pg_programs", "unused_port"]


@pytest.fixture
def unused_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
