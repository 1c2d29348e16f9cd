"""The people of the shop: inviting them, their coming, their going."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from handsel.customers.staff import codes
from handsel.kit.errors import ConflictError, NotFoundError
from handsel.kit.signing import MAC_LETTERS, Keys, check, sign
from handsel.kit.text import email_key
from handsel.models import Passkey, PasskeyChallenge, Staff, StaffInvite, StaffSession
from handsel.models.database import rows_changed

DAYS = 7
PURPOSE = "begin at the desk"
"""What an invitation's signature is for."""


class InviteSpentError(NotFoundError):
    """This invitation was used already, or its time is over."""

    status = 410


@dataclass(frozen=True)
class Member:
    """One person as a list shows them.

    Args:
        ready: has a password and codes, and can sign in.
        passkeys: how many.
        seen_at: when one of their browsers last asked for something, if one is signed in.
    """

    id: int
    email: str
    ready: bool
    passkeys: int
    since: datetime
    seen_at: datetime | None


def find(session: Session, email: str) -> Staff | None:
    """Give the person with this address, however it is spelled."""
    return session.scalars(
        select(Staff).where(Staff.email_key == email_key(email))
    ).one_or_none()


def get(session: Session, email: str) -> Staff:
    """Give the person with this address. Raises NotFoundError."""
    person = find(session, email)
    if person is None:
        raise NotFoundError(
            f"Nobody with the address {email} runs this shop.",
            "`handsel staff list` shows who does.",
        )
    return person


def by_id(session: Session, number: int) -> Staff:
    """Give the person of a row. Raises NotFoundError."""
    person = session.get(Staff, number)
    if person is None:
        raise NotFoundError("This person does not run the shop any more.")
    return person


def add(session: Session, email: str, now: datetime) -> Staff:
    """Write down somebody new; an invitation brings them in. Raises ConflictError."""
    if find(session, email):
        raise ConflictError(
            f"{email} is one of the staff already.",
            f"For a new link: handsel staff link {email}",
        )
    person = Staff(email=email, email_key=email_key(email), created_at=now)
    session.add(person)
    session.flush()
    return person


def invite(session: Session, person: Staff, now: datetime) -> StaffInvite:
    """Let somebody choose a password, for seven days, once; earlier links are void."""
    make_void(session, person, now)
    made = StaffInvite(
        staff_id=person.id, created_at=now, expires_at=now + timedelta(days=DAYS)
    )
    session.add(made)
    session.flush()
    return made


def make_void(session: Session, person: Staff, now: datetime) -> None:
    """Let no invitation of a person open anything any more. Safe to repeat."""
    mine = (StaffInvite.staff_id == person.id, StaffInvite.used_at.is_(None))
    session.execute(update(StaffInvite).where(*mine).values(used_at=now))


def token(keys: Keys, made: StaffInvite) -> str:
    """Give what opens an invitation, and only this one.

    A number alone may come again: after somebody was taken out, or a backup restored.
    """
    return f"{sign(keys, PURPOSE, *marks(made))}{made.id}"


def marks(made: StaffInvite) -> tuple[str, ...]:
    """Tell an invitation from every other, also from one that has its number again."""
    return (str(made.id), str(made.staff_id), made.created_at.isoformat())


def invited(
    session: Session, keys: Keys, token: str, now: datetime
) -> tuple[StaffInvite, Staff]:
    """Say whom a link invites that is still good.

    Raises NotFoundError for what is no link of ours, InviteSpentError.
    """
    mac, number = token[:MAC_LETTERS], token[MAC_LETTERS:]
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise _unknown()
    made = session.get(StaffInvite, int(number))
    if made is None or not check(keys, PURPOSE, mac, *marks(made)):
        raise _unknown()
    if made.used_at or made.expires_at <= now:
        raise _spent()
    return made, session.get_one(Staff, made.staff_id)


def come_in(
    session: Session,
    keys: Keys,
    token: str,
    *,
    password_hash: str,
    secret: str,
    counter: int,
    now: datetime,
) -> tuple[Staff, list[str]]:
    """Use an invitation up; give the person and fresh codes for paper.

    All that opened the desk for them before is void: password, codes, passkeys, signed-in
    browsers. Raises as `invited` does, also for the second of two who press at once.
    """
    made, person = invited(session, keys, token, now)
    won = rows_changed(
        session,
        update(StaffInvite)
        .where(StaffInvite.id == made.id, StaffInvite.used_at.is_(None))
        .values(used_at=now),
    )
    if not won:
        raise _spent()
    for table in (Passkey, StaffSession):
        session.execute(delete(table).where(table.staff_id == person.id))
    person.password_hash = password_hash
    codes.keep(session, keys, person, secret, counter)
    return person, codes.new_recovery_codes(session, keys, person)


def remove(session: Session, person: Staff) -> None:
    """Take somebody out, with all that opens the desk for them."""
    session.execute(delete(Staff).where(Staff.id == person.id))


def nobody_is_invited(session: Session) -> None:
    """Make every invitation void and sign every browser out, as after a restore."""
    for table in (StaffInvite, StaffSession, PasskeyChallenge):
        session.execute(delete(table))


def everybody(session: Session) -> Sequence[Member]:
    """List the people of the shop, oldest first."""
    passkeys = (
        select(func.count()).where(Passkey.staff_id == Staff.id).scalar_subquery()
    )
    seen = (
        select(func.max(StaffSession.seen_at))
        .where(StaffSession.staff_id == Staff.id)
        .scalar_subquery()
    )
    rows = session.execute(select(Staff, passkeys, seen).order_by(Staff.id))
    return [
        Member(
            id=person.id,
            email=person.email,
            ready=person.password_hash is not None,
            passkeys=count,
            since=person.created_at,
            seen_at=last,
        )
        for person, count, last in rows
    ]


def _unknown() -> NotFoundError:
    return NotFoundError(
        "This link opens nothing.",
        "Look whether all of it was copied; on the server, `handsel staff link E-MAIL`"
        " gives a new one.",
    )


def _spent() -> InviteSpentError:
    return InviteSpentError(
        "This link has been used, or its seven days are over.",
        "Ask for another, or on the server run: handsel staff link E-MAIL",
    )
