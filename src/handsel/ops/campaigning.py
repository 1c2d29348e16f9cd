"""What a seller does with mails to everyone: begin, watch, pause, go on, try them."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.kit.links import whole_links
from handsel.kit.rates import gap_us
from handsel.models import Campaign, Recipient
from handsel.models.words import CampaignState, RecipientState
from handsel.ops.releasing import Sending
from handsel.ops.shelving import Witness, nobody
from handsel.outbound import (
    afterwards,
    announcing,
    audience,
    broadcast,
    campaigns,
    pace,
    recipients,
    unmailed,
)
from handsel.outbound.announcing import Announcement
from handsel.outbound.audience import Reach
from handsel.outbound.campaigns import NewCampaign
from handsel.sales import catalogue, releases
from handsel.shop import Shop

OVER = (CampaignState.FINISHED, CampaignState.CANCELLED)
PATIENCE = timedelta(minutes=1)
"""Who waits longer for another try is left to the worker."""


def begin(shop: Shop, campaign_id: int, witness: Witness = nobody) -> None:
    """Write down who gets it, and begin, or go on after a pause. Safe to repeat."""
    with shop.transaction() as session:
        campaign = campaigns.hold(session, campaign_id)
        if campaign.state is CampaignState.DRAFT:
            campaigns.start(session, campaign, shop.now())
        elif campaign.state is CampaignState.PAUSED:
            campaigns.resume(session, campaign, shop.now())
        witness(session)


@dataclass(frozen=True)
class BroadcastPlan:
    """What a mail of words would be; `campaign_id` is set if it was made before."""

    told: Announcement
    reach: Reach
    campaign_id: int | None


def plan_broadcast(
    shop: Shop,
    slug: str,
    subject: str,
    body: str,
    sending: Sending,
    reach: Reach | None = None,
) -> BroadcastPlan:
    """Look what a mail of words would be. Changes nothing.

    Args:
        reach: if it was counted before, which takes its time.

    Raises NotFoundError, BadInputError, ConflictError when it was sent already.
    """
    gap_us(sending.rate or "")
    body = whole_links(body, shop.settings.public_url)
    with shop.reading() as session:
        product = catalogue.get(session, slug)
        wanted = audience.read(session, product.id, sending.to)
        return BroadcastPlan(
            announcing.of_words(product.name, subject, body),
            reach or audience.reach(session, wanted),
            _begun(session, product.id, subject, body, sending.to),
        )


def create_broadcast(
    shop: Shop, slug: str, subject: str, body: str, sending: Sending
) -> int:
    """Make a mail of words, or find it if it was begun already; give its id.

    Raises as `plan_broadcast` does.
    """
    rate = shop.settings.mail.rate if sending.rate is None else sending.rate
    body = whole_links(body, shop.settings.public_url)
    with shop.transaction() as session:
        product = catalogue.get(session, slug)
        releases.hold(session, product.id)
        begun = _begun(session, product.id, subject, body, sending.to)
        if begun is not None:
            return begun
        new = NewCampaign(
            product_id=product.id,
            subject=subject,
            body=body,
            audience=sending.to,
            gap_us=gap_us(rate),
            at=sending.at,
        )
        return campaigns.create(session, new, shop.now()).id


def _begun(
    session: Session, product_id: int, subject: str, body: str, to: Sequence[str]
) -> int | None:
    """Give the mail with these words to these people: the command was interrupted."""
    for old in campaigns.find(session, product_id):
        if (old.subject, old.body, old.audience) == (subject, body, list(to)):
            if old.state in OVER:
                raise ConflictError(
                    f"This very mail was {old.state} on {old.finished_at:%Y-%m-%d}.",
                    "Change its subject or its text to send another."
                    if old.state is CampaignState.FINISHED
                    else f"To send it after all: handsel release resume {old.id}",
                )
            return old.id
    return None


def find(shop: Shop, which: str, states: Sequence[CampaignState] = ()) -> int:
    """Give the campaign that is meant: that of a product, or the one of this number.

    Args:
        states: what it must be like, where a product has several; without, the newest,
            and one that is not over before the others.

    Raises NotFoundError, ConflictError when several could be meant.
    """
    with shop.reading() as session:
        found = _of(session, which)
    if not found:
        raise NotFoundError(
            f"Nothing was ever mailed to the buyers of {which}.",
            "`handsel release status` lists what there is.",
        )
    fitting = [each for each in found if each.state in states]
    if len(fitting) > 1:
        numbers = ", ".join(str(each.id) for each in fitting)
        raise ConflictError(
            f"There are several such mails to the buyers of {which}: {numbers}.",
            "Say the number instead; `handsel release status` tells what they are.",
        )
    alive = [each for each in found if each.state not in OVER]
    return (fitting or alive or found)[0].id


def _of(session: Session, which: str) -> Sequence[Campaign]:
    try:
        return campaigns.find(session, catalogue.get(session, which).id)
    except NotFoundError:
        if not (which.isascii() and which.isdecimal()):
            raise
    return [each for each in campaigns.find(session) if str(each.id) == which]


@dataclass(frozen=True)
class Step:
    """Something a seller does with a campaign that is under way.

    `when`: the states in which it is most likely meant. Raises ConflictError where it
    cannot be done.
    """

    when: Sequence[CampaignState]
    take: Callable[[Session, Campaign, datetime], bool]

    def __call__(self, shop: Shop, campaign_id: int, witness: Witness = nobody) -> None:
        """Take the step."""
        with shop.transaction() as session:
            campaign = campaigns.hold(session, campaign_id)
            if not self.take(session, campaign, shop.now()):
                raise ConflictError(
                    f"That cannot be done with mail {campaign_id}: it is "
                    f"{campaign.state}.",
                    f"`handsel release status {campaign_id}` says how far it came.",
                )
            witness(session)


def _retry(session: Session, campaign: Campaign, now: datetime) -> bool:
    if campaign.state is CampaignState.CANCELLED:
        return False
    count = recipients.retry(session, campaign.id, now)
    if count:
        campaigns.retry(session, campaign, now)
    return count > 0


pause = Step(
    (CampaignState.RUNNING, CampaignState.SCHEDULED),
    lambda session, campaign, _: campaigns.pause(
        session, campaign, campaigns.YOU_PAUSED
    ),
)
# Also a cancelled one, when none is paused: it is not what is meant at first.
resume = Step((CampaignState.PAUSED,), campaigns.resume)
cancel = Step(campaigns.ALIVE, campaigns.cancel)
retry = Step(
    (CampaignState.FINISHED, CampaignState.RUNNING, CampaignState.PAUSED), _retry
)


def interrupt(shop: Shop, campaign_id: int) -> None:
    """Pause after Ctrl-C; nothing if it has ended meanwhile. Safe to repeat."""
    with shop.transaction() as session:
        campaign = campaigns.hold(session, campaign_id)
        campaigns.pause(session, campaign, campaigns.INTERRUPTED)


def facts(shop: Shop, campaign_id: int) -> dict[str, Any]:
    """Give what `release --json` says of a campaign."""
    with shop.reading() as session:
        campaign = campaigns.get(session, campaign_id)
        done = campaigns.progress(session, campaign_id)
        goes = pace.measure(session, campaign, done.remaining, shop.now())
        return {
            "campaign": campaign.id,
            "kind": "release" if campaign.release_id else "broadcast",
            "release": campaign.release_id,
            "product": campaign.product.slug,
            "version": campaign.release.version if campaign.release else None,
            "subject": campaign.subject or None,
            "state": str(campaign.state),
            "recipients": done.recipients,
            "skipped": done.skipped,
            "skipped_why": unmailed.skipped(session, campaign_id),
            "sent": done.sent,
            "failed": done.failed,
            "remaining": done.remaining,
            "rate": goes.rate,
            "seconds_left": goes.seconds_left,
            "trouble": _trouble(campaign, shop.now()),
            "opened": afterwards.opened(session, campaign_id),
            "downloaded": afterwards.downloaded(session, campaign),
            "pause_reason": campaign.pause_reason,
            "at": campaign.next_at.isoformat()
            if campaign.state is CampaignState.SCHEDULED
            else None,
            "started_at": campaign.started_at and campaign.started_at.isoformat(),
            "finished_at": campaign.finished_at and campaign.finished_at.isoformat(),
            "failures": [  # the first hundred of them
                {"email": email, "error": error}
                for email, error in unmailed.failed(session, campaign_id)
            ],
        }


def _trouble(campaign: Campaign, now: datetime) -> dict[str, str | None] | None:
    found = campaigns.trouble(campaign, now)
    if found is None:
        return None
    error, again = found
    return {"error": error, "again_at": again.isoformat() if again else None}


def every(shop: Shop) -> list[int]:
    """Name all campaigns, the newest first."""
    with shop.reading() as session:
        return [campaign.id for campaign in campaigns.find(session)]


def send(shop: Shop, campaign_id: int, stop: threading.Event) -> None:
    """Send a campaign that runs, here and now, beside any worker.

    Returns when it does not run any more, when `stop` is set, or when all that is left
    waits for another try for longer than a minute: the worker goes on with that.
    """
    room = shop.mailroom()
    while not stop.is_set():
        broadcast.send(room, campaign_id, stop)
        if not _soon(shop, campaign_id):
            return
        stop.wait(0.5)


def _soon(shop: Shop, campaign_id: int) -> bool:
    """Say whether a campaign runs and has something to do within a minute."""
    with shop.reading() as session:
        campaign = session.get_one(Campaign, campaign_id)
        if campaign.state is not CampaignState.RUNNING:
            return False
        next_try = session.scalar(
            select(func.min(Recipient.next_at)).where(
                Recipient.campaign_id == campaign_id,
                Recipient.state.in_((RecipientState.WAITING, RecipientState.SENDING)),
            )
        )
    return next_try is not None and next_try - shop.now() < PATIENCE


def check_subject(subject: str) -> str:
    """Give a subject without blanks around it. Raises BadInputError."""
    tidy = " ".join(subject.split())
    if not tidy or len(tidy) > 200:
        raise BadInputError(
            "A subject has 1 to 200 letters.", "Give another one with --subject."
        )
    return tidy
