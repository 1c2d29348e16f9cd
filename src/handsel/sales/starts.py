"""Payments that were begun, by whom: so that nobody begins very many and pays none.

Counted are those that were not paid: a class whose thirty buy through one address is not
stopped for long, and somebody who tries cards is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from handsel.models import Order, PaymentStart, RateCounter
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import PaymentState

MOST_UNPAID = 10
"""So many payments one visitor may begin within SPAN without paying any."""
SPAN = timedelta(minutes=10)
MOST_OPEN = 3
"""So many payments one browser may have open at a time."""
KEPT = timedelta(days=1)
_DAY = 24 * 3600


@dataclass(frozen=True)
class Who:
    """Who begins a payment, by names that say nothing to whoever reads them.

    Args:
        visitor: the address; None for this machine itself, which is not counted.
        browser: None without a cookie.
    """

    visitor: str | None
    browser: str | None


def is_known(session: Session, purchase: str) -> bool:
    """Say whether this press on Buy has been let in before."""
    mine = select(PaymentStart.purchase).where(PaymentStart.purchase == purchase)
    return session.scalar(mine) is not None


def too_many(session: Session, who: Who, now: datetime) -> bool:
    """Say whether this visitor has begun too many payments lately and paid none of them.

    Everybody else who begins one from there waits until this transaction is over, so
    that what is counted holds.
    """
    if who.visitor is None:
        return False
    _queue_up(session, who.visitor, now)
    paid = select(Order.id).where(
        Order.checkout_key == PaymentStart.purchase, Order.paid_at.is_not(None)
    )
    unpaid = session.scalar(
        select(func.count())
        .select_from(PaymentStart)
        .where(
            PaymentStart.visitor == who.visitor,
            PaymentStart.at > now - SPAN,
            PaymentStart.proven.is_(False),
            ~paid.exists(),
        )
    )
    return (unpaid or 0) >= MOST_UNPAID


def _queue_up(session: Session, visitor: str, now: datetime) -> None:
    """Lock the visitor's own row; SQLite has one writer anyway."""
    second = int(now.timestamp())
    row = {"bucket": f"starts:{visitor}", "window": second - second % _DAY}
    insert_new(session, RateCounter, **row, hits=0)
    mine = update(RateCounter).filter_by(**row)
    rows_changed(session, mine.values(hits=RateCounter.hits + 1))


def add(
    session: Session, purchase: str, who: Who, now: datetime, *, proven: bool
) -> None:
    """Write down that a payment begins. Safe to repeat."""
    insert_new(
        session,
        PaymentStart,
        purchase=purchase,
        visitor=who.visitor,
        browser=who.browser,
        proven=proven,
        at=now,
    )


def is_proven(session: Session, order: Order) -> bool:
    """Say whether the buyer of an order had opened a mail before they began it."""
    mine = PaymentStart.purchase == order.checkout_key
    return bool(session.scalar(select(PaymentStart.proven).where(mine)))


def open_payments(session: Session, browser: str, now: datetime) -> Sequence[Order]:
    """Give what a browser has begun and not paid, the oldest first."""
    return session.scalars(
        select(Order)
        .join(PaymentStart, PaymentStart.purchase == Order.checkout_key)
        .where(
            PaymentStart.browser == browser,
            Order.session_state == PaymentState.OPEN,
            Order.expires_at > now,
        )
        .order_by(Order.id)
    ).all()


def forget(session: Session, now: datetime) -> None:
    """Forget who began what, when it tells nothing any more."""
    session.execute(delete(PaymentStart).where(PaymentStart.at < now - KEPT))
