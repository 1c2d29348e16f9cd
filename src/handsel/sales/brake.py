"""The brake of a product: on while somebody tries stolen cards with it.

Whoever does that makes many tries of which banks decline nearly all; honest buyers make
few, and most of them are paid. Only declines are written down for it, paid orders are
known anyway, so that a sale costs nothing more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from handsel.kit.money import Money
from handsel.kit.signing import Keys
from handsel.models import Brake, Decline, Order, Product
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import PaymentState
from handsel.outbound import emails
from handsel.sales import rebuilding
from handsel.sales.payments.base import Declined

LENGTH = timedelta(minutes=15)
"""How long the brake stays on after the last decline that it is about."""
TRIES = 50
"""How many of the last tries are looked at."""
SPAN = timedelta(hours=1)
"""How old the oldest of them may be."""
MOST_PERCENT = 60
"""The brake comes on when more of them than this were declined,"""
LEAST = 20
"""and at least so many: a few buyers with a bad day are nobody's attack."""
GOING_ON = 5
"""So many declines within LENGTH are still the attack; fewer are honest buyers."""
MOST_HERE = 5
"""So often may a card be declined in one payment while the brake is on."""
KEPT = timedelta(hours=6)
"""How long declines are kept: there may be hundreds of thousands in a day."""


@dataclass(frozen=True)
class Tries:
    """What became of the last tries to pay for a product."""

    declined: int
    all: int

    @property
    def many_declined(self) -> bool:
        """Whether so many were declined that it is no chance."""
        too_many = self.declined * 100 > MOST_PERCENT * self.all
        return self.declined >= LEAST and too_many


def note(
    session: Session, order: Order, declined: Iterable[Declined], now: datetime
) -> None:
    """Write down declined tries of an order. Safe to repeat."""
    for each in declined:
        _note(session, order.provider, each, order.product_id, order.id, now)


def note_told(
    session: Session, keys: Keys, provider: str, told: Declined, now: datetime
) -> bool:
    """Write down a try that a message is about; say whether it was for our shop.

    Without asking the provider: there may be hundreds of them in a minute, and nothing
    but the brake hangs on it.
    """
    if not _is_ours(keys, told.reference):
        return False
    known = Product.slug == told.reference["product"]
    product_id = session.scalar(select(Product.id).where(known))
    if product_id is None:
        return False
    mine = Order.checkout_key == told.purchase
    order_id = session.scalar(select(Order.id).where(mine)) if told.purchase else None
    _note(session, provider, told, product_id, order_id, now)
    return True


def _is_ours(keys: Keys, reference: Mapping[str, str]) -> bool:
    """Say whether our shop wrote this into a payment."""
    try:
        price = Money(int(reference["price"]), reference["currency"])
    except (KeyError, ValueError):
        return False
    slug = reference.get("product", "")
    return reference.get("shop") == rebuilding.offer_mark(keys, slug, price)


def _note(
    session: Session,
    provider: str,
    declined: Declined,
    product_id: int,
    order_id: int | None,
    now: datetime,
) -> None:
    if declined.at <= now - SPAN:  # it came late, and tells nothing any more
        return
    if insert_new(
        session,
        Decline,
        provider=provider,
        object_id=declined.object_id[:255],
        product_id=product_id,
        order_id=order_id,
        at=min(declined.at, now),
    ):
        _judge(session, product_id, now)


def _judge(session: Session, product_id: int, now: datetime) -> None:
    """Put the brake on, or keep it on, if this is an attack."""
    last = session.get(Brake, product_id, populate_existing=True)
    since = now - SPAN
    if last and last.until <= now:  # what an earlier brake was about is over
        since = max(since, last.until)
    found = tries(session, product_id, since)
    mine = Decline.product_id == product_id
    lately = _newest(session, Decline.at, mine, now - LENGTH)
    if not found.many_declined or len(lately) < GOING_ON:
        return
    insert_new(session, Brake, product_id=product_id, since=now, until=now)
    change = update(Brake).where(Brake.product_id == product_id)
    on = change.where(Brake.until <= now).values(since=now, until=now + LENGTH)
    if rows_changed(session, on):
        emails.brake_on(session, product_id, found.declined, found.all, now)
        return
    # Not with every decline: there may be many in a second.
    soon_over = Brake.until < now + LENGTH - timedelta(minutes=1)
    rows_changed(session, change.where(soon_over).values(until=now + LENGTH))


def tries(session: Session, product_id: int, since: datetime) -> Tries:
    """Say what became of the last tries to pay for a product since then."""
    declined = _newest(session, Decline.at, Decline.product_id == product_id, since)
    paid = _newest(
        session,
        Order.paid_at,
        (Order.product_id == product_id) & (Order.price_minor > 0),
        since,
    )
    last = sorted(
        [(at, 1) for at in declined] + [(at, 0) for at in paid], reverse=True
    )[:TRIES]
    return Tries(sum(bad for _, bad in last), len(last))


def _newest(
    session: Session,
    at: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    mine: ColumnElement[bool],
    since: datetime,
) -> list[datetime]:
    rows = select(at).where(mine, at > since).order_by(at.desc()).limit(TRIES)
    return [moment for moment in session.scalars(rows) if moment]


def is_on(session: Session, product_id: int, now: datetime) -> bool:
    """Say whether whoever wants to buy this is asked to open a mail first."""
    on = select(Brake.product_id).where(
        Brake.product_id == product_id, Brake.until > now
    )
    return session.scalar(on) is not None


def much_tried(session: Session, now: datetime, *, most: int) -> Sequence[Order]:
    """Give open payments in which cards are tried one after the other.

    They were begun before the brake came on, or by somebody who has a mailbox.
    """
    if session.scalar(select(Brake.product_id).where(Brake.until > now)) is None:
        return ()
    often = (
        select(Decline.order_id)
        .where(Decline.at > now - SPAN)
        .group_by(Decline.order_id)
        .having(func.count() >= MOST_HERE)
    )
    return session.scalars(
        select(Order)
        .join(Brake, Brake.product_id == Order.product_id)
        .where(
            Brake.until > now,
            Order.session_state == PaymentState.OPEN,
            Order.id.in_(often),
        )
        .order_by(Order.id)
        .limit(most)
    ).all()


def new_ones(
    session: Session, provider: str, declined: Sequence[Declined], now: datetime
) -> list[Declined]:
    """Give those tries that are worth writing down."""
    names = [each.object_id for each in declined]
    known = session.scalars(
        select(Decline.object_id).where(
            Decline.provider == provider, Decline.object_id.in_(names)
        )
    ).all()
    return [
        each
        for each in declined
        if each.object_id not in known and each.at > now - SPAN
    ]


def forget(session: Session, now: datetime) -> None:
    """Forget declines that tell nothing any more."""
    session.execute(delete(Decline).where(Decline.at < now - KEPT))
