"""P06, P07: the database is locked, away, or full; nobody is told what is not so.

Messages are refused so that they come again; pages that only read go on where they can;
a download that has begun arrives; afterwards nothing is lost.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket

import pytest
from sqlalchemy import create_engine, text

from handsel import worker
from handsel.models import database
from handsel.models.database import SQLITE
from handsel.outbound.transports.folder import read_folder
from tests import make
from tests.faults.storms import at_once
from tests.ground.cases import Say
from tests.ground.postgres import PostgresServer
from tests.ground.till import Till, rows, untrue
from tests.web.serving import read_exactly, read_head

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
BOOK = b"0123456789abcdef" * 500_000
PAYMENTS = 8


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that waits for its database for a moment only, to save the test's time."""
    monkeypatch.setattr(database, "BUSY_MS", 100)


@ON_SQLITE
@pytest.mark.usefixtures("impatient")
def test_another_program_holds_the_database(till: Till, say: Say) -> None:
    _while_locked(till, say, seconds=0)


@ON_SQLITE
@pytest.mark.storm
@pytest.mark.timeout(600)
def test_another_program_holds_the_database_for_a_minute(till: Till, say: Say) -> None:
    _while_locked(till, say, seconds=60)


def _while_locked(till: Till, say: Say, *, seconds: float) -> None:
    held = _payments(till)
    with _a_download(till) as rest:
        other = SQLITE.connect(
            str(till.shop.home / "data" / "handsel.db"), isolation_level=None
        )
        other.execute("BEGIN EXCLUSIVE")
        until = time.monotonic() + seconds
        before = rows(till.shop)
        answers = till.stripe.hooks.deliver()
        while time.monotonic() < until:
            answers += till.stripe.hooks.retry()
        buyer = till.visitor("203.0.113.9")
        shelf = buyer.get("/p/book")
        sorry = till.come_back(buyer, held[0])
        refused = buyer.press(shelf, "/buy/book")
        assert not worker.turn(till.shop), "it waits, and does not die"
        got = rest()
        counted = rows(till.shop)
        other.execute("ROLLBACK")
        other.close()
    say("P06", held="BEGIN EXCLUSIVE", refused=len(answers), statuses=set(answers))
    assert set(answers) == {503}
    assert counted == before
    assert shelf.status_code == 200
    for page in (sorry, refused):
        assert page.status_code == 503
        assert int(page.headers["Retry-After"]) > 0
    assert got == BOOK
    _all_is_well_again(till, held)


@ON_POSTGRES
def test_the_database_is_away_for_a_while(
    till: Till, say: Say, postgres: PostgresServer
) -> None:
    held = _payments(till)
    with _a_download(till) as rest:
        before = rows(till.shop)
        _close_doors(postgres, till, open_=False)
        answers = till.stripe.hooks.deliver()
        shelf = till.visitor().get("/p/book")
        assert not worker.turn(till.shop), "it waits, and does not die"
        got = rest()
        _close_doors(postgres, till, open_=True)
    say("P06", held="no connections", refused=len(answers), statuses=set(answers))
    assert set(answers) == {503}
    assert rows(till.shop) == before
    assert (shelf.status_code, shelf.headers["Retry-After"]) == (503, "60")
    assert got == BOOK
    _all_is_well_again(till, held)


@ON_POSTGRES
def test_connections_are_cut_while_people_buy(
    till: Till, say: Say, postgres: PostgresServer
) -> None:
    _cut(till, say, postgres, times=8)


@ON_POSTGRES
@pytest.mark.storm
def test_connections_are_cut_100_times(
    till: Till, say: Say, postgres: PostgresServer
) -> None:
    _cut(till, say, postgres, times=100)


def _cut(till: Till, say: Say, postgres: PostgresServer, *, times: int) -> None:
    make.product(till.shop)
    till.stripe.hooks.mode = "hold"
    paid, answers = [], []
    for number in range(times):
        name = till.begin(till.visitor())
        till.stripe.bank.pay(name, email=f"reader{number}@example.com")
        told, _ = at_once(
            lambda: till.stripe.hooks.deliver(times=3),
            lambda: _terminate(postgres, till, times=3),
        )
        answers += told
        paid.append(name)
    say("P06", cuts=times, answers=len(answers), refused=answers.count(503))
    assert set(answers) <= {200, 503}
    _all_is_well_again(till, paid)


