"""No test leaves this machine: who tries is stopped, and the test fails.

Python announces each connection and look-up to audit hooks, those made deep inside a
library too, and a hook may forbid it. Programs that a test starts are not watched.
"""

import ipaddress
import socket
import sys
from collections.abc import Iterator

import pytest

_escapes: list[str] = []


class LeavesHomeError(OSError):
    """A test wanted to reach another machine."""


@pytest.fixture(autouse=True)
def stays_home() -> Iterator[None]:
    """Fail the test that wanted out, even if the code under test kept quiet about it."""
    _escapes.clear()
    yield
    assert not _escapes, "Tests stay on this machine; this one wanted to " + _escapes[0]


def forgive() -> int:
    """Forget what this test wanted, and say how often it wanted out."""
    wanted = len(_escapes)
    _escapes.clear()
    return wanted


def pytest_configure() -> None:
    """Start to watch."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        # Else a path, or none: a datagram to where the socket is connected already.
        if isinstance(address, tuple) and isinstance(address[0], str):
            _stop_unless_home(f"connect to {address[0]}", address[0])
    elif event == "socket.getaddrinfo" and arguments[0]:
        host = arguments[0]
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.endswith(".invalid"):
            # A name nobody has (RFC 2606), for tests of a typing error: the answer that
            # the net would give, without the net.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        _stop_unless_home(f"look up {name}", name)


def _stop_unless_home(what: str, host: str) -> None:
    if not _is_home(host):
        _escapes.append(what)
        raise LeavesHomeError(f"Tests stay on this machine; this one wanted to {what}")


def _is_home(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
