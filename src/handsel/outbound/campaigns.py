"""The life of a mail to everyone who bought: draft, scheduled, running, finished.

Every step is one conditional UPDATE, so that commands and any number of workers may try
at the same time: whoever changed the row has taken the step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from handsel.models import Campaign, Recipient
from handsel.models.database import rows_changed
from handsel.models.words import CampaignState, RecipientState
from handsel.outbound import audience, emails, recipients

MOST_ERRORS = 20
"""After so many mails in a row that the server did not take, a campaign pauses."""
LONGEST_REST = timedelta(minutes=1)
"""The longest wait after an error of the server, before the next mail is tried; so that
a server may be away for a quarter of an hour before a campaign pauses."""

ALIVE = (
    CampaignState.DRAFT,
    CampaignState.SCHEDULED,
    CampaignState.RUNNING,
    CampaignState.PAUSED,
)
"""What a campaign is like that is not over."""
YOU_PAUSED = "You paused it."
INTERRUPTED = "It was interrupted by hand."
BY_HAND = (YOU_PAUSED, INTERRUPTED)
"""Why a campaign is paused when the seller wanted it so."""
_TO_COME = (CampaignState.DRAFT, CampaignState.SCHEDULED)
_FRESH = {"errors": 0, "last_error": None, "rest_until": None}


@dataclass(frozen=True)
class NewCampaign:
    """What is to be sent, to whom, how fast and when.

    Args:
        release_id: the edition it tells of; None for words alone, then `subject` and
            `body` (Markdown) say them.
        gap_us: microseconds from one mail to the next; 0 for no limit.
        at: when it begins; None as soon as `start` is called.
    """

    product_id: int
    release_id: int | None = None
    subject: str = ""
    body: str = ""
    audience: Sequence[str] = ()
    gap_us: int = 0
    at: datetime | None = None


def create(session: Session, new: NewCampaign, now: datetime) -> Campaign:
    """Make a campaign that has not begun; who gets it is written down by `start`."""
    campaign = Campaign(
        product_id=new.product_id,
        release_id=new.release_id,
        subject=new.subject,
        body=new.body,
        audience=list(new.audience),
        state=CampaignState.SCHEDULED if new.at else CampaignState.DRAFT,
        gap_us=new.gap_us,
        next_at=new.at or now,
        created_at=now,
    )
    session.add(campaign)
    session.flush()
    return campaign


def not_begun(campaign: Campaign) -> bool:
    """Say whether nobody has been written down yet, so that it can still be changed."""
    return campaign.state in _TO_COME


def change(
    session: Session, campaign: Campaign, new: NewCampaign, now: datetime
) -> None:
    """Let a campaign that has not begun be sent in another way, or at another time."""
    campaign.audience = list(new.audience)
    campaign.gap_us = new.gap_us
    campaign.next_at = new.at or now
    campaign.state = CampaignState.SCHEDULED if new.at else CampaignState.DRAFT
    session.flush()


def start(session: Session, campaign: Campaign, now: datetime) -> bool:
    """Write down who gets it, and begin; say whether it was us who did."""
    won = _step(
        session,
        campaign,
        _TO_COME,
        CampaignState.RUNNING,
        started_at=now,
        running_since=now,
    )
    if won:
        wanted = audience.read(
            session, campaign.product_id, campaign.audience, campaign.release_id
        )
        audience.freeze(session, campaign, wanted)
    return won


def pause(session: Session, campaign: Campaign, reason: str) -> bool:
    """Stop until somebody says `resume`; mails on their way arrive."""
    return _step(
        session,
        campaign,
        (CampaignState.RUNNING, CampaignState.SCHEDULED),
        CampaignState.PAUSED,
        pause_reason=reason,
    )


def resume(session: Session, campaign: Campaign, now: datetime) -> bool:
    """Go on after a pause, or after all: with whoever waits, or at its time to begin."""
    begun = campaign.started_at is not None
    after = CampaignState.RUNNING if begun else CampaignState.SCHEDULED
    return _step(
        session,
        campaign,
        (CampaignState.PAUSED, CampaignState.CANCELLED),
        after,
        running_since=now if begun else None,
        **_FRESH,
        pause_reason=None,
        finished_at=None,
    )


def cancel(session: Session, campaign: Campaign, now: datetime) -> bool:
    """End it; who has not got the mail does not get it, unless somebody resumes it."""
    return _step(session, campaign, ALIVE, CampaignState.CANCELLED, finished_at=now)


def retry(session: Session, campaign: Campaign, now: datetime) -> None:
    """Let a finished campaign run again, because some of its mails shall."""
    _step(
        session,
        campaign,
        (CampaignState.FINISHED,),
        CampaignState.RUNNING,
        running_since=now,
        next_at=now,
        **_FRESH,
        finished_at=None,
    )


def hold(session: Session, campaign_id: int) -> Campaign:
    """Give a campaign and keep others from ending it until this transaction ends."""
    return session.get_one(Campaign, campaign_id, with_for_update={"of": Campaign})


def finish(session: Session, campaign: Campaign, now: datetime) -> bool:
    """End it when nobody waits any more; say whether that is so now. Hold it before."""
    if recipients.anybody_left(session, campaign.id):
        return False
    running = (CampaignState.RUNNING,)
    return _step(session, campaign, running, CampaignState.FINISHED, finished_at=now)


def pause_all(session: Session, reason: str) -> int:
    """Pause whatever would send mails by itself; give how many."""
    return rows_changed(
        session,
        update(Campaign)
        .where(Campaign.state.in_((CampaignState.RUNNING, CampaignState.SCHEDULED)))
        .values(state=CampaignState.PAUSED, pause_reason=reason),
    )


def _step(
    session: Session,
    campaign: Campaign,
    before: Sequence[CampaignState],
    after: CampaignState,
    **values: object,
) -> bool:
    won = rows_changed(
        session,
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.state.in_(before))
        .values(state=after, **values),
    )
    if won:
        session.refresh(campaign)
    return bool(won)


def take_turns(session: Session, campaign: Campaign, most: int, now: datetime) -> int:
    """Say how many mails may be sent now, `most` at the most, and use up their time.

    Everybody who sends asks here, so that all of them together keep the rate.
    """
    gap = timedelta(microseconds=campaign.gap_us)
    fair = max(1, min(most, timedelta(seconds=1) // gap)) if gap else most
    longest = 2 * fair * gap + timedelta(minutes=1)
    chosen = (
        Campaign.id == campaign.id,
        Campaign.state == CampaignState.RUNNING,
        _awake(now),
        # What lies further ahead was written under a wrong clock.
        or_(Campaign.next_at <= now, Campaign.next_at > now + longest),
    )
    if not gap:
        return most if session.scalar(select(exists().where(*chosen))) else 0
    turn = update(Campaign).where(*chosen).values(next_at=now + fair * gap)
    return fair if rows_changed(session, turn) else 0


def _awake(now: datetime) -> ColumnElement[bool]:
    """Choose campaigns that do not rest; a wrong clock's rest does not count."""
    until = Campaign.rest_until
    return or_(until.is_(None), until <= now, until > now + 2 * LONGEST_REST)


