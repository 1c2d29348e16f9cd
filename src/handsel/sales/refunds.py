"""Refunds the seller asks for: written down first, then made, once.

The money itself is in the ledger, however it went back: by a command here or in the
provider's own panel.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models import Order, Refund
from handsel.models.database import rows_changed
from handsel.models.words import FactKind, RefundReason, RefundState
from handsel.sales.balance import kept
from handsel.sales.payments.base import Fact, RefundRequest

FORGOTTEN = timedelta(hours=20)
"""How long a refund may be asked for anew: providers know its key for a day."""


@dataclass(frozen=True)
class Asked:
    """A refund that was written down, as plain facts that outlive the transaction."""

    id: int
    number: str
    provider: str
    session_id: str
    wanted: RefundRequest
    keep_access: bool
    state: RefundState
    answered: bool
    asked_at: datetime
    error: str

    def is_fresh(self, now: datetime) -> bool:
        """Say whether the provider still knows its key; a wrong clock says no."""
        return abs(now - self.asked_at) <= FORGOTTEN


def underway(session: Session, order: Order, facts: Iterable[Fact]) -> int:
    """Sum up what a provider has taken on and not let go yet, in minor units.

    Some refunds are on their way for days: until one is a fact, nobody else may have it.
    """
    known = {fact.object_id for fact in facts if fact.kind is FactKind.REFUND}
    return sum(
        row.amount_minor
        for row in _rows(session, order)
        if row.state is RefundState.MADE and row.object_id not in known
    )


def _rows(session: Session, order: Order) -> Sequence[Refund]:
    return session.scalars(
        select(Refund).where(Refund.order_id == order.id).order_by(Refund.id)
    ).all()


def ask(
    session: Session,
    order: Order,
    wanted: RefundRequest,
    now: datetime,
    *,
    keep_access: bool,
) -> Asked:
    """Write down that an amount is to go back; `check` it before.

    Raises ConflictError while another refund of this order is being made.
    """
    last = latest(session, order)
    if last and last.state is RefundState.ASKED:
        raise ConflictError(
            f"Another refund of order {order.number} is being made at this moment.",
            "Wait a minute, and look: handsel order show " + order.number,
        )
    row = Refund(
        order_id=order.id,
        key=wanted.key,
        amount_minor=wanted.amount.minor,
        currency=wanted.amount.currency,
        reason=wanted.reason,
        keep_access=keep_access,
        state=RefundState.ASKED,
        asked_at=now,
        tries=0,
        answered=False,
    )
    session.add(row)
    session.flush()
    return _plain(row, order)


def request(amount: Money, reason: RefundReason) -> RefundRequest:
    """Give what a provider is asked, with a key of its own."""
    return RefundRequest(secrets.token_hex(32), amount, reason)


def asked(session: Session) -> list[Asked]:
    """List what is still to be made, of all orders, oldest first."""
    found = session.execute(
        select(Refund, Order)
        .join(Order, Order.id == Refund.order_id)
        .where(Refund.state == RefundState.ASKED)
        .order_by(Refund.id)
    )
    return [_plain(refund, order) for refund, order in found]


def latest(session: Session, order: Order) -> Asked | None:
    """Give what was asked for last; only that can be unfinished."""
    rows = _rows(session, order)
    return _plain(rows[-1], order) if rows else None


def by_id(session: Session, refund_id: int) -> Asked:
    """Give what was written down, as it stands now."""
    row = session.get_one(Refund, refund_id)
    return _plain(row, session.get_one(Order, row.order_id))


def _plain(refund: Refund, order: Order) -> Asked:
    amount = Money(refund.amount_minor, refund.currency)
    return Asked(
        refund.id,
        order.number,
        order.provider,
        order.session_id,
        RefundRequest(refund.key, amount, refund.reason),
        refund.keep_access,
        refund.state,
        refund.answered,
        refund.asked_at,
        refund.error or "",
    )


def begin(session: Session, refund_id: int) -> int:
    """Count a call to the provider before it is made; give which one it is.

    0 when the refund has ended in the meantime.
    """
    won = rows_changed(
        session,
        update(Refund)
        .where(Refund.id == refund_id, Refund.state == RefundState.ASKED)
        .values(tries=Refund.tries + 1),
    )
    return session.get_one(Refund, refund_id).tries if won else 0


def made(session: Session, refund_id: int, object_id: str) -> bool:
    """Note that the provider has taken a refund on, whatever was thought before.

    Safe to repeat; say whether it was news.
    """
    return bool(
        rows_changed(
            session,
            update(Refund)
            .where(Refund.id == refund_id, Refund.state != RefundState.MADE)
            .values(state=RefundState.MADE, object_id=object_id, error=None),
        )
    )


def refuse(session: Session, refund_id: int, error: str, *, tries: int | None) -> bool:
    """Note that no money went; say whether that was news.

    `tries`: only if the provider was asked so often; another call may have been taken on.
    """
    end = update(Refund).where(
        Refund.id == refund_id, Refund.state == RefundState.ASKED
    )
    if tries is not None:
        end = end.where(Refund.tries == tries)
    values = end.values(state=RefundState.REFUSED, error=error)
    return bool(rows_changed(session, values))


def give_up(session: Session, refund_id: int, error: str) -> bool:
    """Ask no more: nobody knows whether the money went; say whether that was news."""
    return bool(
        rows_changed(
            session,
            update(Refund)
            .where(Refund.id == refund_id, Refund.state == RefundState.ASKED)
            .values(state=RefundState.UNKNOWN, error=error),
        )
    )


def answer(session: Session, refund_id: int) -> None:
    """Note that whoever asked has been told that it is made."""
    rows_changed(
        session,
        update(Refund).where(Refund.id == refund_id).values(answered=True),
    )


def recognise(session: Session, order: Order, facts: Iterable[Fact]) -> list[Fact]:
    """Find our own refunds among what a provider says, and note that they are made.

    By our key, or by the name the provider gave; never by the amount, which a refund in
    the provider's panel may share. Gives the facts that leave the files open. Safe to
    repeat.
    """
    heard = [fact for fact in facts if fact.kind is FactKind.REFUND]
    rows = _rows(session, order) if heard else ()
    by_key = {row.key: row for row in rows}
    for fact in heard:
        if fact.key in by_key:
            made(session, by_key[fact.key].id, fact.object_id)
    return [
        kept(fact)
        for fact in heard
        for row in rows
        if row.keep_access and (row.key == fact.key or row.object_id == fact.object_id)
    ]


def has_gone(session: Session, refund_id: int, facts: Iterable[Fact]) -> bool:
    """Say whether the money of a refund has left, as far as the ledger knows."""
    name = session.get_one(Refund, refund_id).object_id
    return any((fact.kind, fact.object_id) == (FactKind.REFUND, name) for fact in facts)


def asked_here(session: Session, order: Order, object_id: str) -> Asked | None:
    """Give the refund a provider calls so, if it was asked for here."""
    row = session.scalars(
        select(Refund).where(Refund.order_id == order.id, Refund.object_id == object_id)
    ).one_or_none()
    return _plain(row, order) if row else None


def facts(session: Session, order: Order) -> list[dict[str, Any]]:
    """Give the refunds of an order as `order show --json` does, oldest first."""
    return [
        {
            "state": str(row.state),
            "amount_minor": row.amount_minor,
            "currency": row.currency,
            "reason": str(row.reason),
            "keep_access": row.keep_access,
            "asked_at": row.asked_at.isoformat(),
            "object_id": row.object_id,
            "error": row.error,
        }
        for row in _rows(session, order)
    ]
