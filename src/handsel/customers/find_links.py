"""The log-in of somebody without an account: a mailed link, for 30 minutes, once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from handsel.customers import customers
from handsel.kit.errors import NotFoundError
from handsel.models import Customer, FindLink, Order
from handsel.models.database import rows_changed
from handsel.outbound import emails

MINUTES = 30
PURPOSE = "find"
"""What the link's signature is for."""


class FindLinkSpentError(NotFoundError):
    """This link was used already, or its time is over."""

    status = 410


def send(session: Session, email: str, now: datetime) -> None:
    """Mail a link to this address if it has bought something; else do nothing."""
    customer = customers.find(session, email)
    if customer is None or not _purchases(session, customer.id):
        return
    link = FindLink(
        customer_id=customer.id, expires_at=now + timedelta(minutes=MINUTES)
    )
    session.add(link)
    session.flush()
    emails.find_link(session, customer.email, link.id, now)


def spend(session: Session, link_id: int, now: datetime) -> tuple[str, Sequence[Order]]:
    """Use a link up, and give its customer's address and purchases, newest first.

    Raises FindLinkSpentError.
    """
    won = rows_changed(
        session,
        update(FindLink)
        .where(
            FindLink.id == link_id,
            FindLink.used_at.is_(None),
            FindLink.expires_at > now,
        )
        .values(used_at=now),
    )
    if not won:
        raise FindLinkSpentError(
            "This link has been used, or its half hour is over.", "Ask for a new one."
        )
    customer = session.scalars(
        select(Customer).join(FindLink).where(FindLink.id == link_id)
    ).one()
    return customer.email, _purchases(session, customer.id)


def _purchases(session: Session, customer_id: int) -> Sequence[Order]:
    return session.scalars(
        select(Order)
        .where(Order.customer_id == customer_id, Order.paid_at.is_not(None))
        .options(joinedload(Order.product))
        .order_by(Order.id.desc())
    ).all()
