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


def spend(session: Session, link_id: int, now: datetime) -> None:
    """Use a link up. Raises FindLinkSpentError."""
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
        raise _spent()


def opened(
    session: Session, link_id: int, now: datetime
) -> tuple[str, Sequence[Order]]:
    """Give the address and the purchases, newest first, behind a link that was spent.

    For whoever spent it, while its time lasts. Raises FindLinkSpentError.
    """
    customer = session.scalars(
        select(Customer)
        .join(FindLink)
        .where(FindLink.id == link_id, FindLink.expires_at > now)
    ).one_or_none()
    if customer is None:
        raise _spent()
    return customer.email, _purchases(session, customer.id)


def _spent() -> FindLinkSpentError:
    return FindLinkSpentError(
        "This link has been used, or its half hour is over.", "Ask for a new one."
    )


def _purchases(session: Session, customer_id: int) -> Sequence[Order]:
    return session.scalars(
        select(Order)
        .where(Order.customer_id == customer_id, Order.paid_at.is_not(None))
        .options(joinedload(Order.product))
        .order_by(Order.id.desc())
    ).all()
