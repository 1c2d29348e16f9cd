"""Passkeys (WebAuthn level 3): a device proves both itself and the person before it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session, joinedload
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from handsel.kit.errors import BadInputError
from handsel.models import Passkey, PasskeyChallenge, Staff
from handsel.models.database import insert_new, rows_changed

LIFE = timedelta(minutes=5)
MOST = 20
"""Passkeys one person may have."""
UNREADABLE = (WebAuthnException, ValueError, KeyError, TypeError, RecursionError)
"""What comes of an answer that is wrong, or no answer at all."""


class PasskeyRefusedError(BadInputError):
    """What the device sent proves nothing here."""


@dataclass(frozen=True)
class Party:
    """The shop as devices know it.

    Args:
        id: the host that passkeys are bound to.
        origin: where the pages come from.
    """

    id: str
    origin: str
    name: str


def party(shop_url: str, shop_name: str) -> Party | None:
    """Say what passkeys are bound to; None at a bare IP address, where there are none."""
    parts = urlsplit(shop_url)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Party(host, f"{parts.scheme}://{parts.netloc}", shop_name)
    return None


def offer(
    session: Session, shop: Party, person: Staff, now: datetime
) -> dict[str, Any]:
    """Say what the browser should ask a device for, to make a passkey.

    JSON for `PublicKeyCredential.parseCreationOptionsFromJSON`. Raises BadInputError when
    there are enough.
    """
    mine = of(session, person)
    if len(mine) >= MOST:
        raise BadInputError("That are enough passkeys.", "Delete one first.")
    options = webauthn.generate_registration_options(
        rp_id=shop.id,
        rp_name=shop.name,
        user_id=f"staff-{person.id}".encode(),
        user_name=person.email,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(base64url_to_bytes(each.credential_id))
            for each in mine
        ],
    )
    _remember(session, options.challenge, now)
    return _json(webauthn.options_to_json(options))


def keep(
    session: Session,
    shop: Party,
    person: Staff,
    answer: str,
    name: str,
    now: datetime,
) -> Passkey:
    """Take the passkey a device has made. Raises PasskeyRefusedError."""
    try:
        seen = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=_asked(session, answer, now),
            expected_rp_id=shop.id,
            expected_origin=shop.origin,
            require_user_verification=True,
        )
    except UNREADABLE:
        raise _refused() from None
    made = insert_new(
        session,
        Passkey,
        staff_id=person.id,
        credential_id=bytes_to_base64url(seen.credential_id),
        public_key=bytes_to_base64url(seen.credential_public_key),
        sign_count=seen.sign_count,
        name=name.strip()[:60] or "Passkey",
        created_at=now,
    )
    if not made:
        raise _refused()
    return _known(session, bytes_to_base64url(seen.credential_id))


def ask(session: Session, shop: Party, now: datetime) -> dict[str, Any]:
    """Say what the browser should ask a device for, to sign in with a passkey.

    JSON for `PublicKeyCredential.parseRequestOptionsFromJSON`.
    """
    options = webauthn.generate_authentication_options(
        rp_id=shop.id, user_verification=UserVerificationRequirement.REQUIRED
    )
    _remember(session, options.challenge, now)
    return _json(webauthn.options_to_json(options))


def check(session: Session, shop: Party, answer: str, now: datetime) -> Staff:
    """Say who is in front of a device, by what it signed. Raises PasskeyRefusedError.

    A device that counts must have counted on: a copy of it would be behind.
    """
    try:
        challenge = _asked(session, answer, now)
        passkey = _known(session, str(_json(answer)["id"]))
        seen = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=shop.id,
            expected_origin=shop.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (*UNREADABLE, NoResultFound):
        raise _refused() from None
    session.execute(
        update(Passkey)
        .where(Passkey.id == passkey.id)
        .values(sign_count=seen.new_sign_count, used_at=now)
    )
    return passkey.staff


def of(session: Session, person: Staff) -> Sequence[Passkey]:
    """List somebody's passkeys, oldest first."""
    mine = select(Passkey).where(Passkey.staff_id == person.id).order_by(Passkey.id)
    return session.scalars(mine).all()


def drop(session: Session, person: Staff, number: int) -> bool:
    """Forget one passkey of a person; say whether it was there. Safe to repeat."""
    mine = (Passkey.id == number, Passkey.staff_id == person.id)
    return bool(rows_changed(session, delete(Passkey).where(*mine)))


def _remember(session: Session, challenge: bytes, now: datetime) -> None:
    session.add(PasskeyChallenge(challenge=_name(challenge), expires_at=now + LIFE))


def _asked(session: Session, answer: str, now: datetime) -> bytes:
    """Give the challenge an answer is for, if we asked it; it is used up by this."""
    client = base64url_to_bytes(_json(answer)["response"]["clientDataJSON"])
    challenge = base64url_to_bytes(_json(client.decode())["challenge"])
    ours = (
        PasskeyChallenge.challenge == _name(challenge),
        PasskeyChallenge.expires_at > now,
    )
    if not rows_changed(session, delete(PasskeyChallenge).where(*ours)):
        raise ValueError("nobody asked for this")
    return challenge


def _name(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()


def _known(session: Session, credential_id: str) -> Passkey:
    return session.scalars(
        select(Passkey)
        .where(Passkey.credential_id == credential_id)
        .options(joinedload(Passkey.staff))
    ).one()


def _json(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found


def _refused() -> PasskeyRefusedError:
    return PasskeyRefusedError(
        "This passkey could not be used.",
        "Try again, or sign in with your password and a code.",
    )
