"""What a seller does with mails to everyone: begin, watch, pause, go on, try them."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.kit.rates import gap_us
from handsel.kit.text import normalise_email
from handsel.models import Campaign, Recipient
from handsel.models.words import CampaignState, RecipientState
from handsel.ops.releasing import Sending
from handsel.outbound import announcing, audience, broadcast, campaigns, recipients
from handsel.outbound.announcing import Announcement, Writer
from handsel.outbound.campaigns import NewCampaign
from handsel.outbound.recipients import Addressee
from handsel.outbound.transports.base import Envelope
from handsel.sales import catalogue, releases
from handsel.shop import Shop

OVER = (CampaignState.FINISHED, CampaignState.CANCELLED)
PATIENCE = timedelta(minutes=1)
"""Who waits longer for another try is left to the worker."""


def example(shop: Shop, told: Announcement, to: str) -> Envelope:
    """Write the mail as everyone gets it, to one address; its links lead nowhere.

    Raises BadInputError for no address.
    """
    someone = Addressee(
        id=0,
        email=normalise_email(to),
        public_id="0" * 22,
        token_version=0,
        test=False,
        tries=0,
        reason=None,
    )
    writer = Writer(shop.mailroom(), told, f"example:{secrets.token_hex(8)}")
    return writer.write(someone)


def send_example(shop: Shop, told: Announcement, to: str) -> None:
    """Send that mail now. Raises BadInputError, or what the mail server said."""
    envelope = example(shop, told, to)
    with shop.transport.connect() as carrier:
        carrier.send(envelope)


def begin(shop: Shop, campaign_id: int) -> None:
    """Write down who gets it, and begin, or go on after a pause. Safe to repeat."""
    with shop.transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        if campaign.state is CampaignState.DRAFT:
            campaigns.start(session, campaign, shop.now())
        elif campaign.state is CampaignState.PAUSED:
            campaigns.resume(session, campaign, shop.now())


@dataclass(frozen=True)
class BroadcastPlan:
    """Whom a mail of words would reach (None) and whom not, by reason.

    `under_way`: it was begun before.
    """

    told: Announcement
    counts: dict[str | None, int]
    under_way: bool


def plan_broadcast(
    shop: Shop, slug: str, subject: str, body: str, sending: Sending
) -> BroadcastPlan:
    """Look what a mail of words would be. Changes nothing.

    Raises NotFoundError, BadInputError, ConflictError when it was sent already.
    """
    gap_us(sending.rate or "")
    with shop.reading() as session:
        product = catalogue.get(session, slug)
        wanted = audience.read(session, product.id, sending.to)
        return BroadcastPlan(
            announcing.of_words(product.name, subject, body),
            audience.count(session, wanted),
            _begun(session, product.id, subject, body) is not None,
        )


def create_broadcast(
    shop: Shop, slug: str, subject: str, body: str, sending: Sending
) -> int:
    """Make a mail of words, or find it if it was begun already; give its id.

    Raises as `plan_broadcast` does.
    """
    rate = shop.settings.mail.rate if sending.rate is None else sending.rate
    with shop.transaction() as session:
        product = catalogue.get(session, slug)
        releases.hold(session, product.id)
        begun = _begun(session, product.id, subject, body)
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


def _begun(session: Session, product_id: int, subject: str, body: str) -> int | None:
    """Give the mail with these words, if there is one: the command was interrupted."""
    for old in campaigns.find(session, product_id):
        if (old.subject, old.body) == (subject, body):
            if old.state in OVER:
                raise ConflictError(
                    f"This very mail was {old.state} on {old.finished_at:%Y-%m-%d}.",
                    "Change its subject or its text to send another.",
                )
            return old.id
    return None


def find(shop: Shop, which: str) -> int:
    """Give the campaign that is meant: by its number, or the newest of a product.

    One that is not over comes before the others. Raises NotFoundError.
    """
    with shop.reading() as session:
        if which.isdecimal() and len(which) < 10:
            found = [c for c in campaigns.find(session) if c.id == int(which)]
        else:
            found = list(campaigns.find(session, catalogue.get(session, which).id))
    alive = [each for each in found if each.state not in OVER]
    if not found:
        raise NotFoundError(
            f"Nothing was ever mailed to the buyers of {which}."
            if not which.isdecimal()
            else f"There is no mail to everyone with the number {which}.",
            "`handsel release status` lists what there is.",
        )
    return (alive or found)[0].id


def pause(shop: Shop, campaign_id: int) -> None:
    """Stop until `resume`. Raises ConflictError when it does not run."""
    _do(shop, campaign_id, lambda s, c: campaigns.pause(s, c, "You paused it."), "run")


def pause_if_running(shop: Shop, campaign_id: int) -> None:
    """Stop after Ctrl-C; nothing if it has ended meanwhile."""
    with shop.transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        campaigns.pause(session, campaign, "It was interrupted by hand.")


def resume(shop: Shop, campaign_id: int) -> None:
    """Go on. Raises ConflictError when it is not paused."""
    _do(shop, campaign_id, lambda s, c: campaigns.resume(s, c, shop.now()), "wait")


def cancel(shop: Shop, campaign_id: int) -> None:
    """End it for good. Raises ConflictError when it is over."""
    _do(shop, campaign_id, lambda s, c: campaigns.cancel(s, c, shop.now()), "go on")


def _do(
    shop: Shop, campaign_id: int, step: Callable[[Any, Campaign], bool], verb: str
) -> None:
    with shop.transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        if not step(session, campaign):
            raise ConflictError(
                f"Mail {campaign_id} does not {verb}: it is {campaign.state}.",
                f"`handsel release status {campaign_id}` says how far it came.",
            )


def retry(shop: Shop, campaign_id: int) -> int:
    """Let those that failed go again; give how many. Raises ConflictError for none."""
    with shop.transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        count = recipients.retry(session, campaign_id, shop.now())
        if not count or campaign.state is CampaignState.CANCELLED:
            raise ConflictError(
                f"No mail of {campaign_id} is to be tried again.",
                f"`handsel release status {campaign_id}` says how far it came.",
            )
        campaigns.retry(session, campaign, shop.now())
        return count


def facts(shop: Shop, campaign_id: int) -> dict[str, Any]:
    """Give what `release --json` says of a campaign."""
    with shop.reading() as session:
        campaign = campaigns.get(session, campaign_id)
        done = campaigns.progress(session, campaign_id)
        return {
            "campaign": campaign.id,
            "kind": str(campaign.kind),
            "release": campaign.release_id,
            "product": campaign.product.slug,
            "version": campaign.release.version if campaign.release else None,
            "subject": campaign.subject or None,
            "state": str(campaign.state),
            "recipients": done.recipients,
            "skipped": done.skipped,
            "skipped_why": recipients.skipped(session, campaign_id),
            "sent": done.sent,
            "failed": done.failed,
            "remaining": done.remaining,
            "pause_reason": campaign.pause_reason,
            "at": campaign.next_at.isoformat()
            if campaign.state is CampaignState.SCHEDULED
            else None,
            "started_at": campaign.started_at and campaign.started_at.isoformat(),
            "finished_at": campaign.finished_at and campaign.finished_at.isoformat(),
            "failures": [
                {"email": email, "error": error}
                for email, error in recipients.failed(session, campaign_id)
            ],
        }


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


def told(shop: Shop, campaign_id: int) -> Announcement:
    """Give what a campaign tells."""
    with shop.reading() as session:
        return announcing.of_campaign(session, campaign_id)


def check_subject(subject: str) -> str:
    """Give a subject without blanks around it. Raises BadInputError."""
    tidy = " ".join(subject.split())
    if not tidy or len(tidy) > 200:
        raise BadInputError(
            "A subject has 1 to 200 letters.", "Give another one with --subject."
        )
    return tidy


def words_of(envelope: Envelope) -> EmailMessage:
    """Read a mail back, to show it."""
    return message_from_bytes(envelope.content, policy=policy.default)
