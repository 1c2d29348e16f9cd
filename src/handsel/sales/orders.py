"""The life of an order: facts come in, everything else is computed from them.

`record` is the one way in, for web hook, return page, reconciler and command alike. It
may be called any number of times, in any order, by several at once.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from handsel.delivery import fulfilment
from handsel.kit.errors import ConflictError, NotFoundError
from handsel.kit.money import Money, format_money
from handsel.kit.signing import Keys
from handsel.models import LedgerEntry, Order
from handsel.models.database import insert_new
from handsel.models.orders import FIRST_NUMBER
from handsel.models.words import FactKind, PaymentState
from handsel.outbound import emails
from handsel.outbound.webhooks import events
from handsel.sales import (
    blocks,
    brake,
    payouts,
    rebuilding,
    refunds,
    reservations,
    telling,
)
from handsel.sales.payments.base import Fact, Payment
from handsel.sales.standing import Standing, sum_up

MOST_EMAIL = 254
"""Letters of the longest address mail can go to (RFC 5321, 4.5.3.1.3)."""

_COUNTRY = re.compile("[A-Z]{2}")

_PROGRESS = {
    PaymentState.OPEN: 0,
    PaymentState.PROCESSING: 1,
    PaymentState.FAILED: 2,
    PaymentState.EXPIRED: 2,
    PaymentState.COMPLETE: 3,
}


def record(
    session: Session, keys: Keys, provider: str, payment: Payment, now: datetime
) -> Order:
    """Add what a provider says of a payment, and bring the order in line with it.

    If the database has forgotten the order, for instance after restoring an old backup,
    it is rebuilt from what the provider kept for us; its link is the same as before.

    Raises NotOurSessionError, ForgottenProductError.
    """
    order = _find(session, provider, payment.session_id)
    if order is None:
        rebuilding.rebuild(session, keys, provider, payment, now)
        order = _find(session, provider, payment.session_id)
        assert order
    # Nothing below reads the order from the database: it is written once, at the end.
    with session.no_autoflush:
        _note_progress(order, payment)
        news = _add_facts(session, order, payment.facts, now)
        kept = refunds.recognise(session, order, payment.facts)
        _add_facts(session, order, kept, now)
        _doubt(session, keys, order, payment)
        payouts.note_lines(session, provider, payment.test, payment.lines)
        settle(session, order, now)
        telling.tell(session, order, news, now)
        events.money_moved(session, order, news, now)
    if payment.declined:
        brake.note(session, order, payment.declined, now)
    return order


def is_further(state: PaymentState, *, than: PaymentState) -> bool:
    """Say whether a payment session in a state has come further than another's."""
    return _PROGRESS[state] > _PROGRESS[than]


def forgotten(
    session: Session, provider: str, session_id: str, now: datetime
) -> Order | None:
    """End an open order whose provider has forgotten it, as some do with those unpaid.

    None while its time is not over: then nobody knows why it is unknown.
    """
    order = _find(session, provider, session_id)
    if order is None or now < order.expires_at:
        return None
    if is_further(PaymentState.EXPIRED, than=order.session_state):
        order.session_state = PaymentState.EXPIRED
        settle(session, order, now)
    return order


def add_fact(session: Session, order: Order, fact: Fact, now: datetime) -> None:
    """Add one fact of our own, for instance a gift, and bring the order in line."""
    news = _add_facts(session, order, [fact], now)
    settle(session, order, now)
    events.money_moved(session, order, news, now)


def refund_made(
    session: Session, number: str, refund_id: int, object_id: str, now: datetime
) -> None:
    """Note that the provider has taken a refund on, which it calls `object_id`.

    Its fact may have been heard of before: then this says whether it closes the files.
    """
    order = by_number(session, number, to_change=True)
    refunds.made(session, refund_id, object_id)
    kept = refunds.recognise(session, order, facts_of(session, order))
    if _add_facts(session, order, kept, now):
        settle(session, order, now)


def accept(session: Session, order: Order, now: datetime) -> None:
    """Deliver an order that was held back for a look; the seller has looked.

    Raises ConflictError when nothing holds it back, or its money is not there any more.
    """
    if order.review_reason is None:
        raise ConflictError(
            f"Order {order.number} is not waiting for anybody.",
            f"`handsel order show {order.number}` says how it stands.",
        )
    if not sum_up(facts_of(session, order), order.session_state).access:
        raise ConflictError(
            f"The money of order {order.number} has gone back, or is disputed.",
            f"`handsel order show {order.number}` has all that is known of its money.",
        )
    order.review_reason = None
    nothing = Money(0, order.currency)
    name = f"accepted:{order.public_id}"
    add_fact(session, order, Fact(FactKind.MANUAL_GRANT, name, nothing, now), now)


def settle(session: Session, order: Order, now: datetime) -> Standing:
    """Compute the order anew from its ledger, and deliver. Safe to repeat."""
    review = order.review_reason is not None
    facts = facts_of(session, order)
    standing = sum_up(facts, order.session_state, needs_review=review)
    order.status = standing.status
    order.refunded_minor = standing.refunded
    order.paid_at = standing.paid_at
    if review:
        fulfilment.hold(session, order, now)
        emails.review(session, order, now)
    elif standing.paid_at is not None:
        fulfilment.fulfil(session, order, access=standing.access, now=now)
    reservations.follow(session, order, now)
    session.flush()
    return standing


