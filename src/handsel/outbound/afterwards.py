"""What has come of a mail to everyone: who has opened its link, and has the new files."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.models import (
    Allowance,
    Campaign,
    Entitlement,
    Order,
    Recipient,
    ReleaseFile,
)
from handsel.models.words import RecipientState


def opened(session: Session, campaign_id: int) -> int:
    """Count those who have looked at the page behind the link after their mail went.

    As far as they may be counted: `analytics.opened` notes them.
    """
    found = select(func.count()).where(
        Recipient.campaign_id == campaign_id, Recipient.opened_at.is_not(None)
    )
    return session.scalar(found) or 0


def downloaded(session: Session, campaign: Campaign) -> int | None:
    """Count those who got the mail and have taken a new file; None where none is new.

    As downloads are counted: at least half of it has arrived.
    """
    if campaign.release_id is None:
        return None
    files = select(ReleaseFile.id).where(ReleaseFile.release_id == campaign.release_id)
    found = (
        select(func.count(Recipient.id.distinct()))
        .select_from(Allowance)
        .join(Entitlement, Entitlement.id == Allowance.entitlement_id)
        .join(Order, Order.id == Entitlement.order_id)
        .join(Recipient, Recipient.customer_id == Order.customer_id)
        .where(
            Allowance.file_id.in_(files),
            Allowance.taken > 0,
            Recipient.campaign_id == campaign.id,
            Recipient.state == RecipientState.SENT,
        )
    )
    return session.scalar(found) or 0
