"""Single changes of the seller's balance, beside the orders they belong to."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select, update
from sqlalchemy.orm import Session

from handsel.models import BalanceLine, LedgerEntry, Order, Payout
from handsel.models.orders import FIRST_NUMBER
from handsel.models.words import FactKind
from handsel.sales.payments.lines import Line

OF_ORDER = and_(
    LedgerEntry.provider == BalanceLine.provider,
    LedgerEntry.kind == FactKind.CAPTURE,
    # Nothing is looked up where it is known: a report of years has a million lines.
    LedgerEntry.object_id
    == case((BalanceLine.order_id.is_(None), BalanceLine.payment)),
)
"""The one capture that a line has to do with, where its order is not known yet."""
ORDER_ID = func.coalesce(BalanceLine.order_id, LedgerEntry.order_id)
"""The order of a line, outer joined by OF_ORDER; None if it is not one of this shop's."""


def match(session: Session, provider: str, lines: Iterable[Line]) -> None:
    """Write the order beside each of these lines that the ledger knows by now."""
    mine = BalanceLine.object_id.in_([line.object_id for line in lines])
    found = session.execute(
        select(BalanceLine.id, LedgerEntry.order_id)
        .join(LedgerEntry, OF_ORDER)
        .where(BalanceLine.provider == provider, mine)
    )
    if rows := [dict(row) for row in found.mappings()]:
        session.execute(update(BalanceLine), rows)


def of_order(session: Session, order: Order) -> list[dict[str, Any]]:
    """Give what an order did to the balance: its fee, and when it was paid out."""
    payments = select(LedgerEntry.object_id).where(
        LedgerEntry.order_id == order.id, LedgerEntry.kind == FactKind.CAPTURE
    )
    chosen = (BalanceLine.provider == order.provider) & BalanceLine.payment.in_(
        payments
    )
    return _lines(session, chosen)


def of_payout(session: Session, payout_id: int) -> list[dict[str, Any]]:
    """Give what a payout is made up of, with the order that each line belongs to."""
    return _lines(session, BalanceLine.payout_id == payout_id)


def _lines(session: Session, chosen: ColumnElement[bool]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(BalanceLine, ORDER_ID, Payout)
        .outerjoin(LedgerEntry, OF_ORDER)
        .outerjoin(Payout, Payout.id == BalanceLine.payout_id)
        .where(chosen)
        .order_by(BalanceLine.at, BalanceLine.id)
    )
    return [_line(*row) for row in rows]


def _line(
    line: BalanceLine, order_id: int | None, payout: Payout | None
) -> dict[str, Any]:
    return {
        "id": line.object_id,
        "kind": str(line.kind),
        "word": line.word,
        "note": line.note,
        "order": f"H-{order_id + FIRST_NUMBER - 1}" if order_id else None,
        "payment": line.payment,
        "at": line.at.isoformat(),
        "amount_minor": line.amount_minor,
        "fee_minor": line.fee_minor,
        "net_minor": line.net_minor,
        "currency": line.currency,
        "paid_minor": line.paid_minor,
        "paid_currency": line.paid_currency,
        "received_minor": line.received_minor,
        "received_currency": line.received_currency,
        "rate": line.rate,
        "payout": payout.object_id if payout else None,
        "payout_state": str(payout.state) if payout else None,
    }
