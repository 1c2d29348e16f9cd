"""What mail relays say of our mails by web hook: bounces and complaints.

Sources: documentation.mailgun.com, "Securing Webhooks" and "Webhook Payloads";
postmarkapp.com/developer/webhooks, "Bounce webhook" and "Spam complaint webhook".
A relay knows what became of a mail, and has an account with us alone: what it has signed
is believed. Where a server has refused, the words it used decide, as everywhere.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from handsel.kit.errors import ShopError
from handsel.kit.strictjson import read_object
from handsel.kit.text import shown
from handsel.outbound.bounces import MOST_WORDS, Report
from handsel.outbound.verdicts import Kind, judge
from handsel.settings import MailSettings

OLDEST = 12 * 3600
"""Seconds. Mailgun tries for 8 hours to tell us, perhaps with the signature it began
with; that a message counts once is seen to by its name, for much longer."""
AHEAD = 300
"""Seconds that a relay's clock may be ahead of ours."""


class RelayRefusedError(ShopError):
    """A message that is not the relay's, or cannot be read."""

    status = 401


@dataclass(frozen=True)
class News:
    """One message of a relay.

    Args:
        name: which one it is; the same when it comes again.
        kind: the relay's word for what happened.
        report: None when this kind is nothing to us.
    """

    name: str
    kind: str
    report: Report | None


def in_use(mail: MailSettings) -> list[str]:
    """Name the relays that are listened to."""
    return [name for name, secret in _secrets(mail).items() if secret]


def read(
    relay: str,
    mail: MailSettings,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> News:
    """Verify and read a message of a relay that is in use. Raises RelayRefusedError.

    Args:
        headers: their names in small letters.
    """
    secret = _secrets(mail)[relay]
    assert secret
    return _READERS[relay](secret.get_secret_value().strip(), headers, body, now)


def _secrets(mail: MailSettings) -> dict[str, SecretStr | None]:
    return {"mailgun": mail.mailgun_signing_key, "postmark": mail.postmark_secret}


def _mailgun(key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> News:
    message = _object(body)
    signature, event = message.get("signature"), message.get("event-data")
    if not isinstance(signature, dict) or not isinstance(event, dict):
        raise RelayRefusedError(
            "The message is none of Mailgun's.", "Add the web hook in Mailgun anew."
        )
    token = _verified_token(key, signature, now)
    kind = f"{_text(event, 'event')} {_text(event, 'severity')}".strip()
    return News(token, kind, _mailgun_report(event))


def _verified_token(key: str, signature: dict[str, Any], now: datetime) -> str:
    stamp, token = str(signature.get("timestamp", "")), _text(signature, "token")
    # Ten digits exactly: stamp and token are signed as one word, so that a digit could
    # wander from one to the other.
    if not re.fullmatch(r"[0-9]{10}", stamp) or not re.fullmatch(r"\w{8,200}", token):
        raise RelayRefusedError("The message carries no signature of Mailgun's.")
    signed = f"{stamp}{token}".encode()
    ours = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
    # With subaccounts it is the main account's signature that we have the key of.
    given = [_text(signature, name) for name in ("signature", "parent-signature")]
    if not any(_same(ours, each) for each in given):
        raise RelayRefusedError(
            "The signature is not Mailgun's.",
            "Compare mail.mailgun_signing_key with the HTTP webhook signing key.",
        )
    if not -AHEAD <= now.timestamp() - int(stamp) <= OLDEST:
        raise RelayRefusedError(
            "The message is more than twelve hours old, or from the future.",
            "Check the clock of this machine.",
        )
    return token


def _mailgun_report(event: dict[str, Any]) -> Report | None:
    kind = _mailgun_kind(event)
    recipient = _text(event, "recipient")
    if kind is None or "@" not in recipient:
        return None
    return Report(kind, (recipient,), words=_mailgun_words(event))


def _mailgun_kind(event: dict[str, Any]) -> Kind | None:
    what, reason = _text(event, "event"), _text(event, "reason")
    if what == "complained":
        return Kind.COMPLAINT
    if what != "failed":
        return None
    if _text(event, "severity") != "permanent":
        return Kind.SOFT
    if reason == "suppress-bounce":  # on Mailgun's own list of dead addresses
        return Kind.HARD
    if reason == "suppress-complaint":
        return Kind.COMPLAINT
    status = _text(_inside(event, "delivery-status"), "enhanced-code")
    verdict = judge("failed", status, _mailgun_words(event))
    return verdict if reason == "bounce" else Kind.SOFT


def _mailgun_words(event: dict[str, Any]) -> str:
    found = _inside(event, "delivery-status")
    code, message = str(found.get("code") or ""), _text(found, "message")
    words = message or _text(found, "description")
    return _short(words if words.startswith(code) else f"{code} {words}")


def _postmark(
    secret: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> News:
    if not _same(secret, _password(headers.get("authorization", ""))):
        raise RelayRefusedError(
            "The password is not the one of mail.postmark_secret.",
            "Write it into the address of the web hook in Postmark.",
        )
    message = _object(body)
    record, kind = _text(message, "RecordType"), _text(message, "Type")
    number = message.get("ID")
    own = number if isinstance(number, int) else hashlib.sha256(body).hexdigest()
    name = f"{record} {own}"
    return News(name, f"{record} {kind}".strip(), _postmark_report(message))


_POSTMARK_HARD = ("HardBounce", "BadEmailAddress")


def _postmark_report(message: dict[str, Any]) -> Report | None:
    record, kind = _text(message, "RecordType"), _text(message, "Type")
    address = _text(message, "Email")
    if record not in ("Bounce", "SpamComplaint") or "@" not in address:
        return None
    verdict = Kind.HARD if kind in _POSTMARK_HARD else Kind.SOFT
    if "SpamComplaint" in (record, kind):
        verdict = Kind.COMPLAINT
    words = _text(message, "Details") or _text(message, "Description")
    return Report(verdict, (address,), words=_short(words))


def _password(authorization: str) -> str:
    """Give the password of HTTP basic authentication; empty when there is none."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2] if scheme.lower() == "basic" else ""


_READERS: dict[str, Callable[[str, Mapping[str, str], bytes, datetime], News]] = {
    "mailgun": _mailgun,
    "postmark": _postmark,
}


def _object(body: bytes) -> dict[str, Any]:
    try:
        return read_object(body)
    except ValueError as error:
        raise RelayRefusedError("The message cannot be read.") from error


def _inside(found: dict[str, Any], name: str) -> dict[str, Any]:
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _short(words: str) -> str:
    return shown(words).strip()[:MOST_WORDS]


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))
