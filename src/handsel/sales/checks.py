"""Asking a buyer to open a mail before they pay: what somebody who tries cards dislikes.

A mailbox costs them more than an address on the internet, and it is good for few
payments. Where no mail goes out, to wait must do: each who waits goes on in turn.

Of mails and of turns there are only so many. The more of them one visitor has had, the
sooner there is none left for them; so they cannot use up those of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from handsel.models import MailCheck, OutboxItem, Product, RateCounter
from handsel.models.database import insert_new, rows_changed
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
MOST_TURNS = 6
"""So many buyers of a product go on without a mail in a minute, for one payment each."""
TO_PAY = timedelta(minutes=10)
"""What is left of a link's time, at the least, when the turn of its buyer comes."""
KEPT = timedelta(days=1)
_MINUTE, _HOUR = 60, 3600


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
    visitor: str | None,
    mails: bool,
) -> int:
    """Mail a link to a buyer, and name the check.

    Args:
        visitor: a name for where they are; None for this machine, which has no share.
        mails: whether mails of this shop reach anybody; else the buyer only waits.
    """
    check = MailCheck(
        product_id=product_id, email=email, fields=dict(fields), created_at=now
    )
    session.add(check)
    session.flush()
    share = _share(session, MOST_MAILS, "mails", visitor, now)
    if mails and _mailed_lately(session, now) < share:
        _count(session, "mails", visitor, now)
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


def take_turn(
    session: Session, number: int, visitor: str | None, now: datetime
) -> datetime | None:
    """Name the minute in which a buyer goes on without a mail; None if none is free.

    Safe to repeat: nobody has two turns with one check.
    """
    check = session.get_one(MailCheck, number, with_for_update=True)
    if taken := turn(session, number):
        return taken
    share = _share(session, MOST_TURNS, "turns", visitor, now)
    minute = _free_minute(session, check, share, now)
    if minute is None:
        return None
    _count(session, "turns", visitor, now)
    insert_new(session, RateCounter, bucket=_ticket(number), window=minute, hits=1)
    check.starts = max(check.starts, STARTS - 1)
    return datetime.fromtimestamp(minute, UTC)


def turn(session: Session, number: int) -> datetime | None:
    """Say when the turn of a check is, if it has one."""
    ticket = RateCounter.bucket == _ticket(number)
    minute = session.scalar(select(RateCounter.window).where(ticket))
    return None if minute is None else datetime.fromtimestamp(minute, UTC)


def _ticket(number: int) -> str:
    return f"turn:{number}"


def _free_minute(
    session: Session, check: MailCheck, share: int, now: datetime
) -> int | None:
    """Take a place in the first minute in which fewer than `share` have one."""
    line = f"line:{check.product_id}"
    first = _start(now, _MINUTE)
    end = _start(check.created_at + GOOD_FOR - TO_PAY, _MINUTE)
    known = select(RateCounter.window, RateCounter.hits).where(
        RateCounter.bucket == line, RateCounter.window >= first
    )
    taken = {row.window: row.hits for row in session.execute(known)}
    for minute in range(first, end, _MINUTE):
        if taken.get(minute, 0) < share and _add(session, line, minute, most=share):
            return minute
    return None


def _share(
    session: Session, most: int, what: str, visitor: str | None, now: datetime
) -> int:
    """Say up to how many of `most` there may be for this visitor to have one more.

    All for who has had none within the hour, a half for who has had one, a third after
    two. The same visitor elsewhere waits until this transaction is over.
    """
    if visitor is None:
        return most
    mine = {"bucket": f"{what}:{visitor}", "window": _start(now, _HOUR)}
    insert_new(session, RateCounter, **mine, hits=0)
    had = select(RateCounter.hits).filter_by(**mine).with_for_update()
    return most // (session.scalars(had).one() + 1)


def _count(session: Session, what: str, visitor: str | None, now: datetime) -> None:
    if visitor is not None:
        _add(session, f"{what}:{visitor}", _start(now, _HOUR))


def _add(
    session: Session, bucket: str, window: int, *, most: int | None = None
) -> bool:
    """Count one more; False if there are `most` already."""
    insert_new(session, RateCounter, bucket=bucket, window=window, hits=0)
    mine = update(RateCounter).filter_by(bucket=bucket, window=window)
    if most is not None:
        mine = mine.where(RateCounter.hits < most)
    return bool(rows_changed(session, mine.values(hits=RateCounter.hits + 1)))


def _start(at: datetime, length: int) -> int:
    """Give the second in which the minute or the hour of a moment began."""
    second = int(at.timestamp())
    return second - second % length


def forget(session: Session, now: datetime) -> None:
    """Forget checks whose time has long been over.

    Of the newest its number is kept: SQLite would give it again, to a check that the
    links of this one would open.
    """
    old = MailCheck.created_at < now - KEPT
    session.execute(update(MailCheck).where(old).values(email="", fields={}))
    newest = select(func.max(MailCheck.id)).scalar_subquery()
    session.execute(delete(MailCheck).where(old, MailCheck.id < newest))


def any_open(session: Session, product_id: int, now: datetime) -> bool:
    """Say whether a link that was mailed for a product still works."""
    mine = MailCheck.product_id == product_id, MailCheck.created_at > now - GOOD_FOR
    return session.scalar(select(MailCheck.id).where(*mine).limit(1)) is not None


def newest_of(session: Session) -> int | None:
    """Name the product of the newest check; None if there is none."""
    newest = select(MailCheck.product_id).order_by(MailCheck.id.desc()).limit(1)
    return session.scalar(newest)


def leave(session: Session, product_id: int) -> None:
    """Forget all checks of a product that is being deleted, and that are over.

    The newest of all, which is kept for its number, is left to another product, if there
    is one: of what is over nobody reads which it was for.
    """
    mine = MailCheck.product_id == product_id
    newest = select(func.max(MailCheck.id)).scalar_subquery()
    other = select(func.max(Product.id)).where(Product.id != product_id)
    session.execute(delete(MailCheck).where(mine, MailCheck.id < newest))
    if heir := session.scalar(other):
        session.execute(update(MailCheck).where(mine).values(product_id=heir))
