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


@dataclass(frozen=True)
class Balance:
    """What was paid for an order, what has gone back of it, and what is on its way."""

    paid: Money
    refunded: Money
    underway: Money

    @property
    def left(self) -> Money:
        """What can still go back."""
        gone = self.refunded.minor + self.underway.minor
        return Money(max(self.paid.minor - gone, 0), self.paid.currency)


def balance(session: Session, order: Order, facts: Iterable[Fact]) -> Balance:
    """Sum the money of an order up, in the currency that was paid.

    A provider may have taken a refund on and let it go days later: until it is a fact, it
    is on its way. Raises ConflictError for payments in several currencies.
    """
    facts = list(facts)
    currency = _currency(order, facts)
    standing = sum_up(facts, order.session_state)
    known = {fact.object_id for fact in facts if fact.kind is FactKind.REFUND}
    underway = sum(
        row.amount_minor
        for row in _rows(session, order)
        if row.state is RefundState.MADE and row.object_id not in known
    )
    return Balance(
        Money(standing.captured, currency),
        Money(standing.refunded, currency),
        Money(underway, currency),
    )


def _currency(order: Order, facts: list[Fact]) -> str:
    moved = (FactKind.CAPTURE, FactKind.REFUND)
    found = {fact.amount.currency for fact in facts if fact.kind in moved}
    if len(found) > 1:
        raise ConflictError(
            f"Order {order.number} was paid in several currencies: "
            f"{' and '.join(sorted(found))}.",
            "Refund each payment in your provider's dashboard.",
        )
    return found.pop() if found else order.currency


def _rows(session: Session, order: Order) -> Sequence[Refund]:
    return session.scalars(
        select(Refund).where(Refund.order_id == order.id).order_by(Refund.id)
    ).all()


def check(order: Order, there: Balance, amount: Money) -> None:
    """Refuse what cannot be refunded. Raises ConflictError, BadInputError."""
    if not there.paid.minor:
        _refuse_unpaid(order)
    if not there.left.minor:
        raise ConflictError(
            f"{_said(there.underway)} of order {order.number} is on its way already."
            if there.underway.minor
            else f"Order {order.number} was refunded already.",
            f"`handsel order show {order.number}` has all that is known of its money.",
        )
    if not 0 < amount.minor <= there.left.minor:
        going = there.underway
        raise BadInputError(
            f"{_said(amount)} cannot be refunded of order {order.number}.",
            f"Choose an amount up to {_said(there.left)}, or leave --amount out for all "
            f"of it{f'; {_said(going)} is on its way already' if going.minor else ''}.",
            field="amount",
        )


def _refuse_unpaid(order: Order) -> None:
    if order.paid_at is not None and not order.price_minor:
        raise ConflictError(
            f"Order {order.number} was free: there is no money to give back."
        )
    raise ConflictError(
        f"Order {order.number} has not been paid.",
        f"`handsel order show {order.number}` has all that is known of its money.",
    )


def _said(money: Money) -> str:
    return format_money(money, "en")


def opens_after(
    order: Order, facts: Iterable[Fact], amount: Money, *, keep_access: bool
) -> bool:
    """Say whether the files are open when an amount has gone back."""
    if order.review_reason is not None:
        return False
    at = max((fact.at for fact in facts), default=order.created_at)
    name = "to be"
    more = [Fact(FactKind.REFUND, name, amount, at + timedelta(seconds=1))]
    if keep_access:
        more.append(_kept(more[0]))
    return sum_up([*facts, *more], order.session_state).access


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
        _kept(fact)
        for fact in heard
        for row in rows
        if row.keep_access and (row.key == fact.key or row.object_id == fact.object_id)
    ]


def _kept(fact: Fact) -> Fact:
    nothing = Money(0, fact.amount.currency)
    return Fact(FactKind.KEPT, fact.object_id, nothing, fact.at)


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
