"""What is true of mails: I8 and I12."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from handsel.models import Campaign, OutboxItem, Recipient
from handsel.models.words import CampaignState, OutboxState, RecipientState
from handsel.ops.verify.invariant import EXAMPLES, Invariant, listed, result
from handsel.outbound.leases import LEASE

LONGEST_LEASE = timedelta(minutes=10)
_LEFT = (RecipientState.WAITING, RecipientState.SENDING)


def everyone_accounted_for(session: Session) -> Invariant:
    """I8: a finished mail to everyone has nobody waiting, a sent one says when."""
    return result(
        "I8",
        "Everybody a mail to everyone was for has got it, or it says why not.",
        listed(
            "Finished, though somebody still waits: mails",
            _campaigns(
                session,
                Campaign.state == CampaignState.FINISHED,
                Recipient.state.in_(_LEFT),
            ),
        ),
        listed(
            "Marked as sent, or as not to be sent, without a word: mails",
            _campaigns(
                session,
                or_(
                    (Recipient.state == RecipientState.SENT)
                    & Recipient.sent_at.is_(None),
                    (Recipient.state == RecipientState.SKIPPED)
                    & Recipient.reason.is_(None),
                ),
            ),
        ),
    )


def _campaigns(session: Session, *wrong: ColumnElement[bool]) -> list[str]:
    chosen = (
        select(Campaign.id)
        .join(Recipient, Recipient.campaign_id == Campaign.id)
        .where(*wrong)
        .distinct()
        .limit(EXAMPLES)
    )
    return [str(each) for each in session.scalars(chosen)]


def leases(session: Session, now: datetime) -> Invariant:
    """I12: nothing has been on its way for longer than ten minutes."""
    stuck = session.scalar(
        select(func.count()).where(
            OutboxItem.state == OutboxState.SENDING,
            OutboxItem.lease_until < now - (LONGEST_LEASE - LEASE),
        )
    )
    to_many = session.scalar(
        select(func.count())
        .select_from(Recipient)
        .join(Campaign, Campaign.id == Recipient.campaign_id)
        .where(
            Campaign.state == CampaignState.RUNNING,
            Recipient.state == RecipientState.SENDING,
            Recipient.lease_until < now - (LONGEST_LEASE - LEASE),
        )
    )
    every = (stuck or 0) + (to_many or 0)
    return result(
        "I12",
        "Nothing in the outbox has been on its way for more than 10 minutes.",
        f"{every} have: no worker is running; `handsel run` starts one."
        if every
        else "",
    )
