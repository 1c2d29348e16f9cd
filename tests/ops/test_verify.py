"""The invariants hold after everything that happens, and each notices its own damage."""

import os
from collections.abc import Callable
from datetime import timedelta
from io import BufferedReader
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import delete, text, update

from handsel.delivery import access, serving
from handsel.delivery.storage.local import LocalStorage
from handsel.models import (
    Allowance,
    Entitlement,
    LedgerEntry,
    Order,
    OutboxItem,
    Recipient,
)
from handsel.ops import campaigning, removing, stock
from handsel.ops.releasing import Sending
from handsel.ops.verify import verify
from handsel.outbound import recipients
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ops import keeping

ALL = [f"I{number}" for number in range(1, 15) if number != 10]


@pytest.fixture
def busy_shop(shop: Shop, clock: Clock) -> Shop:
    """A shop with three orders: downloaded, partly refunded, refunded."""
    product = make.product(shop)
    sold = [each["number"] for each in keeping.buy(shop, 3)]
    taken = keeping.press(shop, sold[0], product, "laptop")
    keeping.press(shop, sold[0], product, "phone")
    with shop.transaction() as session:
        serving.consume(session, taken)
    clock.move(hours=1)
    keeping.refund(shop, sold[1], 500)
    keeping.press(shop, sold[1], product, "laptop")
    clock.move(hours=1)
    keeping.refund(shop, sold[2], 1500)
    clock.move(hours=30)
    with shop.transaction() as session:
        access.close_expired(session, clock())
    return shop


def test_a_shop_with_a_history_keeps_every_invariant(busy_shop: Shop) -> None:
    found = keeping.prove(busy_shop)

    assert [each.id for each in found] == ALL
    assert [each for each in found if not each.ok] == []
    assert "3 orders" in found[1].detail


def test_an_empty_shop_keeps_them_too(shop: Shop) -> None:
    assert keeping.broken(shop) == {}


