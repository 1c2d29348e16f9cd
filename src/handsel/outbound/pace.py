"""How fast a mail to everyone goes, and how long it still takes.

Taken from what is written down, so that it is the same for whoever asks, counts what
all workers send, and knows nothing of a pause.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.models import Campaign, Recipient
from handsel.models.words import CampaignState, RecipientState

WINDOW = timedelta(minutes=1)
"""How far back mails count; with a slow limit, at least as long as ten of them take."""
SHORTEST = timedelta(seconds=1)


@dataclass(frozen=True)
class Pace:
    """Mails a second and seconds left; None where it is not known, or does not run."""

    rate: float | None = None
    seconds_left: int | None = None


def measure(
    session: Session, campaign: Campaign, remaining: int, now: datetime
) -> Pace:
    """Say how fast a campaign goes now, and when it will be at its end.

    Before the first mail, its limit tells; and who waits for another try, waits.
    """
    if campaign.state is not CampaignState.RUNNING or not remaining:
        return Pace()
    rate = _rate(session, campaign, now)
    likely = rate or _limit(campaign)
    if not likely:
        return Pace()
    last_try = _last_try(session, campaign.id, now)
    return Pace(rate, math.ceil(max(remaining / likely, last_try.total_seconds())))


def _limit(campaign: Campaign) -> float | None:
    return 1_000_000 / campaign.gap_us if campaign.gap_us else None


def _rate(session: Session, campaign: Campaign, now: datetime) -> float | None:
    since = now - max(WINDOW, 10 * timedelta(microseconds=campaign.gap_us))
    began = campaign.running_since or campaign.started_at
    if began and since < began <= now:  # else it began under a wrong clock
        since = began
    sent = session.scalar(
        select(func.count()).where(
            Recipient.campaign_id == campaign.id, Recipient.sent_at >= since
        )
    )
    seconds = max(now - since, SHORTEST).total_seconds()
    measured = (sent or 0) / seconds
    # Under a limit mails go in bursts, and the first one looks like more than it is.
    limited = min(measured, _limit(campaign) or measured)
    return round(limited, 5) or None


def _last_try(session: Session, campaign_id: int, now: datetime) -> timedelta:
    last = session.scalar(
        select(func.max(Recipient.next_at)).where(
            Recipient.campaign_id == campaign_id,
            Recipient.state == RecipientState.WAITING,
        )
    )
    return max(last - now, timedelta()) if last else timedelta()
