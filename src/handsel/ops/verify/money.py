"""What is true of payments: I1 to I5."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from handsel.kit.money import Money
from handsel.models import Entitlement, LedgerEntry, Order, OutboxItem
from handsel.models.words import FactKind, OrderStatus
from handsel.ops.verify.invariant import EXAMPLES, Invariant, listed, number, result
from handsel.sales.payments.base import Fact
from handsel.sales.standing import Standing, sum_up

BATCH = 1000


def captures_have_orders(session: Session) -> Invariant:
    """I1: every payment taken has exactly one order."""
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
    return result(
        "I1",
        f"Each of the {total} payments taken has exactly one order.",
        listed("Payments without an order", lost),
        listed("Payments counted twice", twice),
    )


def one_order_per_session(session: Session) -> Invariant:
    """I2: no two orders share a payment session."""
    twice = session.execute(
        select(Order.provider, Order.session_id)
        .group_by(Order.provider, Order.session_id)
        .having(func.count() > 1)
        .limit(EXAMPLES)
    ).all()
    total = session.scalar(select(func.count()).select_from(Order))
    return result(
        "I2",
        f"Each of the {total} orders has a payment session of its own.",
        listed("Sessions with several orders", [f"{p} {s}" for p, s in twice]),
    )


def access_follows_money(session: Session) -> Invariant:
    """I3: every order stands, and opens its files, as its ledger says."""
    total, wrong = 0, []
    for rows in order_batches(session):
        total += len(rows)
        standings = _standings(session, rows)
        given = _given(session, rows)
        wrong += [
            number(row.id)
            for row in rows
            if not _agrees(row, standings[row.id], given[row.id])
        ]
    return result(
        "I3",
        f"All {total} orders stand, and open their files, as their money says.",
        listed("Orders that do not", wrong),
    )


def order_batches(session: Session) -> Iterator[Sequence[Any]]:
    """Give what counts of all orders, so many at a time that memory stays small."""
    last = 0
    while rows := session.execute(
        select(
            Order.id,
            Order.session_state,
            Order.status,
            Order.price_minor,
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
    facts = facts_of(session, orders)
    return {
        row.id: sum_up(
            facts[row.id],
            row.session_state,
            needs_review=row.review_reason is not None,
        )
        for row in orders
    }


def facts_of(session: Session, orders: Sequence[Any]) -> dict[int, list[Fact]]:
    """Give what the ledger says of each order of a batch; nothing is an empty list."""
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
    return facts


def _given(session: Session, orders: Sequence[Any]) -> dict[int, set[bool]]:
    """Say of each order whether it opens its products; all of a bundle must agree."""
    found: dict[int, set[bool]] = defaultdict(set)
    rows = session.execute(
        select(Entitlement.order_id, Entitlement.access).where(
            Entitlement.order_id.between(orders[0].id, orders[-1].id)
        )
    )
    for row in rows:
        found[row.order_id].add(row.access)
    return found


def _agrees(row: Any, standing: Standing, access: set[bool]) -> bool:
    delivered = standing.paid_at is None or row.review_reason or access
    return (
        bool(delivered)
        and (access or {False}) == {standing.access}
        and (row.status, row.paid_at, row.refunded_minor)
        == (standing.status, standing.paid_at, standing.refunded)
    )


def refunds_within_payments(session: Session) -> Invariant:
    """I4: no order is refunded more than was paid, in one currency.

    Unless the seller has looked at it: accepted another one, or given all of it back.
    """
    return result(
        "I4",
        "No order was refunded more than was paid for it, nor in another currency.",
        listed("Refunded more than was paid", map(number, _over(session))),
        listed("Paid or refunded in another currency", map(number, _foreign(session))),
    )


_MONEY = (FactKind.CAPTURE, FactKind.REFUND)
_OTHER = aliased(LedgerEntry)


def _over(session: Session) -> Sequence[int]:
    """Find orders of which more went back than came in."""
    voided = _there_is(
        _OTHER.order_id == LedgerEntry.order_id,
        _OTHER.kind == FactKind.VOID,
        _OTHER.object_id == LedgerEntry.object_id,
    )
    captured = _sum(LedgerEntry.kind == FactKind.CAPTURE)
    refunded = _sum(and_(LedgerEntry.kind == FactKind.REFUND, ~voided))
    return session.scalars(
        select(LedgerEntry.order_id)
        .where(LedgerEntry.kind.in_(_MONEY))
        .group_by(LedgerEntry.order_id)
        .having(refunded > captured)
        .limit(EXAMPLES)
    ).all()


def _foreign(session: Session) -> Sequence[int]:
    """Find orders with money in another currency that nobody has looked at."""
    own = _OTHER.order_id == Order.id
    mixed = _there_is(
        own, _OTHER.kind.in_(_MONEY), _OTHER.currency != LedgerEntry.currency
    )
    return session.scalars(
        select(Order.id)
        .join(LedgerEntry, LedgerEntry.order_id == Order.id)
        .where(
            LedgerEntry.kind.in_(_MONEY),
            LedgerEntry.currency != Order.currency,
            or_(Order.status != OrderStatus.REFUNDED, mixed),
            Order.review_reason.is_(None),
            ~_there_is(own, _OTHER.kind == FactKind.MANUAL_GRANT),
        )
        .distinct()
        .limit(EXAMPLES)
    ).all()


def _there_is(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say whether the ledger has another entry like this."""
    return select(literal(1)).where(*conditions).exists()


def _sum(which: Any) -> Any:
    return func.coalesce(func.sum(LedgerEntry.amount_minor).filter(which), 0)


def receipts(session: Session) -> Invariant:
    """I5: every paid order with an address has exactly one receipt.

    One that was refunded before it was ever opened has none.
    """
    due = and_(
        Order.paid_at.is_not(None),
        Order.status != OrderStatus.REFUNDED,
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
    return result(
        "I5",
        f"Each of the {total} paid orders with an address has exactly one receipt.",
        listed("Orders without a receipt", map(number, without)),
        listed("Receipts written twice", twice),
    )
