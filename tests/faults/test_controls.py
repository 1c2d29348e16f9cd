"""P05: the same cases against code that is wrong on purpose; each of them must fail.

Were one of these to pass, the case it belongs to would prove nothing. What is wrong is
built here, never in the shop.
"""

import dataclasses
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import MultipleResultsFound
from sqlalchemy.orm import Session
from sqlalchemy.schema import UniqueConstraint

from handsel import worker
from handsel.delivery import fulfilment
from handsel.models import database
from handsel.models.base import Base
from handsel.models.database import SQLITE, Database
from handsel.ops import backup, restore
from handsel.outbound import outbox
from handsel.sales import orders, rebuilding
from handsel.shop import Shop, utc_now
from handsel.web import create_app
from tests import make
from tests.faults.processes import program
from tests.faults.storms import race
from tests.faults.test_limit import CLIENTS, LIMIT, Presses, press_all
from tests.ground.cases import Say
from tests.ground.till import Till
from tests.ground.waiting import wait_until
from tests.ops.keeping import buy
from tests.web.serving import serving

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


# (a) The constraints are gone, and the code looks before it writes.


@ON_POSTGRES
def test_check_then_insert_makes_two_orders_of_one_payment(
    till: Till, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.product(till.shop)
    _drop_constraints(till.shop.database)
    for module in (orders, rebuilding, fulfilment, outbox):
        monkeypatch.setattr(module, "insert_new", check_then_insert)

    # Either the case counts two orders, or the shop stumbles over them before it.
    with pytest.raises((AssertionError, MultipleResultsFound)) as failure:
        race(till, 60)

    say("P05", control="check-then-insert", caught=_first_line(failure))


def check_then_insert(session: Session, table: type[Base], **values: Any) -> bool:
    """What `insert_new` would be without constraints: a look, then an INSERT."""
    for names in _unique(table):
        same = [getattr(table, name) == values.get(name) for name in names]
        if session.scalar(select(1).select_from(table).where(*same)):
            return False
    session.execute(table.__table__.insert().values(**values))  # type: ignore[attr-defined]  # a Table has it
    return True


def _unique(table: type[Base]) -> Iterator[list[str]]:
    made = table.__table__
    for rule in getattr(made, "constraints", ()):
        if isinstance(rule, UniqueConstraint):
            yield [column.name for column in rule.columns]


def _drop_constraints(base: Database) -> None:
    with base.engine.begin() as connection:
        look = inspect(connection)
        for table in ("orders", "ledger", "outbox", "entitlements"):
            for rule in look.get_unique_constraints(table):
                words = f'ALTER TABLE {table} DROP CONSTRAINT "{rule["name"]}"'
                connection.execute(text(words))


# (b) A transaction begins as a reader and then wants to write.


class DeferredDatabase(Database):
    """SQLite as drivers open it by themselves: BEGIN, and the lock when it is needed."""

    def __init__(self, url: str, home: Path) -> None:
        super().__init__(url, home)
        self._writer.dispose()
        self._writer = database._sqlite_engine(self.url, "BEGIN DEFERRED", size=40)
        self._writing = self._alone


@ON_SQLITE
def test_deferred_transactions_lock_buyers_out(shop: Shop, say: Say) -> None:
    make.product(shop, limit=LIMIT)
    (bought,) = buy(shop)
    link = urlsplit(bought["link"]).path
    slack = DeferredDatabase("sqlite:///data/handsel.db", shop.home)
    loose = dataclasses.replace(shop, database=slack)

    with pytest.raises(AssertionError) as failure:
        _exactly_the_limit(_presses(loose, link))
    slack.close()

    say("P05", control="deferred", caught=_first_line(failure))


@ON_SQLITE
def test_and_the_shops_own_do_not(shop: Shop) -> None:
    make.product(shop, limit=LIMIT)
    (bought,) = buy(shop)

    _exactly_the_limit(_presses(shop, urlsplit(bought["link"]).path))


def _presses(shop: Shop, link: str) -> Presses:
    with (
        serving(create_app(shop), threads=CLIENTS) as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        return press_all(pool, [server.url], link)


def _exactly_the_limit(done: Presses) -> None:
    assert set(done.statuses) == {303, 410}
    assert len(done.places) == LIMIT


# (c) Mails are ticked off before they are sent.


@ON_SQLITE
def test_mark_then_send_loses_mails(shop: Shop, say: Say) -> None:
    with pytest.raises(AssertionError) as failure:
        _mail_under_kills(shop, "tests.faults.hasty_worker", shop.home)

    say("P05", control="mark-then-send", caught=_first_line(failure))


@ON_SQLITE
def test_and_our_worker_loses_none(shop: Shop) -> None:
    _mail_under_kills(shop, "handsel", "worker", "--home", shop.home)


def _mail_under_kills(shop: Shop, *command: str | Path) -> None:
    """Kill a worker twice in the middle of its mails; all must arrive at last."""
    make.product(shop)
    shop = dataclasses.replace(shop, clock=utc_now)
    readers = {each["email"] for each in buy(shop, 60)}
    folder = shop.home / "mail"

    def arrived() -> int:
        return len(list(folder.glob("*.eml")))

    with program(*command) as busy:
        for _ in range(2):
            before = arrived()
            busy.start()
            wait_until(lambda before=before: arrived() > before, 60)  # type: ignore[misc]  # one for each round
            busy.kill()
    later = dataclasses.replace(shop, clock=lambda: utc_now() + timedelta(minutes=10))
    wait_until(lambda: not worker.turn(later), 60)

    missing = {each for each in readers if not list(folder.glob(f"*-{each}-*.eml"))}
    assert not missing, f"{len(missing)} of 60 never got their mail"


# (d) A backup is a copy of the database's file.


@ON_SQLITE
def test_a_plain_copy_is_no_backup(shop: Shop, say: Say, tmp_path: Path) -> None:
    make.product(shop)
    buy(shop, 20)
    copied = tmp_path / "copied.db"
    shutil.copyfile(shop.home / "data" / "handsel.db", copied)

    with pytest.raises(AssertionError) as failure:
        _holds_orders(copied, 20)

    say("P05", control="cp", caught=_first_line(failure))


@ON_SQLITE
def test_and_ours_is_one(shop: Shop, tmp_path: Path) -> None:
    make.product(shop)
    buy(shop, 20)
    made = backup.back_up(shop)
    there = tmp_path / "there"
    restore.restore(made.path, there, keys=made.keys, now=shop.now())

    _holds_orders(there / "data" / "handsel.db", 20)


def _holds_orders(file: Path, wanted: int) -> None:
    connection = SQLITE.connect(str(file))
    try:
        found = connection.execute("SELECT count(*) FROM orders").fetchone()[0]
    except SQLITE.Error as error:
        raise AssertionError(f"the copy cannot be read: {error}") from error
    finally:
        connection.close()
    assert found == wanted, f"{found} of {wanted} orders"


def _first_line(failure: pytest.ExceptionInfo[Exception]) -> str:
    return repr(str(failure.value).partition("\n")[0][:80])
