"""Sending a mail to everyone: any number of senders share the work.

A sender is one connection to the mail server. It leases some mails, hands them over one
by one and marks each before the next; it neither knows nor needs the other senders,
whether they are threads here or workers on another machine.
"""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from handsel.models import Campaign
from handsel.models.words import CampaignState
from handsel.outbound import announcing, campaigns, recipients
from handsel.outbound.announcing import Announcement, Writer
from handsel.outbound.letters import BrokenTemplateError
from handsel.outbound.post import Mailroom
from handsel.outbound.recipients import Addressee
from handsel.outbound.transports.base import (
    Carrier,
    DeferredMailError,
    PermanentMailError,
    TemporaryMailError,
)

log = logging.getLogger("handsel.mail")

BATCH = 50
"""How many mails a sender leases at once."""
IDLE_SECONDS = 1.0
"""How long a worker waits before it looks again for something to do."""


@dataclass(frozen=True)
class Turn:
    """What a sender may do now.

    `wait`: seconds until it may ask again, when there is nothing to do because of the
    rate; None when there is nothing to wait for.
    """

    batch: Sequence[Addressee] = ()
    wait: float | None = None
    trouble: bool = False


def send(room: Mailroom, campaign_id: int, stop: threading.Event) -> None:
    """Send what is due of a campaign, over several connections at once.

    Returns when nothing is due any more, the campaign does not run, or `stop` is set:
    then mails on their way arrive, and the others are given back. Safe to run any
    number of times at once.
    """
    with room.database.reading() as session:
        told = announcing.of_campaign(session, campaign_id)
    count = room.settings.mail.connections
    with ThreadPoolExecutor(count, thread_name_prefix="sender") as pool:
        for done in [
            pool.submit(_sender, room, campaign_id, told, stop) for _ in range(count)
        ]:
            done.result()
    with room.database.transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        campaigns.finish(session, campaign, room.clock())


def _sender(
    room: Mailroom, campaign_id: int, told: Announcement, stop: threading.Event
) -> None:
    turn = _turn(room, campaign_id)
    if not turn.batch and turn.wait is None:
        return
    try:
        with room.transport.connect() as carrier:
            while not stop.is_set() and (turn.batch or turn.wait is not None):
                if turn.batch:
                    _hand_over(room, campaign_id, carrier, told, turn, stop)
                else:
                    stop.wait(turn.wait)
                turn = _turn(room, campaign_id)
    except TemporaryMailError as error:
        log.warning("Mail cannot be handed over now: %s", error)
        _error(room, campaign_id, str(error), rest=True)
    except BrokenTemplateError as error:
        log.error("A mail to everyone cannot be written: %s", error)
        _error(room, campaign_id, str(error), rest=True)
    except Exception as error:  # a mistake of ours must not be tried for ever
        log.exception("A mail to everyone could not be written.")
        _error(room, campaign_id, f"{type(error).__name__}: {error}", rest=True)
    finally:
        _put_back(room, turn.batch)


def _turn(room: Mailroom, campaign_id: int) -> Turn:
    """Lease the next mails, if the campaign runs and its rate allows them now."""
    now = room.clock()
    with room.database.transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        if campaign.state is not CampaignState.RUNNING:
            return Turn()
        if most := campaigns.take_turns(session, campaign, BATCH, now):
            batch = recipients.claim(session, campaign_id, now, most)
            return Turn(batch, trouble=campaign.errors > 0)
        waits = campaign.gap_us and not campaign.errors
        if waits and recipients.anything_due(session, campaign_id, now):
            return Turn(wait=max(0.01, (campaign.next_at - now).total_seconds()))
        return Turn()


def _hand_over(
    room: Mailroom,
    campaign_id: int,
    carrier: Carrier,
    told: Announcement,
    turn: Turn,
    stop: threading.Event,
) -> None:
    """Hand over a batch, mail by mail, and give back what must wait."""
    writer = Writer(room, told, announcing.campaign_name(campaign_id))
    until = room.clock() + recipients.LEASE / 2
    trouble = turn.trouble
    waiting = list(turn.batch)
    try:
        # A server that takes its time must not outlast the leases: another sender would
        # send the rest a second time.
        while waiting and not stop.is_set() and room.clock() < until:
            one = waiting.pop(0)
            trouble = _one(room, campaign_id, carrier, writer, one, trouble=trouble)
    except TemporaryMailError as error:
        _error(room, campaign_id, str(error), rest=True)
    finally:
        _put_back(room, waiting)


def _one(
    room: Mailroom,
    campaign_id: int,
    carrier: Carrier,
    writer: Writer,
    one: Addressee,
    *,
    trouble: bool,
) -> bool:
    """Send one mail and mark it; say whether the server is known to make trouble.

    Raises TemporaryMailError when it may take no other either.
    """
    if one.reason:
        with room.database.transaction() as session:
            recipients.skip(session, one.id, one.reason)
        return trouble
    try:
        carrier.send(writer.write(one))
    except PermanentMailError as error:
        with room.database.transaction() as session:
            recipients.fail(session, one.id, str(error))
        _error(room, campaign_id, str(error), rest=False)
        return True
    except TemporaryMailError as error:
        with room.database.transaction() as session:
            recipients.later(session, one, str(error), room.clock())
        if not isinstance(error, DeferredMailError):
            raise
        _error(room, campaign_id, str(error), rest=False)
        return True
    with room.database.transaction() as session:
        recipients.done(session, one.id, room.clock())
        if trouble:
            campaigns.note_success(session, campaign_id)
    return False


def _error(room: Mailroom, campaign_id: int, error: str, *, rest: bool) -> None:
    with room.database.transaction() as session:
        campaigns.note_error(session, campaign_id, error, room.clock(), rest=rest)


def _put_back(room: Mailroom, batch: Sequence[Addressee]) -> None:
    if batch:
        with room.database.transaction() as session:
            recipients.put_back(session, batch)


def run(room: Mailroom, stop: threading.Event) -> None:
    """Begin what is due and send it, until `stop` is set; campaigns go side by side."""
    crews: dict[int, threading.Thread] = {}
    while not stop.is_set():
        try:
            due = begin_due(room)
        except Exception:  # the database is away for a moment, say
            log.exception("Mails to everyone cannot be looked for; trying again.")
            due = []
        for campaign_id in due:
            if campaign_id not in crews or not crews[campaign_id].is_alive():
                crew = threading.Thread(target=_safely, args=(room, campaign_id, stop))
                crews[campaign_id] = crew
                crew.start()
        stop.wait(IDLE_SECONDS)
    for crew in crews.values():
        crew.join()


def begin_due(room: Mailroom) -> list[int]:
    """Begin the campaigns whose time has come; name all that have something to do.

    One where everybody who is left waits for another try is left alone until then.
    """
    now = room.clock()
    with room.database.reading() as session:
        found = [
            campaign
            for campaign in campaigns.due(session, now)
            if campaign.state is CampaignState.SCHEDULED
            or recipients.anything_due(session, campaign.id, now)
            or not recipients.anybody_left(session, campaign.id)
        ]
    for campaign in found:
        if campaign.state is CampaignState.SCHEDULED:
            with room.database.transaction() as session:
                own = session.get_one(Campaign, campaign.id)
                campaigns.start(session, own, now)
    return [campaign.id for campaign in found]


def _safely(room: Mailroom, campaign_id: int, stop: threading.Event) -> None:
    try:
        send(room, campaign_id, stop)
    except Exception:
        log.exception("Campaign %d stumbled; it goes on in a moment.", campaign_id)
