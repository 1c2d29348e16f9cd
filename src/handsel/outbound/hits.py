"""Telling those who count elsewhere: through the outbox, beside the mails, not before them.

As mails: a row in the transaction that causes it, leased, sent, marked; at least once. A
hit that is three days old is worth nothing any more and is taken away, which the log says.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from handsel.models import OutboxItem
from handsel.models.database import Database, rows_changed
from handsel.models.words import OutboxState
from handsel.outbound import counters, outbox
from handsel.outbound.counters import Answer, Call, CannotTellError, Counter, Hit
from handsel.outbound.counters.base import read_hit
from handsel.outbound.leases import LEASE
from handsel.settings import Settings

log = logging.getLogger("handsel.hits")

OLDEST = timedelta(hours=72)
"""How long a hit is worth sending; Google takes none that is older."""
KEPT = timedelta(days=7)
"""How long is remembered what was told, and what was given up."""
MOST_WAITING = 500
"""When so many wait, visits are told to nobody until they are fewer: no sale is to wait for
long behind those, whoever is away or makes visits up."""
TIMEOUT = (3.0, 6.0)
"""Seconds to connect, and to wait for an answer."""
_LATER = (408, 425, 429)

Send = Callable[[Call], Answer]
"""Sends one call. Raises NotNowError."""


@dataclass(frozen=True)
class Desk:
    """What telling needs of the shop."""

    database: Database
    counters: Mapping[str, Counter]
    clock: Callable[[], datetime]


class NotNowError(Exception):
    """It was not taken now, and may be later; says why, without an address."""


def desk(settings: Settings, database: Database, clock: Callable[[], datetime]) -> Desk:
    """Get ready to tell those whom the settings name."""
    return Desk(database, counters.chosen(settings), clock)


def put(
    session: Session,
    settings: Settings,
    hit: Hit,
    once: str,
    *,
    now: datetime,
) -> None:
    """Let everybody be told who can be; once for each `once`.

    Not of tests, unless that is wanted, and not of what is too old.
    """
    if hit.test and not settings.analytics.test_hits:
        return
    told = [each for each in counters.chosen(settings).values() if each.takes(hit)]
    if told and now - hit.at > OLDEST:
        log.debug("%s is too old to be told to anybody.", _words(hit))
        return
    for each in told:
        outbox.put(
            session,
            f"{outbox.HIT}.{each.name}",
            f"{each.name}:{once}",
            recipient="",
            now=now,
            # Not the order's: naming it would let a purchase wait for what is counted.
            order_id=None,
            payload=hit.kept(),
        )


def is_full(session: Session) -> bool:
    """Say whether so many wait that only sales are worth adding."""
    left = OutboxItem.state.in_((OutboxState.WAITING, OutboxState.SENDING))
    few = select(OutboxItem.id).where(left, outbox.of_kind(outbox.HIT))
    counted = select(func.count()).select_from(few.limit(MOST_WAITING).subquery())
    return (session.scalar(counted) or 0) >= MOST_WAITING


def send_due(desk: Desk, *, most: int = 20) -> int:
    """Tell what is due, each marked at once after its answer; give how many were due."""
    with desk.database.reading() as session:
        if not outbox.anything_due(session, desk.clock(), outbox.HIT):
            return 0
    with desk.database.transaction() as session:
        items = outbox.claim(session, desk.clock(), most=most, kind=outbox.HIT)
    if items:
        import requests  # heavy, and only for shops that tell somebody

        # No proxy of the machine's, no .netrc.
        with requests.Session() as line:
            line.trust_env = False
            _tell_all(desk, items, partial(_post, line))
    return len(items)


def _tell_all(desk: Desk, items: Sequence[outbox.Item], send: Send) -> None:
    away: dict[str, str] = {}
    began = desk.clock()
    for place, item in enumerate(items):
        if desk.clock() - began >= LEASE / 2:
            with desk.database.transaction() as session:
                outbox.put_back(session, items[place:])
            return
        try:
            _tell(desk, item, away, send)
        except Exception as error:  # a mistake of ours must not stop the others
            log.exception("Hit %d could not be told.", item.id)
            with desk.database.transaction() as session:
                outbox.later(session, item, type(error).__name__, desk.clock())


def _tell(desk: Desk, item: outbox.Item, away: dict[str, str], send: Send) -> None:
    """Tell one; whoever is `away` is not asked a second time in one round."""
    name = item.topic.removeprefix(f"{outbox.HIT}.")
    now = desk.clock()
    hit = read_hit(item.payload)
    counter = desk.counters.get(name)
    if counter is None or now - hit.at > OLDEST:
        log.warning("%s was not told to %s in time.", _words(hit), name)
        with desk.database.transaction() as session:
            outbox.forget(session, item)
        return
    try:
        if name in away:
            raise NotNowError(away[name])
        refused = _send(counter, counter.call(hit, now), send)
    except NotNowError as error:
        away[name] = str(error)
        with desk.database.transaction() as session:
            outbox.later(session, item, f"{counter.title}: {error}.", desk.clock())
    except CannotTellError as error:
        _give_up(desk, item, str(error))
    else:
        if refused:
            _give_up(desk, item, refused)
            return
        with desk.database.transaction() as session:
            outbox.done(session, item, desk.clock())


def _send(counter: Counter, call: Call, send: Send) -> str:
    """Send it; give why it was refused for good, if it was. Raises NotNowError."""
    answer = send(call)
    if answer.status >= 500 or answer.status in _LATER:
        raise NotNowError(f"HTTP {answer.status}")
    if not 200 <= answer.status < 300:
        return f"{counter.title} has refused it: HTTP {answer.status}."
    return counter.refusal(answer)


def _post(line: Any, call: Call) -> Answer:
    from requests import RequestException

    try:
        # Not a byte of what the answer says is read; then the line is closed.
        with line.post(
            call.url,
            data=call.body,
            headers=call.headers,
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as found:
            said = {name.lower(): value for name, value in found.headers.items()}
            return Answer(found.status_code, said)
    except RequestException as error:
        # Its own words would have the address in them, and so the secret.
        raise NotNowError(type(error).__name__) from None


def _give_up(desk: Desk, item: outbox.Item, why: str) -> None:
    log.error("Hit %d was given up: %s", item.id, why)
    with desk.database.transaction() as session:
        outbox.park(session, item, why)


def _words(hit: Hit) -> str:
    return f"The {hit.name} of {hit.transaction or hit.slug}"


def forget(session: Session, now: datetime) -> None:
    """Forget what was told, or given up, some days ago."""
    over = OutboxItem.state.in_((OutboxState.SENT, OutboxState.DEAD))
    old = OutboxItem.created_at < now - KEPT
    rows_changed(
        session, delete(OutboxItem).where(outbox.of_kind(outbox.HIT), over, old)
    )
