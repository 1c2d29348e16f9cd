"""Sending a mail to everyone: any number of senders share the work.

A sender is one connection to the mail server. It leases some mails, hands them over one
by one and marks each before the next; it neither knows nor needs the other senders,
whether they are threads here or workers on another machine.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.errors import ConfigurationError
from handsel.models import Campaign
from handsel.models.words import CampaignState
from handsel.outbound import announcing, campaigns, recipients
from handsel.outbound.announcing import Writer
from handsel.outbound.leases import LEASE
from handsel.outbound.marking import Marks
from handsel.outbound.post import Mailroom
from handsel.outbound.recipients import Addressee, Sent
from handsel.outbound.transports.base import (
    Carrier,
    DeferredMailError,
    Envelope,
    PermanentMailError,
    TemporaryMailError,
)

log = logging.getLogger("handsel.mail")

BATCH = 100
"""How many mails a sender leases at once."""
IDLE_SECONDS = 1.0
"""How long a worker waits before it looks again for something to do."""
LOOK_SECONDS = 0.25
"""How soon a sender hears that somebody has paused or cancelled the campaign."""


@dataclass(frozen=True)
class Turn:
    """What a sender may do now, and until when it holds what it has leased.

    `wait`: seconds until it may ask again, when there is nothing to do because of the
    rate; None when there is nothing to wait for.
    """

    batch: Sequence[Addressee] = ()
    until: datetime | None = None
    wait: float | None = None
    trouble: bool = False


@dataclass
class Crew:
    """What the senders of a campaign in this process share."""

    room: Mailroom
    campaign_id: int
    write: Callable[[Addressee], Envelope]
    marks: Marks
    stop: threading.Event
    _looked: float = field(default_factory=monotonic)
    _runs: bool = True

    def runs(self) -> bool:
        """Say whether to go on: nobody has stopped us, or the campaign."""
        if monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = monotonic()
            with self.room.database.reading() as session:
                self._runs = _state(session, self.campaign_id) is CampaignState.RUNNING
        return self._runs and not self.stop.is_set()

    def note_error(self, error: str, *, rest: bool) -> None:
        """Count what went wrong; the campaign may be paused by that."""
        now = self.room.clock()
        with self.room.database.transaction() as session:
            campaigns.note_error(session, self.campaign_id, error, now, rest=rest)
            self._runs = _state(session, self.campaign_id) is CampaignState.RUNNING

    def give_up(self, error: str) -> None:
        """Pause the campaign: nobody's mail can be written."""
        now = self.room.clock()
        with self.room.database.transaction() as session:
            campaign = session.get_one(Campaign, self.campaign_id)
            campaigns.stop_itself(session, campaign, error, now)


def _state(session: Session, campaign_id: int) -> CampaignState | None:
    return session.scalar(select(Campaign.state).where(Campaign.id == campaign_id))


def send(room: Mailroom, campaign_id: int, stop: threading.Event) -> None:
    """Send what is due of a campaign, over several connections at once.

    Returns when nothing is due any more, the campaign does not run, or `stop` is set:
    then mails on their way arrive, and the others are given back. Safe to run any
    number of times at once.
    """
    with room.database.reading() as session:
        told = announcing.of_campaign(session, campaign_id)
    writer = Writer(room, told, announcing.campaign_name(campaign_id))
    count = room.settings.mail.connections
    with (
        room.database.unsynced() as connection,
        ThreadPoolExecutor(count, thread_name_prefix="sender") as pool,
    ):
        crew = Crew(room, campaign_id, writer.write, Marks(connection), stop)
        for done in [pool.submit(_sender, crew) for _ in range(count)]:
            done.result()
    with room.database.transaction() as session:
        campaigns.finish(session, campaigns.hold(session, campaign_id), room.clock())