def facts_of(session: Session, order: Order) -> list[Fact]:
    """Give everything the ledger says of an order."""
    rows = session.scalars(
        select(LedgerEntry).where(LedgerEntry.order_id == order.id)
    ).all()
    return [
        Fact(row.kind, row.object_id, Money(row.amount_minor, row.currency), row.at)
        for row in rows
    ]


def refunded(session: Session, order: Order) -> Money:
    """Give what went back, in the currency it was paid in: the price may be in another."""
    moved = select(LedgerEntry.currency).where(
        LedgerEntry.order_id == order.id, LedgerEntry.kind == FactKind.REFUND
    )
    known = session.scalar(moved.limit(1)) if order.refunded_minor else None
    return Money(order.refunded_minor, known or order.currency)


def heard_at(session: Session, order: Order) -> datetime | None:
    """Say when we first heard of an order's money, which may have been days on its way.

    None while we have heard of none.
    """
    return session.scalar(
        select(func.min(LedgerEntry.recorded_at)).where(
            LedgerEntry.order_id == order.id,
            LedgerEntry.kind.in_((FactKind.CAPTURE, FactKind.MANUAL_GRANT)),
        )
    )


def _find(session: Session, provider: str, session_id: str) -> Order | None:
    """Give the order and keep other writers off it until this transaction ends."""
    return session.scalars(
        select(Order)
        .where(Order.provider == provider, Order.session_id == session_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _note_progress(order: Order, payment: Payment) -> None:
    """Keep the furthest state heard of: an answer may be older than what we know."""
    if _PROGRESS[payment.state] >= _PROGRESS[order.session_state]:
        order.session_state = payment.state
    if order.erased_at is None:
        if payment.email and len(payment.email) <= MOST_EMAIL:
            order.email = order.email or payment.email
        order.card_last4 = payment.card_last4 or order.card_last4
    order.country = _country(payment.country) or order.country
    order.card_country = _country(payment.card_country) or order.card_country
    if payment.tax is not None and payment.tax.currency == order.currency:
        order.tax_minor = payment.tax.minor
    order.statement_text = payment.statement_text or order.statement_text


def _country(said: str | None) -> str | None:
    return said if said and _COUNTRY.fullmatch(said) else None


def _add_facts(
    session: Session, order: Order, facts: Iterable[Fact], now: datetime
) -> list[Fact]:
    """Write facts into the ledger; give those that were not there before."""
    return [
        fact
        for fact in facts
        if insert_new(
            session,
            LedgerEntry,
            order_id=order.id,
            provider=order.provider,
            kind=fact.kind,
            object_id=fact.object_id,
            amount_minor=fact.amount.minor,
            currency=fact.amount.currency,
            at=fact.at,
            recorded_at=now,
        )
    ]


def _doubt(session: Session, keys: Keys, order: Order, payment: Payment) -> None:
    """Hold an order back when the money heard of is not the money agreed on, or came from
    somebody who is not sold to.

    When all of it has gone back there is nothing left to look at.
    """
    agreed = Money(order.price_minor, order.currency)
    captures = [f.amount for f in payment.facts if f.kind is FactKind.CAPTURE]
    facts = facts_of(session, order)
    known = {fact.kind for fact in facts}
    if not captures or FactKind.MANUAL_GRANT in known:  # the seller has looked
        return
    if _is_refunded(order, facts):
        order.review_reason = None
    elif payment.doubt:
        order.review_reason = payment.doubt
    elif payment.test != order.test:
        order.review_reason = "A test payment and a real order were mixed up."
    elif any(each.currency != agreed.currency for each in captures) or (
        sum(each.minor for each in captures) != agreed.minor
    ):
        paid = ", ".join(format_money(each, "en") for each in captures)
        order.review_reason = (
            f"The price was {format_money(agreed, 'en')}, but {paid} was paid."
        )
    elif order.paid_at is None and _is_unwelcome(session, keys, order):
        order.review_reason = blocks.HELD


def _is_unwelcome(session: Session, keys: Keys, order: Order) -> bool:
    return bool(order.email) and blocks.is_blocked(session, keys, order.email or "")


def _is_refunded(order: Order, facts: list[Fact]) -> bool:
    standing = sum_up(facts, order.session_state)
    moved = (FactKind.CAPTURE, FactKind.REFUND)
    currencies = {fact.amount.currency for fact in facts if fact.kind in moved}
    return len(currencies) == 1 and standing.refunded >= standing.captured > 0


def by_number(session: Session, number: str, *, to_change: bool = False) -> Order:
    """Give the order people call `H-1042`; `1042` will do. Raises NotFoundError.

    `to_change`: keep other writers off it until this transaction ends.
    """
    digits = number.strip().upper().removeprefix("H-")
    found = re.fullmatch(r"[0-9]{1,9}", digits)
    row = int(digits) - FIRST_NUMBER + 1 if found else 0
    order = session.get(
        Order,
        row,
        options=[joinedload(Order.product)],
        with_for_update={"of": Order} if to_change else None,
    )
    if order is None:
        raise NotFoundError(
            f"There is no order {number}.", "`handsel order list` shows them all."
        )
    return order


def by_public_id(session: Session, wanted: str) -> Order | None:
    """Give the order with this public id, with its product, or None."""
    return session.scalars(
        select(Order)
        .where(Order.public_id == wanted)
        .options(joinedload(Order.product))
    ).one_or_none()
