"""Addresses that get no mail that is sent to many; receipts still go to them.

An address can have several reasons at once, and is written to again when the last of
them is lifted.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from handsel.kit.text import email_key
from handsel.models import Suppression
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import StopReason


def stop(
    session: Session, email: str, reason: StopReason, now: datetime, detail: str = ""
) -> bool:
    """Send nothing more to many to this address; say whether that is new.

    Safe to repeat: the first time and its detail stay.
    """
    return insert_new(
        session,
        Suppression,
        email_key=email_key(email),
        reason=reason,
        at=now,
        detail=detail,
    )


def lift(session: Session, email: str, reason: StopReason | None = None) -> int:
    """Write to an address again; give how many reasons there were.

    Args:
        reason: lift only this one; None lifts all.
    """
    chosen = delete(Suppression).where(Suppression.email_key == email_key(email))
    if reason is not None:
        chosen = chosen.where(Suppression.reason == reason)
    return rows_changed(session, chosen)


def reasons(session: Session, email: str) -> set[StopReason]:
    """Say why an address gets no such mail; empty when it does."""
    return set(
        session.scalars(
            select(Suppression.reason).where(Suppression.email_key == email_key(email))
        )
    )


def newest(session: Session, *, most: int = 50) -> Sequence[Suppression]:
    """List addresses with their reasons, newest first."""
    order = (Suppression.at.desc(), Suppression.email_key)
    return session.scalars(select(Suppression).order_by(*order).limit(most)).all()
