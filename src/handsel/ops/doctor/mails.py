"""What the records tell of mails: given up, waiting, left, and those to everyone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session

from handsel.models import Campaign, OutboxItem, Recipient
from handsel.models.words import CampaignState, OutboxState, RecipientState
from handsel.ops.doctor.findings import LATE, Finding, Level
from handsel.outbound import campaigns, outbox, recipients

NEWS = timedelta(days=7)
"""How long mails that failed are told of after the last one went."""


def look(session: Session, now: datetime) -> Iterator[Finding]:
    """Look at mails to one, and at those to everyone."""
    yield from _to_one(session, now)
    for campaign in campaigns.find(session):
        yield from _not_begun(campaign, now)
        yield from _stands_still(session, campaign, now)
        yield from _paused(campaign)
        yield from _failing(session, campaign, now)


def _to_one(session: Session, now: datetime) -> Iterator[Finding]:
    """Look at the outbox, and at what is on its way to many, in one statement."""
    found = session.execute(
        select(
            _mails(OutboxState.DEAD, func.count()).label("dead"),
            _mails(OutboxState.WAITING, func.min(OutboxItem.next_at)).label("waiting"),
            _mails(
                OutboxState.SENDING, func.count(), OutboxItem.lease_until < now - LATE
            ).label("left"),
            _left_to_many(now).label("left_to_many"),
        )
    ).one()
    if found.dead:
        yield _given_up(found.dead)
    if found.waiting and found.waiting < now - LATE:
        yield _due("A mail", found.waiting)
    if stuck := found.left + found.left_to_many:
        yield _left(stuck)


def _mails(
    state: OutboxState, wanted: ColumnElement[Any], *more: ColumnElement[bool]
) -> ScalarSelect[Any]:
    in_state = OutboxItem.state == state
    query = select(wanted).where(in_state, outbox.of_kind(outbox.MAIL), *more)
    return query.scalar_subquery()


def _left_to_many(now: datetime) -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(Recipient)
        .join(Campaign, Campaign.id == Recipient.campaign_id)
        .where(
            Campaign.state == CampaignState.RUNNING,
            Recipient.state == RecipientState.SENDING,
            Recipient.lease_until < now - LATE,
        )
        .scalar_subquery()
    )


def _given_up(dead: int) -> Finding:
    return Finding(
        "H033",
        Level.ERROR,
        f"{dead} mails could not be sent and were given up."
        if dead > 1
        else "A mail could not be sent and was given up.",
        "`handsel mail list --state dead` says why; then `handsel mail retry`.",
    )


def _due(what: str, since: datetime) -> Finding:
    return Finding(
        "H034",
        Level.WARNING,
        f"{what} has been due since {since:%Y-%m-%d %H:%M} UTC.",
        "Is the worker running? `handsel run` starts one; so does `handsel worker`.",
    )


def _left(stuck: int) -> Finding:
    return Finding(
        "H035",
        Level.WARNING,
        f"{stuck} mails were being sent when the worker ended.",
        "They go again as soon as a worker runs: `handsel run`.",
    )


def _name(campaign: Campaign) -> str:
    return f"Mail {campaign.id} to the buyers of {campaign.product.slug}"


def _not_begun(campaign: Campaign, now: datetime) -> Iterator[Finding]:
    scheduled = campaign.state is CampaignState.SCHEDULED
    if scheduled and campaign.next_at < now - LATE:
        yield _due(_name(campaign), campaign.next_at)
    if campaign.state is CampaignState.DRAFT and campaign.created_at < now - LATE:
        yield Finding(
            "H027",
            Level.WARNING,
            f"{_name(campaign)} was made, and has not begun.",
            "Call the same command again; or end it with `handsel release cancel "
            f"{campaign.id}`.",
        )


def _stands_still(
    session: Session, campaign: Campaign, now: datetime
) -> Iterator[Finding]:
    if campaign.state is not CampaignState.RUNNING:
        return
    patience = LATE + timedelta(microseconds=campaign.gap_us)
    last = _last_move(session, campaign)
    if last < now - patience and recipients.anything_due(session, campaign.id, now):
        yield _due(_name(campaign), last)


def _last_move(session: Session, campaign: Campaign) -> datetime:
    """Say when a campaign was last seen at work: it began, sent, or had to rest."""
    sent = session.scalar(
        select(func.max(Recipient.sent_at)).where(Recipient.campaign_id == campaign.id)
    )
    moves = (campaign.running_since, campaign.started_at, sent, campaign.rest_until)
    return max(move for move in moves if move)


def _paused(campaign: Campaign) -> Iterator[Finding]:
    by_hand = campaign.pause_reason in campaigns.BY_HAND
    if campaign.state is CampaignState.PAUSED and not by_hand:
        yield Finding(
            "H038",
            Level.WARNING,
            f"{_name(campaign)} is paused: {campaign.pause_reason}",
            f"When that is mended: handsel release resume {campaign.id}",
        )


def _failing(session: Session, campaign: Campaign, now: datetime) -> Iterator[Finding]:
    over = campaign.finished_at is not None and campaign.finished_at < now - NEWS
    if over or campaign.started_at is None:
        return
    done = campaigns.progress(session, campaign.id)
    if done.failed:
        yield Finding(
            "H039",
            Level.WARNING,
            f"{_name(campaign)}: {done.failed} of its {done.recipients} mails could "
            "not be delivered.",
            f"`handsel release status {campaign.id}` says why; when it is mended: "
            f"handsel release retry {campaign.id}",
        )
