"""Messages of Postmark, which come with a password of ours: it signs nothing.

Source: postmarkapp.com/developer/webhooks, "Bounce webhook", "Spam complaint webhook".
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handsel.outbound.bounces import Report
from handsel.outbound.relays.news import (
    News,
    RelayRefusedError,
    read_body,
    same,
    short,
    text,
)
from handsel.outbound.verdicts import Kind
from handsel.settings import MailSettings

_HARD = ("HardBounce", "BadEmailAddress")


def read(
    mail: MailSettings, headers: Mapping[str, str], body: bytes, now: datetime
) -> list[News]:
    """Verify and read one message, which is about one mail. Raises RelayRefusedError."""
    assert mail.postmark_secret
    secret = mail.postmark_secret.get_secret_value().strip()
    if not same(secret, _password(headers.get("authorization", ""))):
        raise RelayRefusedError(
            "The password is not the one of mail.postmark_secret.",
            "Write it into the address of the web hook in Postmark.",
        )
    message = read_body(body)
    record, kind = text(message, "RecordType"), text(message, "Type")
    number = message.get("ID")
    own = number if isinstance(number, int) else hashlib.sha256(body).hexdigest()
    return [News(f"{record} {own}", f"{record} {kind}".strip(), _report(message))]


def _report(message: dict[str, Any]) -> Report | None:
    record, kind = text(message, "RecordType"), text(message, "Type")
    address = text(message, "Email")
    if record not in ("Bounce", "SpamComplaint") or "@" not in address:
        return None
    verdict = Kind.HARD if kind in _HARD else Kind.SOFT
    if "SpamComplaint" in (record, kind):
        verdict = Kind.COMPLAINT
    words = text(message, "Details") or text(message, "Description")
    return Report(verdict, (address,), words=short(words))


def _password(authorization: str) -> str:
    """Give the password of HTTP basic authentication; empty when there is none."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2] if scheme.lower() == "basic" else ""
