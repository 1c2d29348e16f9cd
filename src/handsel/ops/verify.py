"""The invariants: sentences about the books that are true, whatever has happened.

Each is one small function that looks and changes nothing; together they are one
consistent view of the database. Most are a count in SQL of what should not be; the
standing of orders is computed anew, a batch at a time, so that a hundred thousand
orders need seconds and little memory.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from handsel.delivery.storage.local import LocalStorage
from handsel.kit.money import Money
from handsel.models import (
    Allowance,
    Entitlement,
    Grant,
    LedgerEntry,
    Order,
    OutboxItem,
)
from handsel.models.database import Database
from handsel.models.orders import FIRST_NUMBER
from handsel.models.words import FactKind, GrantState, OutboxState
from handsel.ops import stock
from handsel.outbound.outbox import LEASE
from handsel.sales.payments.base import Fact
from handsel.sales.standing import Standing, sum_up

BATCH = 1000
EXAMPLES = 5
CLOCK_SLACK = timedelta(seconds=30)
"""`now` is read before waiting for the database, so neighbours may look swapped."""
LONGEST_LEASE = timedelta(minutes=10)
_COUNTED = (GrantState.RESERVED, GrantState.CONSUMED, GrantState.CLOSED)


@dataclass(frozen=True)
class Invariant:
    """One sentence about the books, and whether it holds. `detail` says it in words."""

    id: str
    ok: bool
    detail: str


def verify(
    database: Database, storage: LocalStorage, now: datetime, *, quick: bool = False
) -> list[Invariant]:
    """Look at every invariant. Changes nothing; safe beside a shop at work.

    Args:
        quick: only look whether the files are there and as long as they should be,
            instead of reading every byte.
    """
    with database.reading() as session:
        if not database.is_sqlite:
            # Several statements that must speak of one moment.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        found = [check(session) for check in _CHECKS]
        known = stock.known(session)
        found.append(_leases(session, now))
    files = _files(storage, known, now, quick=quick)
    return sorted([*found, files], key=lambda each: int(each.id[1:]))


def _captures_have_orders(session: Session) -> Invariant:
    captures = LedgerEntry.kind == FactKind.CAPTURE
    lost = session.scalars(
        select(LedgerEntry.object_id)
        .outerjoin(Order, Order.id == LedgerEntry.order_id)
        .where(
            captures, or_(Order.id.is_(None), Order.provider != LedgerEntry.provider)
        )
        .limit(EXAMPLES)
    ).all()
    twice = session.scalars(
        select(LedgerEntry.object_id)
        .where(captures)
        .group_by(LedgerEntry.provider, LedgerEntry.object_id)
        .having(func.count() > 1)
        .limit(EXAMPLES)
    ).all()
    total = session.scalar(
        select(func.count()).select_from(LedgerEntry).where(captures)
    )
    return _result(
        "I1",
        f"Each of the {total} payments taken has exactly one order.",
        _list("Payments without an order", lost),
        _list("Payments counted twice", twice),
    )


def _one_order_per_session(session: Session) -> Invariant:
    twice = session.execute(
        select(Order.provider, Order.session_id)
        .group_by(Order.provider, Order.session_id)
        .having(func.count() > 1)
        .limit(EXAMPLES)
    ).all()
    total = session.scalar(select(func.count()).select_from(Order))
    return _result(
        "I2",
        f"Each of the {total} orders has a payment session of its own.",
        _list("Sessions with several orders", [f"{p} {s}" for p, s in twice]),
    )


def _access_follows_money(session: Session) -> Invariant:
    total, wrong = 0, []
    for rows in _order_batches(session):
        total += len(rows)
        standings = _standings(session, rows)
        given = _given(session, rows)
        wrong += [
            number(row.id)
            for row in rows
            if not _agrees(row, standings[row.id], given.get(row.id))
        ]
    return _result(
        "I3",
        f"All {total} orders stand, and open their files, as their money says.",
        _list("Orders that do not", wrong),
    )


def _order_batches(session: Session) -> Iterator[Sequence[Any]]:
    last = 0
    while rows := session.execute(
        select(
            Order.id,
            Order.session_state,
            Order.status,
            Order.paid_at,
            Order.refunded_minor,
            Order.review_reason,
        )
        .where(Order.id > last)
        .order_by(Order.id)
        .limit(BATCH)
    ).all():
        yield rows
        last = rows[-1].id


def _standings(session: Session, orders: Sequence[Any]) -> dict[int, Standing]:
    facts: dict[int, list[Fact]] = defaultdict(list)
    entries = session.execute(
        select(
            LedgerEntry.order_id,
            LedgerEntry.kind,
            LedgerEntry.object_id,
            LedgerEntry.amount_minor,
            LedgerEntry.currency,
            LedgerEntry.at,
        ).where(LedgerEntry.order_id.between(orders[0].id, orders[-1].id))
    )
    for order_id, kind, object_id, minor, currency, at in entries:
        facts[order_id].append(Fact(kind, object_id, Money(minor, currency), at))
    return {
        row.id: sum_up(
            facts[row.id],
            row.session_state,
            needs_review=row.review_reason is not None,
        )
        for row in orders
    }


def _given(session: Session, orders: Sequence[Any]) -> dict[int, bool]:
    rows = session.execute(
        select(Entitlement.order_id, Entitlement.access).where(
            Entitlement.order_id.between(orders[0].id, orders[-1].id)
        )
    )
    return {row.order_id: row.access for row in rows}


def _agrees(row: Any, standing: Standing, access: bool | None) -> bool:
    delivered = standing.paid_at is None or row.review_reason or access is not None
    return (
        bool(delivered)
        and bool(access) is standing.access
        and (row.status, row.paid_at, row.refunded_minor)
        == (standing.status, standing.paid_at, standing.refunded)
    )


def _refunds_within_payments(session: Session) -> Invariant:
    void = aliased(LedgerEntry)
    voided = (
        select(literal(1))
        .where(
            void.order_id == LedgerEntry.order_id,
            void.kind == FactKind.VOID,
            void.object_id == LedgerEntry.object_id,
        )
        .exists()
    )
    captured = _sum(LedgerEntry.kind == FactKind.CAPTURE)
    refunded = _sum(and_(LedgerEntry.kind == FactKind.REFUND, ~voided))
    over = session.scalars(
        select(LedgerEntry.order_id)
        .where(LedgerEntry.kind.in_((FactKind.CAPTURE, FactKind.REFUND)))
        .group_by(LedgerEntry.order_id)
        .having(refunded > captured)
        .limit(EXAMPLES)
    ).all()
    foreign = session.scalars(
        select(Order.id)
        .join(LedgerEntry, LedgerEntry.order_id == Order.id)
        .where(
            LedgerEntry.kind.in_((FactKind.CAPTURE, FactKind.REFUND)),
            LedgerEntry.currency != Order.currency,
            Order.review_reason.is_(None),
        )
        .distinct()
        .limit(EXAMPLES)
    ).all()
    return _result(
        "I4",
        "No order was refunded more than was paid for it, nor in another currency.",
        _list("Refunded more than was paid", map(number, over)),
        _list("Paid or refunded in another currency", map(number, foreign)),
    )


def _sum(which: Any) -> Any:
    return func.coalesce(func.sum(LedgerEntry.amount_minor).filter(which), 0)


def _receipts(session: Session) -> Invariant:
    due = and_(
        Order.paid_at.is_not(None),
        Order.email.is_not(None),
        Order.review_reason.is_(None),
    )
    without = session.scalars(
        select(Order.id)
        .outerjoin(OutboxItem, OutboxItem.dedupe == "receipt:" + Order.public_id)
        .where(due, OutboxItem.id.is_(None))
        .limit(EXAMPLES)
    ).all()
    twice = session.scalars(
        select(OutboxItem.dedupe)
        .where(OutboxItem.dedupe.like("receipt:%"))
        .group_by(OutboxItem.dedupe)
        .having(func.count() > 1)
        .limit(EXAMPLES)
    ).all()
    total = session.scalar(select(func.count()).select_from(Order).where(due))
    return _result(
        "I5",
        f"Each of the {total} paid orders with an address has exactly one receipt.",
        _list("Orders without a receipt", map(number, without)),
        _list("Receipts written twice", twice),
    )


def _downloads_counted(session: Session) -> Invariant:
    grants = (
        select(Grant.entitlement_id, Grant.file_id, func.count().label("taken"))
        .where(Grant.state.in_(_COUNTED))
        .group_by(Grant.entitlement_id, Grant.file_id)
        .subquery()
    )
    same = and_(
        grants.c.entitlement_id == Allowance.entitlement_id,
        grants.c.file_id == Allowance.file_id,
    )
    miscounted = _orders_of(
        session,
        select(Allowance.entitlement_id)
        .outerjoin(grants, same)
        .where(
            or_(
                Allowance.taken != func.coalesce(grants.c.taken, 0),
                Allowance.taken > Allowance.lim,
            )
        ),
    )
    uncounted = _orders_of(
        session,
        select(grants.c.entitlement_id)
        .outerjoin(Allowance, same)
        .where(Allowance.entitlement_id.is_(None)),
    )
    return _result(
        "I6",
        "Downloads taken are as many as were pressed and kept, and within the limit.",
        _list("Orders counted wrongly", miscounted),
        _list("Orders not counted at all", uncounted),
    )


def _orders_of(session: Session, entitlements: Select[Any]) -> list[str]:
    chosen = select(Entitlement.order_id).where(Entitlement.id.in_(entitlements))
    return [number(each) for each in session.scalars(chosen.limit(EXAMPLES))]


def _nothing_after_the_end(session: Session) -> Invariant:
    rows = session.execute(
        select(Entitlement.order_id, Grant.created_at, Entitlement.access_changed_at)
        .join(Grant, Grant.entitlement_id == Entitlement.id)
        .where(
            Entitlement.access.is_(False),
            Grant.created_at > Entitlement.access_changed_at,
        )
    )
    late = {
        number(order_id)
        for order_id, pressed, ended in rows
        if pressed > ended + CLOCK_SLACK
    }
    return _result(
        "I7",
        "No download began after its order had lost access.",
        _list("Orders where one did", sorted(late)),
    )


def _leases(session: Session, now: datetime) -> Invariant:
    stuck = session.scalar(
        select(func.count()).where(
            OutboxItem.state == OutboxState.SENDING,
            OutboxItem.lease_until < now - (LONGEST_LEASE - LEASE),
        )
    )
    return _result(
        "I12",
        "Nothing in the outbox has been on its way for more than 10 minutes.",
        f"{stuck} mails have: no worker is running; `handsel run` starts one."
        if stuck
        else "",
    )


def _files(
    storage: LocalStorage, known: stock.Known, now: datetime, *, quick: bool
) -> Invariant:
    damaged = stock.damaged(storage, known, quick=quick)
    strays = stock.strays(storage, known)
    old = [path for path in strays if stock.is_old(path, now)]
    young = len(strays) - len(old)
    how = "there, and as long as it should be" if quick else "there, byte for byte"
    return _result(
        "I11",
        f"Each of the {len(known)} files is {how}; no others lie about"
        + (f" ({young} are just being added)." if young else "."),
        _list("Missing or damaged", damaged),
        _list("Files that belong to nothing", [path.name for path in old]),
    )


def number(order_id: int) -> str:
    """Write an order's number from its row."""
    return f"H-{order_id + FIRST_NUMBER - 1}"


def _list(what: str, found: Any) -> str:
    each = list(found)
    if not each:
        return ""
    more = len(each) - EXAMPLES
    names = ", ".join(map(str, each[:EXAMPLES]))
    return f"{what}: {names}" + (f" and {more} more." if more > 0 else ".")


def _result(name: str, truth: str, *problems: str) -> Invariant:
    found = [problem for problem in problems if problem]
    return Invariant(name, not found, " ".join(found) if found else truth)


_CHECKS: tuple[Callable[[Session], Invariant], ...] = (
    _captures_have_orders,
    _one_order_per_session,
    _access_follows_money,
    _refunds_within_payments,
    _receipts,
    _downloads_counted,
    _nothing_after_the_end,
)
