"""Messages of SendGrid, many events in each, signed as a whole with its private key.

Sources: twilio.com/docs/sendgrid, "Getting Started with the Event Webhook Security
Features" and "Event Webhook Reference".
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handsel.kit.publickeys import UntrueError, check_p256
from handsel.kit.strictjson import read_objects
from handsel.outbound.bounces import Report
from handsel.outbound.relays.news import (
    News,
    RelayRefusedError,
    check_age,
    short,
    text,
)
from handsel.outbound.verdicts import Kind, judge
from handsel.settings import MailSettings

OLDEST = 26 * 3600
"""Seconds. SendGrid tries for a day; it does not say whether it signs each try anew."""

_HEADER = "x-twilio-email-event-webhook-"
_DROPPED = {
    "bounced address": Kind.HARD,
    "invalid": Kind.HARD,
    "spam reporting address": Kind.COMPLAINT,
}
"""Reasons not even to try that are about the address; others are about the mail."""


def read(
    mail: MailSettings, headers: Mapping[str, str], body: bytes, now: datetime
) -> list[News]:
    """Verify a body, and read those of its events that say something of an address.

    Raises RelayRefusedError.
    """
    _check(mail.sendgrid_public_key, headers, body, now)
    try:
        events = read_objects(body)
    except ValueError as error:
        raise RelayRefusedError("The message cannot be read.") from error
    return [_news(each) for each in events if _kind(each)]


def _check(key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    stamp = headers.get(f"{_HEADER}timestamp", "")
    # Ten digits exactly: time and body are signed as one, and no digit may wander.
    if not re.fullmatch(r"[0-9]{10}", stamp):
        raise RelayRefusedError(
            "The message carries no signature of SendGrid's.",
            "Switch on Signed Event Webhook in SendGrid.",
        )
    try:
        signature = base64.b64decode(
            headers.get(f"{_HEADER}signature", ""), validate=True
        )
        check_p256(key, signature, stamp.encode() + body)
    except (binascii.Error, ValueError, UntrueError) as error:
        raise RelayRefusedError(
            "The signature is not SendGrid's.",
            "Compare mail.sendgrid_public_key with the verification key in SendGrid.",
        ) from error
    check_age(int(stamp), now, OLDEST)


def _news(event: dict[str, Any]) -> News:
    kind, address = _kind(event), text(event, "email")
    report = kind and "@" in address and Report(kind, (address,), words=_words(event))
    what = f"{text(event, 'event')} {text(event, 'type')}".strip()
    return News(_name(event), what, report or None)


def _name(event: dict[str, Any]) -> str:
    whole = json.dumps(event, sort_keys=True).encode()
    return text(event, "sg_event_id") or hashlib.sha256(whole).hexdigest()


def _kind(event: dict[str, Any]) -> Kind | None:
    """Say what an event comes to; None when it is nothing to us."""
    what = text(event, "event")
    if what == "spamreport":
        return Kind.COMPLAINT
    if what == "dropped":
        return _DROPPED.get(text(event, "reason").strip().lower(), Kind.SOFT)
    if what != "bounce":
        return None
    if text(event, "type") != "bounce":  # "blocked": the mail was not wanted today
        return Kind.SOFT
    if text(event, "bounce_classification") == "Invalid Address":
        return Kind.HARD
    return judge("failed", text(event, "status"), _words(event))


def _words(event: dict[str, Any]) -> str:
    return short(f"{text(event, 'status')} {text(event, 'reason')}")
