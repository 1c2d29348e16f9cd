"""The worker's part: what is due is sent, and marked by what came of it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError
from handsel.kit.signing import Keys
from handsel.models import HookEndpoint, OutboxItem
from handsel.models.database import Database, rows_changed
from handsel.models.words import HookState, OutboxState
from handsel.outbound import outbox
from handsel.outbound.leases import LEASE
from handsel.outbound.webhooks import bodies, endpoints, line
from handsel.outbound.webhooks.events import HOOK
from handsel.outbound.webhooks.line import NotTakenError

log = logging.getLogger("handsel.webhooks")

GAPS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long to wait after each failed try (the schedule of Standard Webhooks)."""
KEPT = timedelta(days=30)
GONE = 410
_STOPPED = "The web hook is stopped; `handsel webhook start` tells it what it missed."


@dataclass(frozen=True)
class Room:
    """What sending needs of the shop.

    Args:
        loopback: whether this machine may be told, over plain HTTP; in tests alone.
    """

    database: Database
    keys: Keys
    clock: Callable[[], datetime]
    loopback: bool


def send_due(room: Room, *, most: int = 20) -> int:
    """Send what is due, each marked after its answer; give how many were due."""
    with room.database.reading() as session:
        if not outbox.anything_due(session, room.clock(), HOOK):
            return 0
    with room.database.transaction() as session:
        items = outbox.claim(session, room.clock(), most=most, kind=HOOK)
    away: dict[int, str] = {}
    began = room.clock()
    for place, item in enumerate(items):
        if room.clock() - began >= LEASE / 2:
            _put_back(room, items[place:])
            break
        _send(room, item, away)
    return len(items)


def _put_back(room: Room, items: Sequence[outbox.Item]) -> None:
    with room.database.transaction() as session:
        outbox.put_back(session, items)


def _send(room: Room, item: outbox.Item, away: dict[int, str]) -> None:
    """Send one; who is `away` is not asked a second time in one round."""
    number = int(item.topic.split(".")[1])
    with room.database.reading() as session:
        endpoint = session.get(HookEndpoint, number)
        content = _content(session, item, endpoint)
    if endpoint is None:
        with room.database.transaction() as session:
            outbox.forget(session, item)
        return
    if endpoint.state is HookState.STOPPED:
        with room.database.transaction() as session:
            outbox.park(session, item, _STOPPED)
        return
    try:
        if number in away:
            raise NotTakenError(away[number])
        gone = _post(room, endpoint, item, content)
    except NotTakenError as error:
        fresh = number not in away
        away[number] = str(error)
        _later(room, item, endpoint, str(error), count=fresh)
        return
    except ConflictError as error:
        with room.database.transaction() as session:
            outbox.park(session, item, str(error))
        return
    if gone:
        _end(room, item, endpoint)
        return
    with room.database.transaction() as session:
        outbox.done(session, item, room.clock())
        endpoints.taken(session, endpoint, room.clock())


def _content(
    session: Session, item: outbox.Item, endpoint: HookEndpoint | None
) -> bytes:
    if endpoint is None:
        return b""
    return bodies.body(session, item, with_email=endpoint.with_email)


def _post(
    room: Room, endpoint: HookEndpoint, item: outbox.Item, content: bytes
) -> bool:
    """Send it; say whether nothing is to come there any more. Raises NotTakenError."""
    now = room.clock()
    signed = bodies.headers(
        item.payload["event"], content, endpoints.signing(room.keys, endpoint, now), now
    )
    status = line.post(endpoint.url, content, signed, loopback=room.loopback)
    if 300 <= status < 400:
        raise NotTakenError(
            f"It answered HTTP {status}: it leads elsewhere, give the new address."
        )
    if not 200 <= status < 300 and status != GONE:
        raise NotTakenError(f"It answered HTTP {status}.")
    return status == GONE


def _end(room: Room, item: outbox.Item, endpoint: HookEndpoint) -> None:
    why = "It says that it is gone for good (HTTP 410)."
    with room.database.transaction() as session:
        outbox.park(session, item, why)
        endpoints.give_up(session, endpoint, why, room.clock())


def _later(
    room: Room, item: outbox.Item, endpoint: HookEndpoint, why: str, *, count: bool
) -> None:
    log.info("Web hook %d was not taken: %s", endpoint.id, why)
    now = room.clock()
    with room.database.transaction() as session:
        outbox.later(session, item, why, now, gaps=GAPS)
        if count:
            endpoints.failed(session, endpoint, why, now)


def forget(session: Session, now: datetime) -> None:
    """Forget what was told, or given up, a month ago."""
    over = OutboxItem.state.in_((OutboxState.SENT, OutboxState.DEAD))
    old = OutboxItem.created_at < now - KEPT
    rows_changed(session, delete(OutboxItem).where(outbox.of_kind(HOOK), over, old))
