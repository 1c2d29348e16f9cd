"""The mails of a campaign, one row for each buyer: leased, sent, marked.

As in the outbox: at least once, never zero times. A worker that dies leaves leases that
run out, and a repeat carries the same Message-ID. Each mail is marked as soon as the
server has taken it, before the next one goes over the same connection, so that a death
at any moment repeats one mail for each connection at the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from handsel.models import (
    Campaign,
    Customer,
    Entitlement,
    Order,
    Recipient,
    Suppression,
)
from handsel.models.database import rows_changed
from handsel.models.words import RecipientState
from handsel.outbound.leases import LEASE, is_over, is_put_off, next_try


@dataclass(frozen=True)
class Addressee:
    """One leased mail, as plain facts that outlive the transaction.

    `lease_until` tells this lease from any other of the same mail. `reason` says why it
    must not go after all: something has changed since it was written down.

    Args:
        public_id, token_version: of the purchase that the link leads to.
        name: the public id of the purchase that was written down, which stays: the
            Message-ID is made of it.
    """

    id: int
    email: str
    public_id: str
    token_version: int
    test: bool
    name: str
    tries: int
    lease_until: datetime | None
    reason: str | None


@dataclass(frozen=True)
class Sent:
    """A mail that the server has taken, and when."""

    id: int
    at: datetime


def anything_due(session: Session, campaign_id: int, now: datetime) -> bool:
    """Say whether `claim` would find something."""
    found = select(Recipient.id).where(
        Recipient.campaign_id == campaign_id, or_(*_due(now))
    )
    return session.scalar(found.limit(1)) is not None


def anybody_left(session: Session, campaign_id: int) -> bool:
    """Say whether somebody still waits, now or for another try."""
    found = select(Recipient.id).where(
        Recipient.campaign_id == campaign_id,
        Recipient.state.in_((RecipientState.WAITING, RecipientState.SENDING)),
    )
    return session.scalar(found.limit(1)) is not None


def claim(
    session: Session, campaign_id: int, now: datetime, most: int
) -> list[Addressee]:
    """Lease what is due. Nobody else gets it while the lease lasts."""
    chosen = _choose(session, campaign_id, now, most)
    if not chosen:
        return []
    leased = session.scalars(
        update(Recipient)
        .where(Recipient.id.in_(chosen), or_(*_due(now)))
        .values(
            state=RecipientState.SENDING,
            lease_until=now + LEASE,
            tries=Recipient.tries + 1,
        )
        .returning(Recipient.id)
        .execution_options(synchronize_session=False)
    ).all()
    return _addressees(session, leased)


def _choose(
    session: Session, campaign_id: int, now: datetime, most: int
) -> Sequence[int]:
    """Find some that are due, first those that a dead worker has left.

    The index knows each kind in its order. Asked for all at once, or for an order among
    equals, the database would sort everyone who waits, for every batch.
    """
    chosen: list[int] = []
    for due in _due(now):
        if len(chosen) == most:
            break
        found = (
            select(Recipient.id)
            .where(Recipient.campaign_id == campaign_id, due)
            .order_by(Recipient.next_at)
            .limit(most - len(chosen))
            .with_for_update(skip_locked=True)
        )
        chosen += session.scalars(found)
    return chosen


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Tell the kinds that are due: left by somebody, waiting, put off by a wrong clock."""
    left, waits = RecipientState.SENDING, RecipientState.WAITING
    return (
        (Recipient.state == left) & is_over(Recipient.lease_until, now),
        (Recipient.state == waits) & (Recipient.next_at <= now),
        (Recipient.state == waits) & is_put_off(Recipient.next_at, now),
    )


def _addressees(session: Session, ids: Sequence[int]) -> list[Addressee]:
    return [
        Addressee(
            id=row.id,
            email=row.email or "",
            public_id=row.public_id or "",
            token_version=row.token_version or 0,
            test=bool(row.test),
            name=row.name,
            tries=row.tries,
            lease_until=row.lease_until,
            reason=_why_not(row),
        )
        for row in session.execute(_asked().where(Recipient.id.in_(ids)))
    ]


