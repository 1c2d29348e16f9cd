"""What the pretend bank writes down: its tables, and a session as they tell it.

Nothing is a state that is pushed along. A session holds what the buyer did and when;
open, processing, complete, failed and expired follow from that and from the clock, so
money that arrives later needs nobody to bring it.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments.base import Fact

SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
    currency TEXT NOT NULL,
    email TEXT,
    return_url TEXT NOT NULL,
    cancel_url TEXT NOT NULL,
    reference TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    asked_last4 TEXT,  -- the card whose owner is being asked to confirm
    cancelled_at TEXT,
    paid_at TEXT,      -- when the buyer had finished
    last4 TEXT,
    arrives_at TEXT,   -- when the money is there, or is known not to come
    comes INTEGER
)
""",
    """
CREATE TABLE IF NOT EXISTS fact (
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor >= 0),
    at TEXT NOT NULL,
    PRIMARY KEY (object_id, kind)
)
""",
    "CREATE INDEX IF NOT EXISTS fact_session ON fact (session_id)",
    # What the shop asked a refund with; and the disputes it has answered.
    "CREATE TABLE IF NOT EXISTS refund_key (object_id TEXT PRIMARY KEY, key TEXT)",
    "CREATE TABLE IF NOT EXISTS answer (object_id TEXT PRIMARY KEY)",
    # Cards that the bank declined.
    """
CREATE TABLE IF NOT EXISTS decline (
    number INTEGER PRIMARY KEY, session_id TEXT NOT NULL, at TEXT NOT NULL
)
""",
    "CREATE INDEX IF NOT EXISTS decline_session ON decline (session_id)",
)


@dataclass(frozen=True)
class Session:
    """One payment session as the bank remembers it."""

    id: str
    title: str
    price: Money
    email: str | None
    return_url: str
    cancel_url: str
    reference: Mapping[str, str]
    expires_at: datetime
    asked_last4: str | None
    cancelled: bool
    last4: str | None
    arrives_at: datetime | None
    comes: bool
    later: tuple[Fact, ...]
    """Refunds and disputes; the capture follows from the rest."""

    def state(self, now: datetime) -> PaymentState:
        """What has become of the session by now."""
        if self.arrives_at is None:
            over = self.cancelled or self.expires_at <= now
            return PaymentState.EXPIRED if over else PaymentState.OPEN
        if now < self.arrives_at:
            return PaymentState.PROCESSING
        return PaymentState.COMPLETE if self.comes else PaymentState.FAILED

    def facts(self, now: datetime) -> tuple[Fact, ...]:
        """Everything that has happened to the money by now."""
        if self.arrives_at is None or self.state(now) is not PaymentState.COMPLETE:
            return ()
        return (capture(self, self.arrives_at), *self.later)


def dispute(session: Session, now: datetime) -> Fact:
    """The dispute of a session: one at most, so it is named after the session."""
    return Fact(
        FactKind.DISPUTE_OPEN, session.id.replace("tp_", "td_", 1), session.price, now
    )


def capture(session: Session, at: datetime) -> Fact:
    """Give the money of a session that came in: once, so it is named after it."""
    return Fact(
        FactKind.CAPTURE, session.id.replace("tp_", "tc_", 1), session.price, at
    )


def read_session(row: sqlite3.Row, facts: list[sqlite3.Row]) -> Session:
    """Read a session from its row and those of its facts."""
    currency, arrives = row["currency"], row["arrives_at"]
    return Session(
        id=row["id"],
        title=row["title"],
        price=Money(row["price_minor"], currency),
        email=row["email"],
        return_url=row["return_url"],
        cancel_url=row["cancel_url"],
        reference=json.loads(row["reference"]),
        expires_at=datetime.fromisoformat(row["expires_at"]),
        asked_last4=row["asked_last4"],
        cancelled=row["cancelled_at"] is not None,
        last4=row["last4"],
        arrives_at=datetime.fromisoformat(arrives) if arrives else None,
        comes=bool(row["comes"]),
        later=tuple(
            Fact(
                FactKind(fact["kind"]),
                fact["object_id"],
                Money(fact["minor"], currency),
                datetime.fromisoformat(fact["at"]),
                fact["key"],
            )
            for fact in facts
        ),
    )


def text_of(time: datetime) -> str:
    """UTC with microseconds, always: such texts sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")
