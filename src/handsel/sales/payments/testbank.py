"""The memory of the pretend bank behind the test provider: one SQLite file of its own.

A provider keeps the truth about money and knows none of the shop's tables, and the
pretend one is no exception: that is why `look_up`, the reconciler and `verify` mean
something in test mode too.

The file has a rollback journal, and a connection lasts for one call. Measured with 16
threads, that is as fast as WAL, whose log is folded back each time the last connection
closes; it is one file instead of three; and the WAL-reset bug of SQLite 3.7.0 to 3.51.2
cannot touch it, so the system's own SQLite will do.
"""

import json
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from handsel.sales.payments.base import (
    Declined,
    Fact,
    Glimpse,
    ProviderUnavailableError,
    Purchase,
    UnknownSessionError,
)
from handsel.sales.payments.testcards import Card
from handsel.sales.payments.testsessions import (
    SCHEMA,
    Session,
    dispute,
    read_session,
    text_of,
)

# Whoever changes a row under this condition has won; everybody else comes too late.
_IS_OPEN = "paid_at IS NULL AND cancelled_at IS NULL AND expires_at > :now"


class Bank:
    """Sessions and what became of them; safe for many threads and processes.

    The file appears at the first use, readable by its owner only. Every method raises
    ProviderUnavailableError when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # SQLite's own waiting is unfair: without this, one of 16 threads waits for 0.3 s.
        self._turn = threading.Lock()

    def open_session(self, purchase: Purchase, now: datetime) -> str:
        """Remember what is to be paid; the same `purchase.key` gives the same session."""
        with self._open() as db:
            db.execute(
                """INSERT INTO session (id, key, title, price_minor, currency, email,
                    return_url, cancel_url, reference, expires_at, changed_at)
                VALUES (:id, :key, :title, :minor, :currency, :email,
                    :return_url, :cancel_url, :reference, :expires_at, :now)
                ON CONFLICT (key) DO NOTHING""",
                {
                    "id": f"tp_{secrets.token_urlsafe(16)}",
                    "key": purchase.key,
                    "title": purchase.title,
                    "minor": purchase.price.minor,
                    "currency": purchase.price.currency,
                    "email": purchase.email,
                    "return_url": purchase.return_url,
                    "cancel_url": purchase.cancel_url,
                    "reference": json.dumps(dict(purchase.reference)),
                    "expires_at": text_of(purchase.expires_at),
                    "now": text_of(now),
                },
            )
            row = db.execute("SELECT id FROM session WHERE key = ?", [purchase.key])
            return str(row.fetchone()["id"])

    def find(self, object_id: str) -> Session:
        """Find a session by its own id, or by that of its capture, refund or dispute.

        Raises UnknownSessionError.
        """
        with self._open() as db:
            row = db.execute(
                """SELECT * FROM session WHERE id IN
                (:id, :payer, (SELECT session_id FROM fact WHERE object_id = :id))""",
                {"id": object_id, "payer": re.sub(r"\Atc_", "tp_", object_id)},
            ).fetchone()
            if row is None:
                raise UnknownSessionError(
                    "There is no such payment.", "Please begin again in the shop."
                )
            facts = db.execute(
                """SELECT fact.*, refund_key.key FROM fact
                LEFT JOIN refund_key ON refund_key.object_id = fact.object_id
                    AND fact.kind = 'refund'
                WHERE session_id = ? ORDER BY at, kind""",
                [row["id"]],
            )
            return read_session(row, facts.fetchall())

    def ask(self, session_id: str, card: Card, email: str, now: datetime) -> bool:
        """Wait for the card's owner to confirm; false when the session is not open."""
        return self._change(
            f"""UPDATE session SET asked_last4 = :last4, email = :email, changed_at = :now
            WHERE id = :id AND {_IS_OPEN}""",  # noqa: S608 - a constant of this module
            {
                "id": session_id,
                "last4": card.last4,
                "email": email,
                "now": text_of(now),
            },
        )

    def stop_asking(self, session_id: str, now: datetime) -> None:
        """The owner did not confirm, or to no avail: the session is open for another try."""
        self._change(
            "UPDATE session SET asked_last4 = NULL, changed_at = :now WHERE id = :id",
            {"id": session_id, "now": text_of(now)},
        )

    def decline(self, session_id: str, now: datetime) -> None:
        """The bank says no to a card: the session is open for another one."""
        self.stop_asking(session_id, now)
        self._change(
            "INSERT INTO decline (session_id, at) VALUES (:id, :now)",
            {"id": session_id, "now": text_of(now)},
        )

    def declined(self, session_id: str) -> tuple[Declined, ...]:
        """Name the cards that were declined in a session."""
        with self._open() as db:
            rows = db.execute(
                "SELECT number, at FROM decline WHERE session_id = ?", [session_id]
            ).fetchall()
        return tuple(
            Declined(f"tn_{row['number']}", datetime.fromisoformat(row["at"]))
            for row in rows
        )

    def approve(
        self, session: Session, card: Card, email: str, now: datetime, *, asked: bool
    ) -> bool:
        """Take the money, once; false when the session is not open, or not any more.

        `asked`: only while the owner of just this card is being asked to confirm.
        """
        approved = f"""UPDATE session SET paid_at = :now, changed_at = :now,
            email = :email, last4 = :last4, asked_last4 = NULL,
            arrives_at = :arrives_at, comes = :comes
            WHERE id = :id AND {_IS_OPEN}
            AND (NOT :asked OR asked_last4 = :last4)"""  # noqa: S608 - our own constant
        values = {
            "id": session.id,
            "email": email,
            "last4": card.last4,
            "now": text_of(now),
            "arrives_at": text_of(now + card.delay),
            "comes": card.comes,
            "asked": asked,
        }
        with self._transaction() as db:
            won = db.execute(approved, values).rowcount == 1
            if won and card.disputed:
                _add_fact(db, session.id, dispute(session, now))
            return won

    def cancel(self, session_id: str, now: datetime) -> bool:
        """End an open session; false when there was nothing to end."""
        return self._change(
            f"""UPDATE session SET cancelled_at = :now, changed_at = :now
            WHERE id = :id AND {_IS_OPEN}""",  # noqa: S608 - a constant of this module
            {"id": session_id, "now": text_of(now)},
        )

    def changed_since(self, since: datetime, now: datetime) -> list[Glimpse]:
        """Name the sessions that somebody, or the clock, has changed since then."""
        with self._open() as db:
            rows = db.execute(
                """SELECT *, EXISTS (SELECT 1 FROM fact
                    WHERE session_id = session.id AND at >= :since) AS moved
                FROM session WHERE changed_at >= :since
                OR arrives_at BETWEEN :since AND :now
                OR (paid_at IS NULL AND expires_at BETWEEN :since AND :now)""",
                {"since": text_of(since), "now": text_of(now)},
            ).fetchall()
        return [
            Glimpse(
                row["id"], None if row["moved"] else read_session(row, []).state(now)
            )
            for row in rows
        ]

    def add_fact(self, session_id: str, fact: Fact) -> bool:
        """Let something more happen to money that has arrived.

        False when it cannot be: no money there, or more given back than was paid, or it
        has happened already.
        """
        with self._transaction() as db:
            return _add_fact(db, session_id, fact)

    def take_answer(self, dispute_id: str) -> bool:
        """Take the answer to a dispute; false for a second one."""
        return self._change(
            "INSERT INTO answer (object_id) VALUES (:id) ON CONFLICT DO NOTHING",
            {"id": dispute_id},
        )

    def _change(self, statement: str, values: Mapping[str, object]) -> bool:
        with self._open() as db:
            return db.execute(statement, values).rowcount == 1

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Several statements or none of them."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one call; each statement outside a transaction is its own."""
        try:
            with self._turn, closing(self._connect()) as db:
                for statement in SCHEMA:
                    db.execute(statement)
                yield db
        except (sqlite3.DatabaseError, OSError) as error:
            raise ProviderUnavailableError(
                f"The test payments in {self.path} cannot be used: {error}.",
                "Nothing was charged. Check the folder, its rights and free space.",
            ) from error

    def _connect(self) -> sqlite3.Connection:
        # SQLite would create it readable for everybody; it holds addresses.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        db.row_factory = sqlite3.Row
        return db


def _add_fact(db: sqlite3.Connection, session_id: str, fact: Fact) -> bool:
    values = {
        "kind": fact.kind,
        "object": fact.object_id,
        "id": session_id,
        "minor": fact.amount.minor,
        "at": text_of(fact.at),
    }
    added = db.execute(
        """INSERT INTO fact (kind, object_id, session_id, minor, at)
        SELECT :kind, :object, id, :minor, :at FROM session
        WHERE id = :id AND comes AND arrives_at <= :at
        AND (:kind <> 'refund' OR :minor <= price_minor - (
            SELECT COALESCE(SUM(minor), 0) FROM fact
            WHERE session_id = :id AND kind = 'refund' AND object_id NOT IN
                (SELECT object_id FROM fact WHERE kind = 'void')))
        ON CONFLICT DO NOTHING""",
        values,
    )
    db.execute("UPDATE session SET changed_at = :at WHERE id = :id", values)
    if added.rowcount and fact.key:
        known = [fact.object_id, fact.key]
        db.execute("INSERT INTO refund_key (object_id, key) VALUES (?, ?)", known)
    return added.rowcount == 1
