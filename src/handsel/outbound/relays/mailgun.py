"""Messages of Mailgun, signed with a key that we share.

Source: documentation.mailgun.com, "Securing Webhooks" and "Webhook Payloads".
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handsel.outbound.bounces import Report
from handsel.outbound.relays.news import (
    News,
    RelayRefusedError,
    check_age,
    inside,
    read_body,
    same,
    short,
    text,
)
from handsel.outbound.verdicts import Kind, judge
from handsel.settings import MailSettings


def read(
    mail: MailSettings, headers: Mapping[str, str], body: bytes, now: datetime
) -> list[News]:
    """Verify and read one message, which is about one mail. Raises RelayRefusedError."""
    assert mail.mailgun_signing_key
    key = mail.mailgun_signing_key.get_secret_value().strip()
    message = read_body(body)
    signature, event = message.get("signature"), message.get("event-data")
    if not isinstance(signature, dict) or not isinstance(event, dict):
        raise RelayRefusedError(
            "The message is none of Mailgun's.", "Add the web hook in Mailgun anew."
        )
    token = _verified_token(key, signature, now)
    kind = f"{text(event, 'event')} {text(event, 'severity')}".strip()
    return [News(token, kind, _report(event))]


def _verified_token(key: str, signature: dict[str, Any], now: datetime) -> str:
    stamp, token = str(signature.get("timestamp", "")), text(signature, "token")
    # Ten digits exactly: stamp and token are signed as one word, so that a digit could
    # wander from one to the other.
    if not re.fullmatch(r"[0-9]{10}", stamp) or not re.fullmatch(r"\w{8,200}", token):
        raise RelayRefusedError("The message carries no signature of Mailgun's.")
    signed = f"{stamp}{token}".encode()
    ours = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
    # With subaccounts it is the main account's signature that we have the key of.
    given = [text(signature, name) for name in ("signature", "parent-signature")]
    if not any(same(ours, each) for each in given):
        raise RelayRefusedError(
            "The signature is not Mailgun's.",
            "Compare mail.mailgun_signing_key with the HTTP webhook signing key.",
        )
    check_age(int(stamp), now)
    return token


def _report(event: dict[str, Any]) -> Report | None:
    kind = _kind(event)
    recipient = text(event, "recipient")
    if kind is None or "@" not in recipient:
        return None
    return Report(kind, (recipient,), words=_words(event))


def _kind(event: dict[str, Any]) -> Kind | None:
    what, reason = text(event, "event"), text(event, "reason")
    if what == "complained":
        return Kind.COMPLAINT
    if what != "failed":
        return None
    if text(event, "severity") != "permanent":
        return Kind.SOFT
    if reason == "suppress-bounce":  # on Mailgun's own list of dead addresses
        return Kind.HARD
    if reason == "suppress-complaint":
        return Kind.COMPLAINT
    status = text(inside(event, "delivery-status"), "enhanced-code")
    verdict = judge("failed", status, _words(event))
    return verdict if reason == "bounce" else Kind.SOFT


def _words(event: dict[str, Any]) -> str:
    found = inside(event, "delivery-status")
    code, message = str(found.get("code") or ""), text(found, "message")
    words = message or text(found, "description")
    return short(words if words.startswith(code) else f"{code} {words}")
