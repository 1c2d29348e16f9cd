"""Sales and refunds as events: brought in line with the ledger, which forgets nothing.

So every sale is counted, whatever its buyer's browser blocks and whoever told us of it,
those from before anything was counted included. Nothing is written while money is heard
of: the worker comes a little later, and what it has missed it finds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from handsel.analytics import events
from handsel.models import CountedFact, Event, LedgerEntry, Order
from handsel.models.database import insert_new
from handsel.models.words import FREE, EventKind, FactKind

AT_ONCE = 50
LATEST = 1000
"""How far behind the last one a fact may still turn up: transactions end in another
order than they begin."""
_BACK = (FactKind.REFUND, FactKind.DISPUTE_LOST)
_UNDONE = (FactKind.VOID, FactKind.DISPUTE_WON, FactKind.DISPUTE_SETTLED)


@dataclass(frozen=True)
class Movement:
    """Money of an order that is not counted yet; negative if it went back."""

    order: Order
    kind: EventKind
    at: datetime
    amount_minor: int
    currency: str
    once: str


@dataclass(frozen=True)
class Followed:
    """How many facts were new, and what of them moved money."""

    facts: int
    movements: Sequence[Movement]


def follow(session: Session) -> Followed:
    """Count the facts that are new, some dozens at the most.

    Safe to repeat, and for several at once: whoever writes first that a fact is counted
    counts it, and the others wait until that is so.
    """
    facts = [
        fact
        for fact in _uncounted(session)
        if insert_new(session, CountedFact, ledger_id=fact.id)
    ]
    movements = [
        moved
        for order_id in dict.fromkeys(fact.order_id for fact in facts)
        for moved in _movements(session, session.get_one(Order, order_id))
    ]
    # Those of the facts, too: what is paid in tax is counted with their days.
    moments = [*(each.at for each in movements), *(fact.at for fact in facts)]
    events.hold_days(session, {moment.date() for moment in moments})
    counted = [each for each in movements if _count(session, each)]
    return Followed(len(facts), counted)


def is_behind(session: Session) -> bool:
    """Say whether there are facts that are not counted yet."""
    return bool(_uncounted(session))


def _count(session: Session, moved: Movement) -> bool:
    order = moved.order
    return events.add(
        session,
        moved.kind,
        moved.at,
        events.visit_of(session, order.id, moved.at),
        product_id=order.product_id,
        order=order,
        once=moved.once,
        amount_minor=moved.amount_minor,
        currency=moved.currency,
    )


def _uncounted(session: Session) -> Sequence[LedgerEntry]:
    last = session.scalar(select(func.max(CountedFact.ledger_id))) or 0
    known = exists().where(CountedFact.ledger_id == LedgerEntry.id)
    return session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.id > last - LATEST, ~known)
        .order_by(LedgerEntry.id)
        .limit(AT_ONCE)
    ).all()


def _movements(session: Session, order: Order) -> Iterator[Movement]:
    facts = session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.order_id == order.id)
        .order_by(LedgerEntry.id)
    ).all()
    sold = [fact for fact in facts if _is_sale(order.provider, fact)]
    if not sold:
        return
    before = _counted(session, order)
    paid = sum(fact.amount_minor for fact in sold)
    if EventKind.PAID not in before:
        at = min(fact.at for fact in sold)
        once = f"paid:{order.id}"
        yield Movement(order, EventKind.PAID, at, paid, sold[0].currency, once)
    moved = -min(paid, _gone_back(facts)) - before.get(EventKind.REFUNDED, 0)
    if moved:
        last = [fact for fact in facts if fact.kind in (*_BACK, *_UNDONE)][-1]
        once = f"refunded:{order.id}:{last.id}"
        yield Movement(
            order, EventKind.REFUNDED, last.at, moved, sold[0].currency, once
        )


def brought(provider: str, facts: Sequence[LedgerEntry]) -> int | None:
    """Give what an order has brought after all that went back; None if it is no sale."""
    sold = [fact for fact in facts if _is_sale(provider, fact)]
    paid = sum(fact.amount_minor for fact in sold)
    return paid - min(paid, _gone_back(facts)) if sold else None


def _is_sale(provider: str, fact: LedgerEntry) -> bool:
    """A present is no sale; what costs nothing is one, and its grant is the money."""
    if fact.kind is FactKind.CAPTURE:
        return True
    return fact.kind is FactKind.MANUAL_GRANT and provider == FREE


def _counted(session: Session, order: Order) -> dict[EventKind, int]:
    rows = session.execute(
        select(Event.kind, func.sum(Event.amount_minor))
        .where(
            Event.order_id == order.id,
            Event.kind.in_((EventKind.PAID, EventKind.REFUNDED)),
        )
        .group_by(Event.kind)
    )
    return {kind: int(total) for kind, total in rows}


def _gone_back(facts: Sequence[LedgerEntry]) -> int:
    """Add up what went back for good: neither a refund that failed, nor a dispute that
    is not lost."""
    undone = {fact.object_id for fact in facts if fact.kind in _UNDONE}
    return sum(
        fact.amount_minor
        for fact in facts
        if fact.kind in _BACK and fact.object_id not in undone
    )