def _close_doors(postgres: PostgresServer, till: Till, *, open_: bool) -> None:
    word = str(open_).lower()
    _say_to(postgres, f'ALTER DATABASE "{_name(till)}" ALLOW_CONNECTIONS {word}')
    if not open_:
        _terminate(postgres, till)


def _terminate(postgres: PostgresServer, till: Till, times: int = 1) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
    for _ in range(times):
        _say_to(postgres, cut, name=_name(till))


def _say_to(postgres: PostgresServer, words: str, **values: str) -> None:
    engine = create_engine(postgres.url_for("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(words), values)
    engine.dispose()


def _name(till: Till) -> str:
    return till.shop.database.engine.url.database or ""


@ON_SQLITE
def test_the_disk_is_full(till: Till, say: Say) -> None:
    held = _payments(till, 20)
    pages = int(_pragma(till, "page_count"))
    _pragma(till, f"max_page_count={pages + 6}")

    answers = till.stripe.hooks.deliver()

    counted = rows(till.shop)
    shelf = till.visitor().get("/p/book")
    say(
        "P07",
        full="max_page_count",
        told=answers.count(200),
        written=counted["ledger"] - 1,
        refused=answers.count(503),
    )
    assert set(answers) == {200, 503}
    assert counted["ledger"] - 1 == answers.count(200)
    assert shelf.status_code == 200
    assert untrue(till.shop) == {}
    _pragma(till, "max_page_count=1000000")
    _all_is_well_again(till, held)
    assert _pragma(till, "integrity_check") == "ok"


def _pragma(till: Till, words: str) -> int | str:
    with till.shop.transaction() as session:
        found: int | str = session.execute(text(f"PRAGMA {words}")).scalar_one()
    return found


def _payments(till: Till, number: int = PAYMENTS) -> list[str]:
    """Let people pay, and Stripe keep the news to itself for now."""
    make.product(till.shop, files={"book.epub": BOOK})
    till.stripe.bank.pay(till.begin(till.visitor()), email="first@example.com")
    till.stripe.hooks.mode = "hold"
    names = []
    for each in range(number):
        names.append(till.begin(till.visitor()))
        till.stripe.bank.pay(names[-1], email=f"reader{each}@example.com")
    return names


@contextmanager
def _a_download(till: Till) -> Iterator[Callable[[], bytes]]:
    """Let the first buyer's download begin; give what fetches the rest of it."""
    with till.shop.reading() as session:
        name = session.scalars(
            text("SELECT session_id FROM orders ORDER BY id")
        ).first()
    visitor = till.visitor()
    page = visitor.get(till.link(str(name)))
    place = visitor.press(page, f"{page.request.path}/1").headers["Location"]
    with till.server.connect(receive_buffer=65536) as client:
        client.sendall(f"GET {place} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = read_head(client)
        assert " 200 " in head, head
        yield lambda: _rest(client, head)


def _rest(client: socket, head: str) -> bytes:
    length = re.search(r"(?i)content-length: (\d+)", head)
    assert length
    return read_exactly(client, int(length[1]))


def _all_is_well_again(till: Till, names: list[str]) -> None:
    """Half of the news comes again, half is found; everybody has their book and mail."""
    failed = till.stripe.hooks.failed
    failed[:] = failed[::2]
    assert set(till.stripe.hooks.retry()) <= {200}
    till.stripe.hooks.mode = "drop"
    till.move(minutes=3)
    while worker.turn(till.shop):
        pass
    for name in names:
        order = till.order(name)
        assert order
        assert order.paid_at, order.session_id
        assert till.visitor().get(till.link(name)).status_code == 200
    sent = {mail.to for mail in read_folder(till.shop.home / "mail")}
    assert sent >= {f"reader{number}@example.com" for number in range(len(names))}
    assert untrue(till.shop) == {}