@cache
def _asked() -> Select[*tuple[Any, ...]]:
    """Ask for all a mail needs, and for what may forbid it by now.

    `opens` is the purchase the link leads to: the one that was written down, or another
    of the same buyer once that one is closed.
    """
    stopped = (
        select(func.min(Suppression.reason))
        .where(Suppression.email_key == Customer.email_key)
        .scalar_subquery()
    )
    other = aliased(Recipient)
    # The address of a purchase was corrected to that of somebody who gets one anyway.
    twice = exists().where(
        other.campaign_id == Recipient.campaign_id,
        other.customer_id == Order.customer_id,
        other.id != Recipient.id,
    )
    opens = aliased(Order)
    which = case((Entitlement.access, Order.id), else_=_another())
    return (
        select(
            Recipient.id,
            Recipient.tries,
            Recipient.lease_until,
            Order.public_id.label("name"),
            Order.email.is_(None).label("erased"),
            opens.email,
            opens.public_id,
            opens.token_version,
            opens.test,
            stopped.label("stopped"),
            twice.label("twice"),
        )
        .join(Order, Order.id == Recipient.order_id)
        .join(Campaign, Campaign.id == Recipient.campaign_id)
        .join(Entitlement, _told_of(Order))
        .join(Customer, Customer.id == Order.customer_id, isouter=True)
        .join(opens, opens.id == which, isouter=True)
        .order_by(Recipient.id)
    )


def _another() -> ScalarSelect[int | None]:
    """Find the newest purchase of the same that opens the files, and lacks the news."""
    order = aliased(Order)
    return (
        select(func.max(order.id))
        .join(Entitlement, _told_of(order))
        .where(
            order.customer_id == Order.customer_id,
            order.test == Order.test,
            Entitlement.access,
            or_(
                Campaign.release_id.is_(None),
                Entitlement.release_id < Campaign.release_id,
            ),
        )
        .correlate(Campaign, Order)
        .scalar_subquery()
    )


def _told_of(order: type[Order]) -> ColumnElement[bool]:
    """Find what a purchase opens of the product a mail is about; it may open several."""
    same = Entitlement.order_id == order.id
    return and_(same, Entitlement.product_id == Campaign.product_id)


def _why_not(row: Any) -> str | None:
    if row.erased:
        return "erased"
    if row.stopped:
        return str(row.stopped)
    if row.twice:
        return "same address"
    return None if row.public_id else "closed"


def done(connection: Connection, mails: Sequence[Sent]) -> None:
    """Mark mails as sent."""
    connection.execute(_sent(), [{"recipient": one.id, "at": one.at} for one in mails])


@cache
def _sent() -> Update:
    """Give the statement, made once as `_asked`: building it costs more than running it."""
    table = Recipient.metadata.tables[Recipient.__tablename__]
    return (
        update(table)
        .where(
            table.c.id == bindparam("recipient"),
            table.c.state == RecipientState.SENDING,
        )
        .values(
            state=RecipientState.SENT,
            sent_at=bindparam("at"),
            lease_until=None,
            last_error=None,
        )
    )


def fail(session: Session, one: Addressee, error: str) -> None:
    """Give up on a mail until somebody says `retry`."""
    _end(session, one, RecipientState.FAILED, last_error=error)


def skip(session: Session, one: Addressee, reason: str) -> None:
    """Send nothing after all."""
    _end(session, one, RecipientState.SKIPPED, reason=reason)


def later(session: Session, one: Addressee, error: str, now: datetime) -> None:
    """Try again after a growing gap; after the last one it has failed."""
    if again := next_try(one.tries, now):
        _end(session, one, RecipientState.WAITING, next_at=again, last_error=error)
    else:
        fail(session, one, error)


def let_go(session: Session, customers: Sequence[int], now: datetime) -> None:
    """Count as sent what is on its way to these: as `outbox.let_go`."""
    rows_changed(
        session,
        update(Recipient)
        .where(
            Recipient.customer_id.in_(customers),
            Recipient.state == RecipientState.SENDING,
        )
        .values(state=RecipientState.SENT, sent_at=now, lease_until=None),
    )


def put_back(session: Session, batch: Sequence[Addressee]) -> None:
    """Give back what was leased and not tried; it is due at once, and no try is lost."""
    for one in batch:
        _end(session, one, RecipientState.WAITING, tries=Recipient.tries - 1)


def _end(
    session: Session, one: Addressee, state: RecipientState, **values: object
) -> None:
    """End a lease, if it is still this one: what others have leased since is theirs."""
    rows_changed(
        session,
        update(Recipient)
        .where(
            Recipient.id == one.id,
            Recipient.state == RecipientState.SENDING,
            Recipient.lease_until == one.lease_until,
        )
        .values(state=state, lease_until=None, **values),
    )


def retry(session: Session, campaign_id: int, now: datetime) -> int:
    """Let those that failed go again at once; give how many."""
    return rows_changed(
        session,
        update(Recipient)
        .where(
            Recipient.campaign_id == campaign_id,
            Recipient.state == RecipientState.FAILED,
        )
        .values(state=RecipientState.WAITING, tries=0, next_at=now),
    )
