"""What the seller decides about one order by hand: facts of their own, beside the bank's.

They hold until money moves again: see `standing`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.delivery import access
from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.money import Money
from handsel.models import LedgerEntry, Note, Order
from handsel.models.database import insert_new
from handsel.models.words import FactKind
from handsel.sales import orders
from handsel.sales.payments.base import Fact

LONGEST_NOTE = 4000
_BY_HAND = (FactKind.MANUAL_GRANT, FactKind.MANUAL_REVOKE)


def revoke(session: Session, order: Order, now: datetime) -> bool:
    """Close the files of an order, and leave its money where it is.

    False when they are closed already. Raises ConflictError for one that never was open.
    """
    _check_paid(order)
    if not access.can_access(session, order.id):
        return False
    orders.add_fact(session, order, _fact(session, order, _BY_HAND[1], now), now)
    return True


def restore(session: Session, order: Order, now: datetime) -> bool:
    """Open the files of an order again, whatever has closed them.

    False when they are open. Raises ConflictError for one that never was open, or is
    held back.
    """
    _check_paid(order)
    if order.review_reason is not None:
        raise ConflictError(
            f"Order {order.number} is held back: {order.review_reason}",
            f"Look at it, then: handsel order accept {order.number}",
        )
    if access.can_access(session, order.id):
        return False
    orders.add_fact(session, order, _fact(session, order, _BY_HAND[0], now), now)
    return True


def _check_paid(order: Order) -> None:
    if order.paid_at is None:
        raise ConflictError(
            f"Order {order.number} has not been paid, so its files were never open.",
            "To give the product to somebody: handsel order give",
        )


def _fact(session: Session, order: Order, kind: FactKind, now: datetime) -> Fact:
    """Give a fact that is later than all by hand before it, in the same moment as well."""
    before = session.scalar(
        select(func.count()).where(
            LedgerEntry.order_id == order.id, LedgerEntry.kind.in_(_BY_HAND)
        )
    )
    name = f"hand:{order.public_id}:{before:06}"
    return Fact(kind, name, Money(0, order.currency), now)


def notes(session: Session, order: Order) -> list[dict[str, Any]]:
    """Give the notes of an order as `order show --json` does, oldest first."""
    rows = session.scalars(
        select(Note).where(Note.order_id == order.id).order_by(Note.id)
    )
    return [
        {"at": row.at.isoformat(), "by": row.written_by, "text": row.text}
        for row in rows
    ]


def note(
    session: Session, order: Order, text: str, *, press: str, by: str, now: datetime
) -> bool:
    """Write a note to an order; say whether it is new.

    Args:
        press: names the press on the button, so that a second one writes nothing.
        by: who writes.

    Raises BadInputError for an empty one.
    """
    text = text.replace("\0", "").strip()
    if not text or len(text) > LONGEST_NOTE:
        raise BadInputError(
            "There is nothing in the note."
            if not text
            else f"The note is longer than {LONGEST_NOTE} letters.",
            "Write what the others should know.",
            field="note",
        )
    return insert_new(
        session,
        Note,
        order_id=order.id,
        press=press,
        text=text,
        written_by=by,
        at=now,
    )
