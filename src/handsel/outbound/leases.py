"""What the outbox and mails to everyone have in common: leases, tries, gaps between them.

Every worker brings its own clock. What would wait for longer than anything may was put
off by one that was far ahead, and is due as soon as somebody knows better.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, SQLColumnExpression, or_

LEASE = timedelta(minutes=2)
GAPS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
)
"""How long to wait after each failed try; after the last one, no more is tried."""
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Due whatever time it is."""

Moment = SQLColumnExpression[datetime] | SQLColumnExpression[datetime | None]


def next_try(
    tries: int, now: datetime, gaps: Sequence[timedelta] = GAPS
) -> datetime | None:
    """Say when to try again after so many tries; None when it was the last."""
    return now + gaps[tries - 1] if tries <= len(gaps) else None


def has_come(next_at: Moment, now: datetime) -> ColumnElement[bool]:
    """Choose what may be tried."""
    return or_(next_at <= now, is_put_off(next_at, now))


def is_put_off(next_at: Moment, now: datetime) -> ColumnElement[bool]:
    """Choose what a wrong clock would let wait for longer than any gap."""
    return next_at > now + 2 * GAPS[-1]


def is_over(lease_until: Moment, now: datetime) -> ColumnElement[bool]:
    """Choose what somebody leased who must be dead by now."""
    return or_(lease_until <= now, lease_until > now + 2 * LEASE)