def note_error(
    session: Session, campaign_id: int, error: str, now: datetime, *, rest: bool
) -> None:
    """Count that the server did not take a mail; after too many in a row, pause.

    `rest`: it may take no other either, so that nobody sends for a while that grows
    with every error. What several senders run into at one moment is one error.
    """
    counted = rows_changed(
        session,
        update(Campaign)
        .where(Campaign.id == campaign_id, *([_awake(now)] if rest else []))
        .values(errors=Campaign.errors + 1, last_error=error),
    )
    campaign = session.get_one(Campaign, campaign_id, populate_existing=True)
    if campaign.errors >= MOST_ERRORS:
        stop_itself(session, campaign, error, now)
    elif rest and counted:
        length = min(LONGEST_REST, timedelta(seconds=2 ** min(campaign.errors - 1, 9)))
        chosen = update(Campaign).where(Campaign.id == campaign_id)
        rows_changed(session, chosen.values(rest_until=now + length))


def stop_itself(
    session: Session, campaign: Campaign, error: str, now: datetime
) -> None:
    """Pause because it makes no sense to go on; tell the seller, once for each pause."""
    if pause(session, campaign, error):
        emails.campaign_paused(session, campaign, now)


def note_success(session: Session, campaign_id: int) -> None:
    """Forget the errors: the server takes mails again."""
    rows_changed(
        session,
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.errors > 0)
        .values(errors=0, last_error=None),
    )


def due(session: Session, now: datetime) -> Sequence[Campaign]:
    """Give the campaigns that are to begin, or to go on, each at its rate."""
    to_begin = (Campaign.state == CampaignState.SCHEDULED) & (Campaign.next_at <= now)
    goes_on = (Campaign.state == CampaignState.RUNNING) & _awake(now)
    return session.scalars(
        select(Campaign).where(or_(to_begin, goes_on)).order_by(Campaign.id)
    ).all()


def get(session: Session, campaign_id: int) -> Campaign:
    """Give a campaign with its product and release."""
    return session.scalars(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .options(joinedload(Campaign.product), joinedload(Campaign.release))
    ).one()


def of_release(session: Session, release_id: int) -> Campaign | None:
    """Give the campaign that tells of a release, if there is one."""
    return session.scalars(
        select(Campaign).where(Campaign.release_id == release_id)
    ).one_or_none()


def find(session: Session, product_id: int | None = None) -> Sequence[Campaign]:
    """List campaigns, newest first: all, or those of a product."""
    query = select(Campaign).order_by(Campaign.id.desc())
    if product_id is not None:
        query = query.where(Campaign.product_id == product_id)
    wanted = (joinedload(Campaign.product), joinedload(Campaign.release))
    return session.scalars(query.options(*wanted)).all()


def trouble(campaign: Campaign, now: datetime) -> tuple[str, datetime | None] | None:
    """Give what hinders a campaign that runs, and when it is tried again; None for
    nothing. Its last mail that was tried was not taken."""
    if campaign.state is not CampaignState.RUNNING or not campaign.errors:
        return None
    until = campaign.rest_until
    return campaign.last_error or "", until if until and until > now else None


@dataclass(frozen=True)
class Progress:
    """How far a campaign has come; counts of addresses."""

    recipients: int
    sent: int
    failed: int
    remaining: int
    skipped: int


def progress(session: Session, campaign_id: int) -> Progress:
    """Count what has become of each recipient."""
    rows = session.execute(
        select(Recipient.state, func.count())
        .where(Recipient.campaign_id == campaign_id)
        .group_by(Recipient.state)
    )
    found = dict(rows.all())
    skipped = found.get(RecipientState.SKIPPED, 0)
    sent = found.get(RecipientState.SENT, 0)
    failed = found.get(RecipientState.FAILED, 0)
    every = sum(found.values())
    return Progress(
        every - skipped, sent, failed, every - skipped - sent - failed, skipped
    )
