"""Nothing outside is called while a transaction is open: who does it fails the test.

A slow mail server or provider would hold the database's one writer for as long as it
likes. Watched are connections to the net, bytes on connections that are open already,
and the books of the built-in payment provider, which count as another house.
"""

import functools
import http.client
import imaplib
import smtplib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handsel.models.database import transaction_open
from handsel.sales.payments.test import BANK_FILE

_calls: list[str] = []


@pytest.fixture(autouse=True)
def calls_nobody_in_a_transaction(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail the test that called out inside a transaction, in whichever thread."""
    _calls.clear()
    for kind in (http.client.HTTPConnection, smtplib.SMTP, imaplib.IMAP4):
        monkeypatch.setattr(kind, "send", _watched(kind.send, kind.__name__))
    yield
    assert not _calls, f"Inside a transaction this called {_calls[0]}"


def forgive() -> int:
    """Forget the calls of this test, and say how many there were."""
    made = len(_calls)
    _calls.clear()
    return made


def pytest_configure() -> None:
    """Start to watch."""
    sys.addaudithook(_watch)


def _watched(send: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(send)
    def sending(*args: Any, **more: Any) -> Any:
        if transaction_open():
            _calls.append(name)
        return send(*args, **more)

    return sending


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if not transaction_open():
        return
    # A path instead of a pair is a socket of this machine: PostgreSQL's own.
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _calls.append(f"the net at {arguments[1]}")
    elif event == "sqlite3.connect" and str(arguments[0]).endswith(BANK_FILE):
        _calls.append("the payment provider")
