"""What was done at the desk, by whom and when; written with the change itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.models import AuditEntry

PAGE = 100


def write(
    session: Session,
    who: str,
    action: str,
    subject: str,
    now: datetime,
    *,
    network: str = "",
    **detail: Any,
) -> None:
    """Note what somebody did, in the transaction that does it.

    Args:
        who: the address of the person.
        action: what was done, `order.refunded`: the thing, and the verb in the past.
        subject: what it was done to, as people name it.
        network: where the browser was, shortened.
        detail: what else a reader wants to know; nothing secret, no buyer's address.
    """
    session.add(
        AuditEntry(
            at=now,
            who=who,
            action=action,
            subject=subject[:254],
            detail=detail,
            network=network,
        )
    )


def latest(
    session: Session,
    *,
    before: int | None = None,
    subject: str | None = None,
    most: int = PAGE,
) -> Sequence[AuditEntry]:
    """Give entries, newest first; further ones with the id of the last as `before`."""
    wanted = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(most)
    if before is not None:
        wanted = wanted.where(AuditEntry.id < before)
    if subject is not None:
        wanted = wanted.where(AuditEntry.subject == subject)
    return session.scalars(wanted).all()
