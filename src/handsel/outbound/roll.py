"""The names behind the numbers: who is to get a mail to everyone, who got it, who not.

Listed by pages, each from the one after the last of the page before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.models import Customer, Order, Recipient
from handsel.models.orders import order_number
from handsel.models.words import RecipientState
from handsel.outbound import audience
from handsel.outbound.audience import Audience

STEP = 4
"""Among how many times as many buyers as a page has names it is looked at first."""


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
    """List who would get a mail; with a reason, who would not because of it.

    Looked for among a few at first, then among more and more: to sort all of a hundred
    thousand for one page takes long.
    """
    found: list[Name] = []
    last = session.scalar(select(func.max(Customer.id))) or 0
    width = STEP * most
    while after < last and len(found) < most:
        among = (after, after + width)
        left = most - len(found)
        found += _asked_among(session, wanted, reason, among, most=left)
        after, width = after + width, 4 * width
    return found


def _asked_among(
    session: Session,
    wanted: Audience,
    reason: str,
    among: tuple[int, int],
    *,
    most: int,
) -> list[Name]:
    buyers = audience.buyers(wanted, among=among).subquery()
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
