"""One-time codes of an app (TOTP, RFC 6238), and those on paper for when it is lost."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from handsel.kit.sealing import UnreadableSecretError, seal, unseal
from handsel.kit.signing import Keys, sign
from handsel.models import RecoveryCode, Staff
from handsel.models.database import rows_changed

SECONDS = 30
RECOVERY_CODES = 10
PURPOSE = "one-time codes"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look like another."""


def offered_secret(keys: Keys, *marks: str) -> str:
    """Give the secret that an invitation offers: the same each time the page is opened.

    `marks` are of this invitation and no other. In base32, 160 bits, as RFC 4226
    recommends.
    """
    proof = sign(keys, "offered codes", *marks).encode()
    return base64.b32encode(hashlib.sha256(proof).digest()[:20]).decode()


def address(secret: str, email: str, shop_name: str) -> str:
    """Give the `otpauth:` address that apps read from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(
        name=email, issuer_name=shop_name.replace(":", " ")
    )


def counter_of(secret: str, code: str, now: datetime) -> int | None:
    """Say for which half minute a code is right: this one or a neighbour; else None."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        return None
    this = int(now.timestamp()) // SECONDS
    made = pyotp.TOTP(secret)
    for counter in (this, this - 1, this + 1):
        if secrets.compare_digest(made.at(counter * SECONDS), digits):
            return counter
    return None


def keep(session: Session, keys: Keys, person: Staff, secret: str, spent: int) -> None:
    """Take a secret for somebody's codes; the code of the half minute `spent` is used."""
    person.code_secret = seal(keys, PURPOSE, secret.encode())
    person.code_counter = spent
    session.flush()


def spend(
    session: Session, keys: Keys, person: Staff, code: str, now: datetime
) -> bool:
    """Use up a code from the app or from paper; say whether it was good.

    Each is good once, also for two who type it in the same moment.
    """
    return _spend_app(session, keys, person, code, now) or _spend_paper(
        session, keys, person, code, now
    )


def _spend_app(
    session: Session, keys: Keys, person: Staff, code: str, now: datetime
) -> bool:
    if person.code_secret is None:
        return False
    try:
        secret = unseal(keys, PURPOSE, person.code_secret).decode()
    except UnreadableSecretError:  # of another shop's backup: paper still works
        return False
    counter = counter_of(secret, code, now)
    if counter is None:
        return False
    newer = update(Staff).where(Staff.id == person.id, Staff.code_counter < counter)
    return bool(rows_changed(session, newer.values(code_counter=counter)))


def _spend_paper(
    session: Session, keys: Keys, person: Staff, code: str, now: datetime
) -> bool:
    mine = (
        RecoveryCode.staff_id == person.id,
        RecoveryCode.code_hash == _hash(keys, person.id, code),
        RecoveryCode.used_at.is_(None),
    )
    return bool(
        rows_changed(session, update(RecoveryCode).where(*mine).values(used_at=now))
    )


def new_recovery_codes(session: Session, keys: Keys, person: Staff) -> list[str]:
    """Make codes for paper; earlier ones are worthless. They are shown this once."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == person.id))
    made = [_written() for _ in range(RECOVERY_CODES)]
    for code in made:
        session.add(
            RecoveryCode(staff_id=person.id, code_hash=_hash(keys, person.id, code))
        )
    return made


def recovery_codes_left(session: Session, person: Staff) -> int:
    """Count the codes on paper that are still good."""
    mine = (RecoveryCode.staff_id == person.id, RecoveryCode.used_at.is_(None))
    return session.scalars(
        select(func.count()).select_from(RecoveryCode).where(*mine)
    ).one()


def _written() -> str:
    """Write 59 bits in three groups of four."""
    letters = [secrets.choice(_LETTERS) for _ in range(12)]
    return "-".join("".join(letters[i : i + 4]) for i in (0, 4, 8))


def _hash(keys: Keys, person: int, code: str) -> str:
    """Hash what was typed, however it was spaced, with a key that is not in the database:
    whoever steals that alone cannot try codes."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    said = f"recovery code:{person}:{plain}".encode("utf-8", "surrogatepass")
    return hmac.digest(keys.id_key, said, "sha256").hex()