def _sender(crew: Crew) -> None:
    """Send over one connection until nothing is due; every lease is ended here."""
    turn = _turn(crew)
    if not turn.batch and turn.wait is None:
        return
    waiting = list(turn.batch)
    try:
        with crew.room.transport.connect() as carrier:
            while turn.batch or turn.wait is not None:
                _hand_over(crew, carrier, turn, waiting)
                crew.stop.wait(turn.wait or 0)
                _put_back(crew.room, waiting)
                turn = _turn(crew)
                waiting = list(turn.batch)
    except TemporaryMailError as error:
        log.warning("Mail cannot be handed over now: %s", error)
        crew.note_error(str(error), rest=True)
    except ConfigurationError as error:  # the seller's own template, say
        log.error("A mail to everyone cannot be written: %s", error)
        crew.give_up(str(error))
    except Exception as error:  # the database is away, or a mistake of ours
        log.exception("Sending to everyone stumbled; it goes on in a moment.")
        crew.note_error(f"{type(error).__name__}: {error}", rest=True)
    finally:
        _put_back(crew.room, waiting)


def _turn(crew: Crew) -> Turn:
    """Lease the next mails, if the campaign runs and its rate allows them now."""
    now = crew.room.clock()
    with crew.room.database.transaction() as session:
        campaign = session.get_one(Campaign, crew.campaign_id)
        if campaign.state is not CampaignState.RUNNING or crew.stop.is_set():
            return Turn()
        trouble = campaign.errors > 0
        if most := campaigns.take_turns(session, campaign, BATCH, now):
            batch = recipients.claim(session, campaign.id, now, most)
            return Turn(batch, now + LEASE / 2, trouble=trouble)
        if campaign.next_at > now and recipients.anything_due(
            session, campaign.id, now
        ):
            seconds = (campaign.next_at - now).total_seconds()
            return Turn(wait=min(max(seconds, 0.01), IDLE_SECONDS))
        return Turn()


def _hand_over(
    crew: Crew, carrier: Carrier, turn: Turn, waiting: list[Addressee]
) -> None:
    """Hand over a batch, mail by mail; what is left in `waiting` was not tried.

    A server that takes its time must not outlast the leases: another sender would send
    the rest a second time. Raises TemporaryMailError when it may take no other either.
    """
    trouble = turn.trouble
    while waiting and turn.until and crew.room.clock() < turn.until and crew.runs():
        one = waiting[0]
        if one.reason:
            with crew.room.database.transaction() as session:
                recipients.skip(session, one, one.reason)
        else:
            trouble = not _one(crew, carrier, one, trouble=trouble)
        del waiting[0]


def _one(crew: Crew, carrier: Carrier, one: Addressee, *, trouble: bool) -> bool:
    """Send one mail and mark it; say whether the server took it.

    Raises TemporaryMailError when it may take no other either, ConfigurationError when
    nobody's mail can be written.
    """
    try:
        carrier.send(_written(crew, one))
    except DeferredMailError as error:
        _later(crew, one, error)
        crew.note_error(str(error), rest=False)
        return False
    except TemporaryMailError as error:
        _later(crew, one, error)
        raise
    except PermanentMailError as error:
        with crew.room.database.transaction() as session:
            recipients.fail(session, one, str(error))
        crew.note_error(str(error), rest=False)
        return False
    crew.marks.add(Sent(one.id, crew.room.clock()))
    if trouble:
        with crew.room.database.transaction() as session:
            campaigns.note_success(session, crew.campaign_id)
    return True


def _written(crew: Crew, one: Addressee) -> Envelope:
    """Write one mail; what cannot be written to this one alone blocks nobody else."""
    try:
        return crew.write(one)
    except (PermanentMailError, ConfigurationError):
        raise
    except Exception as error:
        log.exception("The mail to recipient %d cannot be written.", one.id)
        said = f"{type(error).__name__}: {error}"
        raise PermanentMailError(f"This mail cannot be written: {said}") from error


def _later(crew: Crew, one: Addressee, error: TemporaryMailError) -> None:
    with crew.room.database.transaction() as session:
        recipients.later(session, one, str(error), crew.room.clock())


def _put_back(room: Mailroom, batch: list[Addressee]) -> None:
    """Give back what was leased and not tried, once."""
    if batch:
        given, batch[:] = list(batch), []
        with room.database.transaction() as session:
            recipients.put_back(session, given)


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
