"""Everything that leaves the house waits here, in the transaction that causes it.

At least once, never zero times: the worker leases an item with a conditional UPDATE,
acts, and marks it. A worker that dies leaves a lease that runs out. A repeat carries
the same Message-ID, which is derived from `dedupe`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from handsel.models import OutboxItem
from handsel.models.database import insert_new, rows_changed
from handsel.models.orders import order_number
from handsel.models.words import OutboxState
from handsel.outbound.leases import GAPS, LEASE, has_come, is_over, next_try

MAIL = "mail"
HIT = "hit"
"""What an item is: a mail, or what is told to somebody who counts. Topics begin so."""


@dataclass(frozen=True)
class Item:
    """One leased item, as plain facts that outlive the transaction."""

    id: int
    topic: str
    dedupe: str
    recipient: str
    order_id: int | None
    payload: Mapping[str, Any]
    tries: int


def put(
    session: Session,
    topic: str,
    dedupe: str,
    *,
    recipient: str,
    now: datetime,
    order_id: int | None = None,
    payload: Mapping[str, Any] | None = None,
) -> bool:
    """Add something to send, once for each `dedupe`; say whether it was new.

    An empty `recipient` means the seller.
    """
    return insert_new(
        session,
        OutboxItem,
        topic=topic,
        dedupe=dedupe,
        recipient=recipient,
        order_id=order_id,
        payload=dict(payload or {}),
        state=OutboxState.WAITING,
        tries=0,
        next_at=now,
        created_at=now,
    )


def of_kind(kind: str) -> ColumnElement[bool]:
    """Choose mails alone, or hits alone."""
    return OutboxItem.topic.startswith(f"{kind}.", autoescape=True)


def anything_due(session: Session, now: datetime, kind: str = MAIL) -> bool:
    """Say, without writing, whether `claim` would find something."""
    due = select(OutboxItem.id).where(_due(now), of_kind(kind)).limit(1)
    return session.scalar(due) is not None


def _due(now: datetime) -> ColumnElement[bool]:
    state = OutboxItem.state
    return or_(
        (state == OutboxState.WAITING) & has_come(OutboxItem.next_at, now),
        (state == OutboxState.SENDING) & is_over(OutboxItem.lease_until, now),
    )


def claim(
    session: Session, now: datetime, *, most: int = 20, kind: str = MAIL
) -> list[Item]:
    """Lease what is due, oldest first. Nobody else gets it while the lease lasts.

    What a worker died over goes alone, and after the last try not at all: it may be
    what kills them, and must not take the others along.
    """
    rows = session.scalars(
        select(OutboxItem)
        .where(_due(now), of_kind(kind))
        .order_by(OutboxItem.next_at, OutboxItem.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    abandoned = [row for row in rows if row.state is OutboxState.SENDING]
    if abandoned and abandoned[0].tries > len(GAPS):
        park(session, _item(abandoned[0]), "The worker ended at each try.")
        return []
    chosen = abandoned[:1] or rows
    return [_item(row) for row in chosen if _lease(session, row, now)]


def _lease(session: Session, row: OutboxItem, now: datetime) -> bool:
    return bool(
        rows_changed(
            session,
            update(OutboxItem)
            .where(OutboxItem.id == row.id, _due(now))
            .values(
                state=OutboxState.SENDING,
                lease_until=now + LEASE,
                tries=OutboxItem.tries + 1,
            ),
        )
    )


def _item(row: OutboxItem) -> Item:
    return Item(
        row.id,
        row.topic,
        row.dedupe,
        row.recipient,
        row.order_id,
        row.payload,
        row.tries + 1,
    )


def done(session: Session, item: Item, now: datetime) -> None:
    """Mark an item as sent."""
    rows_changed(
        session,
        update(OutboxItem)
        .where(OutboxItem.id == item.id)
        .values(state=OutboxState.SENT, sent_at=now, lease_until=None, last_error=None),
    )


def later(
    session: Session,
    item: Item,
    error: str,
    now: datetime,
    *,
    gaps: Sequence[timedelta] = GAPS,
) -> None:
    """Try again after a growing gap; after the last one the item is dead."""
    again = next_try(item.tries, now, gaps)
    _stop(
        session, item, error, OutboxState.WAITING if again else OutboxState.DEAD, again
    )


def put_back(session: Session, items: Sequence[Item]) -> None:
    """Give back what was leased and not tried; it is due at once, and no try is lost."""
    rows_changed(
        session,
        update(OutboxItem)
        .where(
            OutboxItem.id.in_([item.id for item in items]),
            OutboxItem.state == OutboxState.SENDING,
        )
        .values(
            state=OutboxState.WAITING, lease_until=None, tries=OutboxItem.tries - 1
        ),
    )


def park(session: Session, item: Item, error: str) -> None:
    """Give up on an item until somebody says `retry`; `handsel mail list` shows it."""
    _stop(session, item, error, OutboxState.DEAD, None)


def forget(session: Session, item: Item) -> None:
    """Take an item away that is not worth sending any more."""
    rows_changed(
        session,
        delete(OutboxItem).where(
            OutboxItem.id == item.id, OutboxItem.state == OutboxState.SENDING
        ),
    )


def let_go(session: Session, chosen: ColumnElement[bool], now: datetime) -> None:
    """Count as sent what is on its way this moment: whoever carries it may say what they
    like of it afterwards, with addresses in it; nothing of that is kept."""
    going = update(OutboxItem).where(chosen, OutboxItem.state == OutboxState.SENDING)
    rows_changed(
        session,
        going.values(state=OutboxState.SENT, sent_at=now, lease_until=None),
    )


def _stop(
    session: Session,
    item: Item,
    error: str,
    state: OutboxState,
    next_at: datetime | None,
) -> None:
    values: dict[str, Any] = {"state": state, "lease_until": None, "last_error": error}
    if next_at:
        values["next_at"] = next_at
    rows_changed(
        session,
        update(OutboxItem)
        .where(OutboxItem.id == item.id, OutboxItem.state == OutboxState.SENDING)
        .values(**values),
    )


def newest(
    session: Session,
    state: OutboxState | None = None,
    *,
    most: int = 50,
    kind: str = MAIL,
    before: int | None = None,
) -> Sequence[OutboxItem]:
    """List items, newest first: all, or those in one state; those `before` an id."""
    chosen = select(OutboxItem).where(of_kind(kind))
    if before is not None:
        chosen = chosen.where(OutboxItem.id < before)
    chosen = chosen.order_by(OutboxItem.id.desc()).limit(most)
    if state is not None:
        chosen = chosen.where(OutboxItem.state == state)
    return session.scalars(chosen).all()


def progress(item: OutboxItem) -> dict[str, Any]:
    """Say how far an item has come and what hinders it; times in ISO 8601."""
    return {
        "order": order_number(item.order_id) if item.order_id else None,
        "state": str(item.state),
        "tries": item.tries,
        "created_at": item.created_at.isoformat(),
        "next_at": item.next_at.isoformat(),
        "sent_at": item.sent_at.isoformat() if item.sent_at else None,
        "last_error": item.last_error,
    }


def retry(
    session: Session, now: datetime, *, item_id: int | None = None, kind: str = MAIL
) -> int:
    """Let dead items go again at once, all of them or one; give how many."""
    chosen = update(OutboxItem).where(OutboxItem.state == OutboxState.DEAD)
    chosen = chosen.where(of_kind(kind))
    if item_id is not None:
        chosen = chosen.where(OutboxItem.id == item_id)
    return rows_changed(
        session, chosen.values(state=OutboxState.WAITING, tries=0, next_at=now)
    )
