"""The names behind the numbers: who is to get a mail to everyone, who got it, who not.

Listed by pages, each from the one after the last of the page before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.models import Order, Recipient
from handsel.models.orders import order_number
from handsel.models.words import RecipientState
from handsel.outbound import audience
from handsel.outbound.audience import Audience


@dataclass(frozen=True)
class Name:
    """One address, by the purchase that the mail is about.

    Args:
        mark: what the next page begins after.
        email: empty for a buyer who was erased.
        why: the reason of who gets none; what the mail server said of who failed.
    """

    mark: int
    email: str
    number: str
    why: str = ""
    state: RecipientState | None = None
    sent_at: datetime | None = None
    opened_at: datetime | None = None


def asked(
    session: Session, wanted: Audience, reason: str, *, after: int = 0, most: int
) -> list[Name]:
    """List who would get a mail; with a reason, who would not because of it."""
    buyers = audience.buyers(wanted, after=after).subquery()
    why = buyers.c.reason == reason if reason else buyers.c.reason.is_(None)
    rows = session.execute(
        select(buyers.c.customer_id, buyers.c.order_id, Order.email)
        .join(Order, Order.id == buyers.c.order_id)
        .where(why)
        .order_by(buyers.c.customer_id)
        .limit(most)
    )
    return [
        Name(row.customer_id, row.email or "", order_number(row.order_id), reason)
        for row in rows
    ]


def written(
    session: Session,
    campaign_id: int,
    states: Sequence[RecipientState],
    reason: str = "",
    *,
    after: int = 0,
    most: int,
) -> list[Name]:
    """List those who were written down for a mail and are in one of these states."""
    query = (
        select(Recipient, Order.email)
        .join(Order, Order.id == Recipient.order_id)
        .where(
            Recipient.campaign_id == campaign_id,
            Recipient.state.in_(states),
            Recipient.id > after,
        )
        .order_by(Recipient.id)
        .limit(most)
    )
    if reason:
        query = query.where(Recipient.reason == reason)
    return [_name(one, email) for one, email in session.execute(query)]


def _name(one: Recipient, email: str | None) -> Name:
    return Name(
        one.id,
        email or "",
        order_number(one.order_id),
        one.reason or one.last_error or "",
        one.state,
        one.sent_at,
        one.opened_at,
    )
