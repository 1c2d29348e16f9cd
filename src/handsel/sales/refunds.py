"""Refunds the seller asks for: written down first, then made, once.

The money itself is in the ledger, however it went back: by a command here or in the
provider's own panel.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.money import Money, format_money
from handsel.models import Order, Refund
from handsel.models.database import rows_changed
from handsel.models.words import FactKind, RefundReason, RefundState
from handsel.sales.payments.base import Fact, RefundRequest
from handsel.sales.standing import sum_up

FORGOTTEN = timedelta(hours=20)
"""How long a refund may be asked for anew: providers know its key for a day."""


@dataclass(frozen=True)
class Asked:
    """A refund that is to be made, as plain facts that outlive the transaction."""

    id: int
    number: str
    provider: str
    session_id: str
    wanted: RefundRequest
    keep_access: bool
    asked_at: datetime


def left(order: Order, facts: list[Fact]) -> Money:
    """Say how much of an order can still go back: what was paid and has not gone."""
    standing = sum_up(facts, order.session_state)
    return Money(max(standing.captured - standing.refunded, 0), order.currency)


def check(order: Order, there: Money, amount: Money) -> None:
    """Refuse what cannot be refunded. Raises ConflictError, BadInputError."""
    if order.paid_at is None or (order.price_minor and not there.minor):
        done = "was refunded already" if order.refunded_minor else "has not been paid"
        raise ConflictError(
            f"Order {order.number} {done}.",
            f"`handsel order show {order.number}` has all that is known of its money.",
        )
    if not there.minor:
        raise ConflictError(
            f"Order {order.number} was free: there is no money to give back."
        )
    if not 0 < amount.minor <= there.minor:
        raise BadInputError(
            f"{_said(amount)} cannot be refunded of order {order.number}.",
            f"Choose an amount up to {_said(there)}, or leave --amount out for all of it.",
            field="amount",
        )


def _said(money: Money) -> str:
    return format_money(money, "en")


def ask(
    session: Session,
    order: Order,
    amount: Money,
    reason: RefundReason,
    now: datetime,
    *,
    keep_access: bool,
) -> Asked:
    """Write down that an amount is to go back; `check` it before.

    Raises ConflictError while another refund of this order is being made.
    """
    if asked(session, order_id=order.id):
        raise ConflictError(
            f"Another refund of order {order.number} is being made at this moment.",
            "Wait a minute, and look: handsel order show " + order.number,
        )
    row = Refund(
        order_id=order.id,
        key=secrets.token_hex(32),
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason,
        keep_access=keep_access,
        state=RefundState.ASKED,
        asked_at=now,
    )
    session.add(row)
    session.flush()
    return _plain(row, order)


def asked(session: Session, *, order_id: int | None = None) -> list[Asked]:
    """List what is still to be made, oldest first; of one order, or of all."""
    found = (
        select(Refund, Order)
        .join(Order, Order.id == Refund.order_id)
        .where(Refund.state == RefundState.ASKED)
        .order_by(Refund.id)
    )
    if order_id is not None:
        found = found.where(Refund.order_id == order_id)
    return [_plain(refund, order) for refund, order in session.execute(found)]


def _plain(refund: Refund, order: Order) -> Asked:
    amount = Money(refund.amount_minor, refund.currency)
    return Asked(
        refund.id,
        order.number,
        order.provider,
        order.session_id,
        RefundRequest(refund.key, amount, refund.reason),
        refund.keep_access,
        refund.asked_at,
    )


def made(session: Session, refund_id: int, object_id: str) -> None:
    """Note that the provider has taken a refund on. Safe to repeat."""
    _end(session, refund_id, RefundState.MADE, object_id=object_id)


def refuse(session: Session, refund_id: int, error: str) -> None:
    """Note that a refund will not be made. Safe to repeat."""
    _end(session, refund_id, RefundState.REFUSED, error=error)


def _end(
    session: Session, refund_id: int, state: RefundState, **values: object
) -> None:
    rows_changed(
        session,
        update(Refund)
        .where(Refund.id == refund_id, Refund.state == RefundState.ASKED)
        .values(state=state, **values),
    )


def grants(session: Session, order: Order, facts: list[Fact]) -> list[Fact]:
    """Give the grants that let a buyer keep the files of refunds meant so.

    Each bears the time of its refund, so that a later one closes the files again. The
    refund may be heard of before whoever asked has learnt its name: then its amount says
    which one it is.
    """
    kept = session.scalars(
        select(Refund).where(
            Refund.order_id == order.id,
            Refund.keep_access,
            Refund.state != RefundState.REFUSED,
        )
    ).all()
    return [
        Fact(
            FactKind.MANUAL_GRANT,
            f"kept:{fact.object_id}",
            Money(0, order.currency),
            fact.at,
        )
        for fact in facts
        if fact.kind is FactKind.REFUND and any(_is(each, fact) for each in kept)
    ]


def _is(refund: Refund, fact: Fact) -> bool:
    if refund.object_id:
        return refund.object_id == fact.object_id
    return refund.amount_minor == fact.amount.minor