def _taken_wrongly(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(update(Allowance).values(taken=Allowance.taken + 1))


def _uncounted(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(delete(Allowance))


def _opened_after_a_refund(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(
            update(Entitlement).where(Entitlement.order_id == 3).values(access=True)
        )


def _closed_though_paid(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(
            update(Entitlement).where(Entitlement.order_id == 1).values(access=False)
        )


def _status_pushed_by_hand(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(update(Order).where(Order.id == 2).values(status="refunded"))


def _never_delivered(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(delete(Entitlement).where(Entitlement.order_id == 3))


def _refunded_too_much(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(
            update(LedgerEntry)
            .where(LedgerEntry.order_id == 2, LedgerEntry.kind == "refund")
            .values(amount_minor=1501)
        )


def _refunded_in_dollars(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(
            update(LedgerEntry)
            .where(LedgerEntry.order_id == 2, LedgerEntry.kind == "refund")
            .values(currency="USD")
        )


def _no_receipt(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(delete(OutboxItem).where(OutboxItem.order_id == 2))


def _capture_of_another_provider(shop: Shop) -> None:
    with shop.transaction() as session:
        session.execute(
            update(LedgerEntry)
            .where(LedgerEntry.order_id == 1)
            .values(provider="stripe")
        )


@pytest.mark.parametrize(
    ("damage", "invariant", "named"),
    [
        (_capture_of_another_provider, "I1", "without an order"),
        (_opened_after_a_refund, "I3", "H-1003"),
        (_closed_though_paid, "I3", "H-1001"),
        (_status_pushed_by_hand, "I3", "H-1002"),
        (_never_delivered, "I3", "H-1003"),
        (_refunded_too_much, "I4", "H-1002"),
        (_refunded_in_dollars, "I4", "another currency: H-1002"),
        (_no_receipt, "I5", "H-1002"),
        (_taken_wrongly, "I6", "H-1001"),
        (_uncounted, "I6", "H-1001"),
    ],
)
def test_damage_is_noticed_and_named(
    busy_shop: Shop, damage: Callable[[Shop], None], invariant: str, named: str
) -> None:
    damage(busy_shop)

    assert named in keeping.broken(busy_shop)[invariant]


_DOUBLED = [
    "ALTER TABLE ledger DROP CONSTRAINT uq_ledger_provider_kind_object_id",
    "ALTER TABLE orders DROP CONSTRAINT uq_orders_provider_session_id",
    """
    INSERT INTO ledger
        (order_id, provider, kind, object_id, amount_minor, currency, at, recorded_at)
    SELECT order_id, provider, kind, object_id, amount_minor, currency, at, recorded_at
        FROM ledger WHERE order_id = 1
    """,
    """
    UPDATE orders SET session_id = (SELECT session_id FROM orders WHERE id = 1)
        WHERE id = 3
    """,
]


# SQLite cannot drop a constraint of a table.
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_same_payment_and_session_twice_are_noticed_where_no_constraint_stops_them(
    busy_shop: Shop,
) -> None:
    with busy_shop.database.engine.begin() as connection:
        for statement in _DOUBLED:
            connection.execute(text(statement))

    found = keeping.broken(busy_shop)

    assert "counted twice" in found["I1"]
    assert "several orders" in found["I2"]


def test_a_download_after_the_refund_is_noticed(busy_shop: Shop, clock: Clock) -> None:
    with busy_shop.transaction() as session:
        session.execute(
            update(Entitlement)
            .where(Entitlement.order_id == 1)
            .values(access=False, access_changed_at=clock() - timedelta(days=30))
        )

    assert "H-1001" in keeping.broken(busy_shop)["I7"]


def test_a_press_in_the_same_moment_as_the_refund_is_none(
    busy_shop: Shop, clock: Clock
) -> None:
    pressed = clock() - timedelta(hours=32)
    with busy_shop.transaction() as session:
        session.execute(
            update(Entitlement)
            .where(Entitlement.order_id == 1)
            .values(access=False, access_changed_at=pressed - timedelta(seconds=5))
        )

    assert "I7" not in keeping.broken(busy_shop)


def test_a_lease_that_nobody_ends_is_noticed_after_ten_minutes(
    busy_shop: Shop, clock: Clock
) -> None:
    with busy_shop.transaction() as session:
        session.execute(
            update(OutboxItem)
            .where(OutboxItem.order_id == 1)
            .values(state="sending", lease_until=clock() + timedelta(minutes=2))
        )
    clock.move(minutes=9)
    assert "I12" not in keeping.broken(busy_shop)

    clock.move(minutes=2)

    assert "no worker" in keeping.broken(busy_shop)["I12"]


def test_a_changed_a_shortened_and_a_missing_file_are_noticed(busy_shop: Shop) -> None:
    (name,) = busy_shop.storage.names()
    path = busy_shop.storage.path(name)
    whole = path.read_bytes()

    path.write_bytes(whole[:-1] + b"?")
    changed, changed_quick = (
        keeping.broken(busy_shop),
        keeping.broken(busy_shop, quick=True),
    )
    path.write_bytes(whole[:-1])
    shortened_quick = keeping.broken(busy_shop, quick=True)
    path.unlink()
    missing_quick = keeping.broken(busy_shop, quick=True)

    assert name in changed["I11"]
    assert changed_quick == {}
    assert name in shortened_quick["I11"]
    assert name in missing_quick["I11"]


def test_what_an_interrupted_command_left_is_noticed_once_it_is_old_and_swept(
    busy_shop: Shop, clock: Clock
) -> None:
    stray = busy_shop.storage.path("ab" * 32)
    half = busy_shop.storage.root / "tmp" / "half"
    for path in (stray, half):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left behind")
        _age(path, clock, hours=1)
    assert keeping.broken(busy_shop) == {}
    assert stock.sweep(busy_shop.database, busy_shop.storage, clock()) == 0

    for path in (stray, half):
        _age(path, clock, hours=8)
    noticed = keeping.broken(busy_shop)["I11"]
    swept = stock.sweep(busy_shop.database, busy_shop.storage, clock())

    assert stray.name in noticed
    assert half.name in noticed
    assert swept == 2
    assert keeping.broken(busy_shop) == {}
    assert list(busy_shop.storage.root.rglob("*leaving")) == []


def test_sweeping_never_takes_what_is_for_sale(busy_shop: Shop, clock: Clock) -> None:
    (name,) = busy_shop.storage.names()
    _age(busy_shop.storage.path(name), clock, hours=1000)

    assert stock.sweep(busy_shop.database, busy_shop.storage, clock()) == 0
    assert keeping.broken(busy_shop) == {}


class Meanwhile(LocalStorage):
    """A storage in which something happens when its files begin to be read."""

    def __init__(self, root: Path, happens: Callable[[], object]) -> None:
        super().__init__(root)
        self._happens = happens

    def holds(self, sha256: str) -> bool:
        """Let it happen, once."""
        happens, self._happens = self._happens, lambda: None
        happens()
        return super().holds(sha256)


def test_what_is_deleted_while_the_files_are_read_is_left_until_later(
    busy_shop: Shop, clock: Clock
) -> None:
    make.product(busy_shop, slug="slip", files={"slip.pdf": b"a slip\n" * 50})
    names = set(busy_shop.storage.names())
    for name in names:
        _age(busy_shop.storage.path(name), clock, hours=100)
    storage = Meanwhile(
        busy_shop.storage.root, lambda: removing.delete_product(busy_shop, "slip")
    )

    found = verify(busy_shop.database, storage, clock())

    assert [each.detail for each in found if not each.ok] == []
    assert set(busy_shop.storage.names()) == names
    assert keeping.broken(busy_shop) == {}  # nobody is told of files that will yet go
    clock.move(hours=6, minutes=1)
    assert stock.sweep(busy_shop.database, busy_shop.storage, clock()) == 1
    assert set(busy_shop.storage.names()) < names


def _age(path: os.PathLike[str], clock: Clock, *, hours: int) -> None:
    then = (clock() - timedelta(hours=hours)).timestamp()
    os.utime(path, (then, then))


@pytest.fixture
def told_shop(busy_shop: Shop) -> Shop:
    """The same, and a mail to everyone has gone out."""
    number = campaigning.create_broadcast(busy_shop, "book", "Hi", "Hello.", Sending())
    campaigning.begin(busy_shop, number)
    campaigning.send(busy_shop, number, Event())
    assert "I8" not in keeping.broken(busy_shop)
    return busy_shop


@pytest.mark.parametrize(
    "damage",
    [
        {"state": "waiting"},
        {"state": "sending"},
        {"sent_at": None},
        {"state": "skipped", "reason": None},
    ],
    ids=str,
)
def test_somebody_whom_a_finished_mail_forgot_is_noticed(
    damage: dict[str, str | None], told_shop: Shop
) -> None:
    with told_shop.transaction() as session:
        sent = Recipient.state == "sent"
        session.execute(update(Recipient).where(sent).values(**damage))

    assert "mails: 1" in keeping.broken(told_shop)["I8"]


def test_a_mail_to_everyone_that_nobody_sends_is_noticed(
    busy_shop: Shop, clock: Clock
) -> None:
    number = campaigning.create_broadcast(busy_shop, "book", "Hi", "Hello.", Sending())
    campaigning.begin(busy_shop, number)
    with busy_shop.transaction() as session:
        recipients.claim(session, number, busy_shop.now(), 5)

    clock.move(minutes=9)
    assert "I12" not in keeping.broken(busy_shop)
    clock.move(minutes=2)
    assert "no worker" in keeping.broken(busy_shop)["I12"]


def test_a_file_that_cannot_be_read_does_not_hide_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.product(shop, files={"a.pdf": b"first", "b.pdf": b"second"})
    locked, gone = sorted(shop.storage.names())
    shop.storage.path(gone).unlink()
    opened = LocalStorage.open

    def open_file(self: LocalStorage, sha256: str) -> BufferedReader:
        if sha256 == locked:
            raise PermissionError(13, "Permission denied")
        return opened(self, sha256)

    monkeypatch.setattr(LocalStorage, "open", open_file)

    assert locked in keeping.broken(shop)["I11"]
    assert gone in keeping.broken(shop)["I11"]
