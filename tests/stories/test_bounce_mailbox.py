"""The seller has only a mailbox: the worker reads the bounces in it by itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest
from pydantic import SecretStr

from handsel import worker
from handsel.models.words import StopReason
from handsel.outbound.transports.folder import read_folder
from handsel.shop import Shop
from tests import make
from tests.ground.imap import PASSWORD, Folder, Wire
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.ground.waiting import wait_until
from tests.outbound.reports import report
from tests.stories.buyers import buy, with_settings
from tests.stories.test_bounces import token_for, why

ANN = "ann@example.com"


def reading(shop: Shop, wire: Wire, password: str = PASSWORD) -> Shop:
    """The same shop, whose bounces come to this mailbox."""
    return with_settings(
        shop,
        "mail",
        bounce_mailbox=wire.address,
        bounce_password=SecretStr(password),
    )


@contextmanager
def working(shop: Shop) -> Iterator[None]:
    """A worker at work; it must end soon when it is told to."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(shop, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        told = monotonic()
        thread.join(30)
    assert monotonic() - told < 15


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look whether it is time more often than in life, and wait less at the end."""
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(worker, "STOP_SECONDS", 0.3)


@pytest.fixture
def sold(shop: Shop, visitor: Visitor) -> Shop:
    """A shop that has sold a book to Ann."""
    make.product(shop)
    buy(visitor, email=ANN)
    return shop


def put(shop: Shop, folder: Folder, email: str, system: str = "postfix") -> None:
    """Let a bounce of a mail to somebody arrive."""
    raw = report(system, to=email, token=token_for(shop, email), at=shop.now())
    folder.put(raw.replace(b"\n", b"\r\n"), shop.now())


def test_the_worker_reads_what_has_come_and_what_comes_later(
    sold: Shop, visitor: Visitor, folder: Folder, wire: Wire, clock: Clock
) -> None:
    buy(visitor.device(), email="bob@example.com")
    folder.put(b"Subject: Thank you\r\n\r\nA nice book.\r\n", sold.now())
    put(sold, folder, ANN)
    before = folder.content()
    with working(reading(sold, wire)):
        wait_until(lambda: why(sold, ANN) == {StopReason.BOUNCED})
        bob = token_for(sold, "bob@example.com", "H-1002")
        raw = report("complaint", to="bob@example.com", token=bob, at=sold.now())
        folder.put(raw.replace(b"\n", b"\r\n"), sold.now())
        clock.move(minutes=6)
        wait_until(lambda: why(sold, "bob@example.com") == {StopReason.COMPLAINED})

    assert len(wire.asked("BODY.PEEK[]")) == 2
    assert folder.content()[:2] == before


@pytest.mark.parametrize("word", ["", "EXAMINE", "FETCH"])
def test_a_mailbox_that_hangs_delays_no_receipt_and_no_end(
    shop: Shop, visitor: Visitor, folder: Folder, wire: Wire, word: str
) -> None:
    make.product(shop)
    wire.mute = word
    folder.put(b"To: ann@example.com\r\n\r\nHello\r\n", shop.now())
    with working(reading(shop, wire)):
        wait_until(lambda: wire.hangs.is_set())
        buy(visitor, email=ANN)
        wait_until(lambda: [m.to for m in read_folder(shop.home / "mail")] == [ANN])


def test_a_trouble_is_logged_once_and_the_mailbox_tried_again(
    sold: Shop,
    folder: Folder,
    wire: Wire,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with working(reading(sold, wire, "wrong-password-1")):
        for tries in (1, 2, 3):
            wait_until(lambda n=tries: len(wire.asked("AUTHENTICATE")) == n)  # type: ignore[misc]
            wait_until(lambda n=tries: len(wire.asked("LOGOUT")) == n)  # type: ignore[misc]
            clock.move(minutes=6)

    said = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert len(said) == 1
    assert "mail.bounce_password" in said[0]
    assert "wrong-password-1" not in caplog.text


def test_of_several_workers_one_reads_the_mailbox(
    sold: Shop, folder: Folder, wire: Wire
) -> None:
    put(sold, folder, ANN)
    shop = reading(sold, wire)
    with working(shop), working(shop):
        wait_until(lambda: why(sold, ANN) == {StopReason.BOUNCED})
        wait_until(lambda: wire.asked("LOGOUT"))

    assert len(wire.asked("EXAMINE")) == 1
