"""Browsers that are signed in: for how long, which, and ending them.

Twelve hours at most, and half an hour without a sign of life (OWASP ASVS 5.0, 7.3).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session, joinedload

from handsel.models import PasskeyChallenge, Staff, StaffSession
from handsel.models.database import rows_changed

LONGEST = timedelta(hours=12)
IDLE = timedelta(minutes=30)
CONFIRMED_FOR = timedelta(minutes=10)
NOTED_EVERY = timedelta(minutes=1)
"""How exactly it is known when a browser was last seen: each note is a write."""


@dataclass(frozen=True)
class Place:
    """Where a browser is and what it calls itself, shortened for people to recognise."""

    network: str
    browser: str


def start(session: Session, person: Staff, place: Place, now: datetime) -> str:
    """Sign a browser in; give what its cookie holds. It is kept nowhere else."""
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            staff_id=person.id,
            token_hash=_hash(token),
            created_at=now,
            seen_at=now,
            confirmed_at=now,
            network=place.network[:60],
            browser=place.browser[:80],
        )
    )
    return token


def find(session: Session, token: str, now: datetime) -> StaffSession | None:
    """Give the session a cookie belongs to, with its person; None when it is over."""
    return session.scalars(
        select(StaffSession)
        .where(StaffSession.token_hash == _hash(token), _alive(now))
        .options(joinedload(StaffSession.staff))
    ).one_or_none()


def is_due(found: StaffSession, now: datetime) -> bool:
    """Say whether it should be noted that this browser was seen."""
    return now - found.seen_at >= NOTED_EVERY


def note(session: Session, found: StaffSession, now: datetime) -> None:
    """Note that a browser was seen. Nothing happens to one that was signed out."""
    rows_changed(
        session,
        update(StaffSession).where(StaffSession.id == found.id).values(seen_at=now),
    )


def is_confirmed(found: StaffSession, now: datetime) -> bool:
    """Say whether it was proved in the last ten minutes who is in front of a browser."""
    return now - found.confirmed_at < CONFIRMED_FOR


def confirm(session: Session, found: StaffSession, now: datetime) -> None:
    """Note that it was just proved."""
    rows_changed(
        session,
        update(StaffSession)
        .where(StaffSession.id == found.id)
        .values(confirmed_at=now, seen_at=now),
    )


def of(session: Session, person: Staff, now: datetime) -> Sequence[StaffSession]:
    """List the browsers somebody is signed in with, the last seen first."""
    return session.scalars(
        select(StaffSession)
        .where(StaffSession.staff_id == person.id, _alive(now))
        .order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())
    ).all()


def end(session: Session, person: Staff, number: int) -> bool:
    """Sign one browser of a person out; say whether it was signed in. Safe to repeat."""
    mine = (StaffSession.id == number, StaffSession.staff_id == person.id)
    return bool(rows_changed(session, delete(StaffSession).where(*mine)))


def end_of(session: Session, token: str) -> None:
    """Sign out what a cookie belongs to: its browser signs in anew. Safe to repeat."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == _hash(token)))


def end_others(session: Session, person: Staff, here: StaffSession) -> int:
    """Sign out every browser of a person but this one; say how many there were."""
    others = (StaffSession.staff_id == person.id, StaffSession.id != here.id)
    return rows_changed(session, delete(StaffSession).where(*others))


def forget_old(session: Session, now: datetime) -> int:
    """Drop sessions and challenges that are over; say how many. Safe to repeat."""
    over = delete(StaffSession).where(~_alive(now))
    asked = delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now)
    return rows_changed(session, over) + rows_changed(session, asked)


def _alive(now: datetime) -> ColumnElement[bool]:
    return and_(
        StaffSession.created_at > now - LONGEST, StaffSession.seen_at > now - IDLE
    )


def _hash(token: str) -> str:
    """Hash a cookie: it is random enough to need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
