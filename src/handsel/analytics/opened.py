"""Which mails to everyone have led their readers to the page of their purchase."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.models import Campaign, Entitlement, Order, Recipient
from handsel.models.database import rows_changed


def note(session: Session, order_id: int, at: datetime) -> int:
    """Note that a purchase was looked at, for what its buyer was mailed before.

    For each mail the first time counts. Gives how many mails it was news for.
    """
    about = (
        select(Campaign.id)
        .join(Entitlement, Entitlement.product_id == Campaign.product_id)
        .where(Entitlement.order_id == order_id)
    )
    buyer = select(Order.customer_id).where(Order.id == order_id)
    return rows_changed(
        session,
        update(Recipient)
        .where(
            Recipient.campaign_id.in_(about),
            Recipient.customer_id == buyer.scalar_subquery(),
            Recipient.sent_at <= at,
            Recipient.opened_at.is_(None),
        )
        .values(opened_at=at),
    )
