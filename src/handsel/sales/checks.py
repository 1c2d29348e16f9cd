"""Asking a buyer to open a mail before they pay: what somebody who tries cards dislikes.

A mailbox costs them more than an address on the internet, and it is good for few
payments. Where no mail goes out, to wait must do: nobody honest is kept out for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from handsel.models import MailCheck, OutboxItem, Product
from handsel.models.database import rows_changed
from handsel.models.words import OutboxState
from handsel.outbound import emails

PURPOSE = emails.CHECKED
"""What the signature of the mailed link is for."""
GOOD_FOR = timedelta(hours=1)
"""How long a link works,"""
STARTS = 3
"""and for how many payments."""
PATIENCE = timedelta(minutes=1)
"""How long a buyer waits for a mail that does not go out."""
MOST_MAILS = 300
"""So many such mails go out in an hour: nobody shall use the shop to bother strangers."""
KEPT = timedelta(days=1)


class Mail(StrEnum):
    """What has become of the mail of a check."""

    SENT = "sent"  # the mail server has it
    COMING = "coming"  # too early to say
    REFUSED = "refused"  # there is no such mailbox
    NONE = "none"  # none could go out; the buyer waits
    AWAY = "away"  # no mail goes out at all, and the buyer has waited


@dataclass(frozen=True)
class Check:
    """A check as its pages need it."""

    id: int
    product_id: int
    email: str
    fields: Mapping[str, str]


def ask(
    session: Session,
    product_id: int,
    email: str,
    fields: Mapping[str, str],
    now: datetime,
    *,
    mails: bool,
) -> int:
    """Mail a link to a buyer, and name the check.

    `mails`: whether mails of this shop reach anybody; else the buyer only waits.
    """
    check = MailCheck(
        product_id=product_id, email=email, fields=dict(fields), created_at=now
    )
    session.add(check)
    session.flush()
    if mails and _mailed_lately(session, now) < MOST_MAILS:
        name = session.get_one(Product, product_id).name
        minutes = int(GOOD_FOR.total_seconds()) // 60
        emails.check(session, check.id, name, email, minutes, now)
    return check.id


def _mailed_lately(session: Session, now: datetime) -> int:
    mine = (
        OutboxItem.topic == emails.CHECK,
        OutboxItem.created_at > now - timedelta(hours=1),
    )
    count = select(func.count()).select_from(OutboxItem).where(*mine)
    return session.scalar(count) or 0


def find(session: Session, number: int, now: datetime) -> Check | None:
    """Give a check whose time is not over."""
    fresh = (MailCheck.id == number, MailCheck.created_at > now - GOOD_FOR)
    row = session.scalars(select(MailCheck).where(*fresh)).one_or_none()
    return Check(row.id, row.product_id, row.email, row.fields) if row else None


def spend(session: Session, number: int, product_id: int, now: datetime) -> bool:
    """Use a check for one payment; False when it is over, or for another product."""
    return bool(
        rows_changed(
            session,
            update(MailCheck)
            .where(
                MailCheck.id == number,
                MailCheck.product_id == product_id,
                MailCheck.created_at > now - GOOD_FOR,
                MailCheck.starts < STARTS,
            )
            .values(starts=MailCheck.starts + 1),
        )
    )


def mail(session: Session, number: int, now: datetime) -> Mail:
    """Say what has become of the mail of a check, and whether mails go out at all.

    That one mail waits says little: it may be about a mailbox nobody has. So no other
    mail must have gone out since, either.
    """
    asked = session.scalar(select(MailCheck.created_at).where(MailCheck.id == number))
    item = session.scalars(
        select(OutboxItem).where(OutboxItem.dedupe == emails.check_name(number))
    ).one_or_none()
    if item and item.state is OutboxState.SENT:
        return Mail.SENT
    if item and item.state is OutboxState.DEAD:
        return Mail.REFUSED
    if asked is None or now < asked + PATIENCE:
        return Mail.COMING if item else Mail.NONE
    if item is None:
        return Mail.AWAY
    gone = select(OutboxItem.id).where(OutboxItem.sent_at >= asked).limit(1)
    return Mail.COMING if session.scalar(gone) else Mail.AWAY


def forget(session: Session, now: datetime) -> None:
    """Forget checks whose time has long been over."""
    session.execute(delete(MailCheck).where(MailCheck.created_at < now - KEPT))
