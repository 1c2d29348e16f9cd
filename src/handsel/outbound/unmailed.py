"""Who got no mail of a campaign, and why."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.models import Order, Recipient
from handsel.models.words import RecipientState


def failed(
    session: Session, campaign_id: int, *, most: int = 100
) -> list[tuple[str, str]]:
    """List who could not be mailed, with the server's words."""
    rows = session.execute(
        select(Order.email, Recipient.last_error)
        .join(Order, Order.id == Recipient.order_id)
        .where(
            Recipient.campaign_id == campaign_id,
            Recipient.state == RecipientState.FAILED,
        )
        .order_by(Recipient.id)
        .limit(most)
    )
    return [(row.email or "", row.last_error or "") for row in rows]


def skipped(session: Session, campaign_id: int) -> dict[str, int]:
    """Count those who get no mail, for each reason."""
    rows = session.execute(
        select(Recipient.reason, func.count())
        .where(
            Recipient.campaign_id == campaign_id,
            Recipient.state == RecipientState.SKIPPED,
        )
        .group_by(Recipient.reason)
        .order_by(Recipient.reason)
    )
    return {str(reason): number for reason, number in rows}
