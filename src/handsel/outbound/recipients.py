"""The mails of a campaign, one row for each buyer: leased, sent, marked.

As in the outbox: at least once, never zero times. A worker that dies leaves leases that
run out, and a repeat carries the same Message-ID. Each mail is marked as soon as the
server has taken it, before the next one goes over the same connection, so that a death
at any moment repeats one mail for each connection at the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from handsel.models import Customer, Entitlement, Order, Recipient, Suppression
from handsel.models.database import rows_changed
from handsel.models.words import RecipientState
from handsel.outbound.outbox import GAPS

LEASE = timedelta(minutes=2)


@dataclass(frozen=True)
class Addressee:
    """One leased mail, as plain facts that outlive the transaction.

    `reason` says why it must not go after all: something has changed since it was
    written down.
    """

    id: int
    email: str
    public_id: str
    token_version: int
    test: bool
    tries: int
    reason: str | None


def anything_due(session: Session, campaign_id: int, now: datetime) -> bool:
    """Say whether `claim` would find something."""
    found = select(Recipient.id).where(Recipient.campaign_id == campaign_id, _due(now))
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
    chosen = session.scalars(
        select(Recipient.id)
        .where(Recipient.campaign_id == campaign_id, _due(now))
        .order_by(Recipient.next_at, Recipient.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    if not chosen:
        return []
    leased = session.scalars(
        update(Recipient)
        .where(Recipient.id.in_(chosen), _due(now))
        .values(
            state=RecipientState.SENDING,
            lease_until=now + LEASE,
            tries=Recipient.tries + 1,
        )
        .returning(Recipient.id)
        .execution_options(synchronize_session=False)
    ).all()
    return _addressees(session, leased)


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(
        (Recipient.state == RecipientState.WAITING) & (Recipient.next_at <= now),
        (Recipient.state == RecipientState.SENDING) & (Recipient.lease_until <= now),
    )


def _addressees(session: Session, ids: Sequence[int]) -> list[Addressee]:
    stopped = (
        select(func.min(Suppression.reason))
        .where(Suppression.email_key == Customer.email_key)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Recipient.id,
            Order.email,
            Order.public_id,
            Order.token_version,
            Order.test,
            Recipient.tries,
            Entitlement.access,
            stopped.label("stopped"),
        )
        .join(Order, Order.id == Recipient.order_id)
        .join(Entitlement, Entitlement.order_id == Order.id)
        .join(Customer, Customer.id == Order.customer_id, isouter=True)
        .where(Recipient.id.in_(ids))
        .order_by(Recipient.id)
    )
    return [
        Addressee(
            row.id,
            row.email or "",
            row.public_id,
            row.token_version,
            row.test,
            row.tries,
            _why_not(row.email, row.access, row.stopped),
        )
        for row in rows
    ]


def _why_not(email: str | None, access: bool, stopped: str | None) -> str | None:
    if not email:
        return "erased"
    if stopped:
        return str(stopped)
    return None if access else "closed"


def done(session: Session, recipient_id: int, now: datetime) -> None:
    """Mark a mail as sent."""
    _end(session, recipient_id, RecipientState.SENT, sent_at=now, last_error=None)


def fail(session: Session, recipient_id: int, error: str) -> None:
    """Give up on a mail until somebody says `retry`."""
    _end(session, recipient_id, RecipientState.FAILED, last_error=error)


def skip(session: Session, recipient_id: int, reason: str) -> None:
    """Send nothing after all."""
    _end(session, recipient_id, RecipientState.SKIPPED, reason=reason)


def later(session: Session, one: Addressee, error: str, now: datetime) -> None:
    """Try again after a growing gap; after the last one it has failed."""
    if one.tries > len(GAPS):
        fail(session, one.id, error)
        return
    again = now + GAPS[one.tries - 1]
    _end(session, one.id, RecipientState.WAITING, next_at=again, last_error=error)


def _end(
    session: Session, recipient_id: int, state: RecipientState, **values: object
) -> None:
    rows_changed(
        session,
        update(Recipient)
        .where(Recipient.id == recipient_id, Recipient.state == RecipientState.SENDING)
        .values(state=state, lease_until=None, **values),
    )


def put_back(session: Session, batch: Sequence[Addressee]) -> None:
    """Give back what was leased and not tried; it is due at once, and no try is lost.

    What somebody else has leased since stays theirs: each lease has its own `tries`.
    """
    rows_changed(
        session,
        update(Recipient)
        .where(
            tuple_(Recipient.id, Recipient.tries).in_(
                [(one.id, one.tries) for one in batch]
            ),
            Recipient.state == RecipientState.SENDING,
        )
        .values(
            state=RecipientState.WAITING, lease_until=None, tries=Recipient.tries - 1
        ),
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


def failed(
    session: Session, campaign_id: int, *, most: int = 100
) -> list[tuple[str, str]]:
    """List who could not be mailed, with the server's words."""
    rows = session.execute(
        select(Order.email, Recipient.last_error)
        .join(Order, Order.id == Recipient.order_id)
        .where(
            Recipient.campaign_id == campaign_id,
            Recipient.state == RecipientState.FAILED,
        )
        .order_by(Recipient.id)
        .limit(most)
    )
    return [(row.email or "", row.last_error or "") for row in rows]


def skipped(session: Session, campaign_id: int) -> dict[str, int]:
    """Count those who get no mail, for each reason."""
    rows = session.execute(
        select(Recipient.reason, func.count())
        .where(
            Recipient.campaign_id == campaign_id,
            Recipient.state == RecipientState.SKIPPED,
        )
        .group_by(Recipient.reason)
        .order_by(Recipient.reason)
    )
    return {str(reason): number for reason, number in rows}
