"""Messages from PayPal: first the signature, then the time, then the words.

Source: developer.paypal.com/api/rest/webhooks/rest, "Verify a webhook message", by its
certificate. We do not post them back to PayPal, as one may too: whoever sends us forged
messages would make us call PayPal for each, and a true one would have to wait when that
call is slow. What is signed is only worth a look anyway; the look asks PayPal itself.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from handsel.kit.publickeys import UntrueError, check_rsa
from handsel.kit.strictjson import read_object
from handsel.sales.payments.base import Notice, WebhookRefusedError

AHEAD = timedelta(minutes=5)
"""How far ahead of us a message may be."""
OLD = timedelta(days=4)
"""How old it may be: PayPal repeats a message for three days, and nowhere says that it
then signs it anew. An old one is harmless: it is known by its name, or makes us look."""

_ORDER = "CHECKOUT.ORDER.APPROVED"
_REVERSED = "CHECKOUT.PAYMENT-APPROVAL.REVERSED"
_CAPTURES = tuple(
    f"PAYMENT.CAPTURE.{each}" for each in ("COMPLETED", "PENDING", "DENIED", "DECLINED")
)
_REFUNDS = (
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REVERSED",
    "PAYMENT.REFUND.PENDING",
    "PAYMENT.REFUND.FAILED",
)
_DISPUTES = (
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.UPDATED",
    "CUSTOMER.DISPUTE.RESOLVED",
)
EVENTS = (_ORDER, _REVERSED, *_CAPTURES, *_REFUNDS, *_DISPUTES)
"""What the web hook in PayPal's dashboard has to send."""

_HEADERS = ("transmission-id", "transmission-time", "transmission-sig", "cert-url")


def verified_event(
    headers: Mapping[str, str],
    body: bytes,
    webhook_id: str,
    certificate: Callable[[str], bytes],
    now: datetime,
) -> dict[str, Any]:
    """Give the event, if PayPal has signed it for this web hook, lately.

    Args:
        certificate: gives what is at an address, if the address is one of PayPal's;
            raises WebhookRefusedError if not, TryAgainError when it cannot be had now.

    Raises WebhookRefusedError, TryAgainError.
    """
    name, time, signature, address = (
        headers.get(f"paypal-{each}", "") for each in _HEADERS
    )
    if not all((name, time, signature, address)):
        raise WebhookRefusedError("The message carries no signature of PayPal's.")
    if headers.get("paypal-auth-algo", "").upper() != "SHA256WITHRSA":
        raise refused("it is made in a way we do not know")
    _check_time(time, now)
    signed = f"{name}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()
    try:
        given = base64.b64decode(signature, validate=True)
        check_rsa(certificate(address), given, signed, "sha256", now)
    except (UntrueError, binascii.Error, ValueError) as error:
        raise refused("it does not fit") from error
    return _read_event(body)


def refused(why: str) -> WebhookRefusedError:
    """Say that a signature is not PayPal's."""
    return WebhookRefusedError(
        f"The signature is not PayPal's, or for another web hook: {why}.",
        "Compare paypal.webhook_id with the web hook in PayPal's dashboard.",
    )


def _check_time(text: str, now: datetime) -> None:
    try:
        sent = datetime.fromisoformat(text)
    except ValueError as error:
        raise refused("it has no time") from error
    if sent.tzinfo is None:
        raise refused("its time has no zone")
    if not now - OLD <= sent <= now + AHEAD:
        raise WebhookRefusedError(
            "The message is more than four days old, or from the future.",
            "Check the clock of this machine.",
        )


def _read_event(body: bytes) -> dict[str, Any]:
    try:
        return read_object(body)
    except ValueError as error:
        raise WebhookRefusedError("The message cannot be read.") from error


def notice(event: dict[str, Any]) -> Notice:
    """Say what a verified event asks us to look up. Raises WebhookRefusedError."""
    event_id, kind = event.get("id"), event.get("event_type")
    if not isinstance(event_id, str) or not isinstance(kind, str) or not event_id:
        raise WebhookRefusedError("The message has no name.")
    return Notice(event_id, kind, object_of(event))


def object_of(event: dict[str, Any]) -> str | None:
    """Name the order, or else the `capture:` it was; None for what we do not follow.

    Raises WebhookRefusedError when an event we follow is about nothing.
    """
    kind, subject = event.get("event_type"), event.get("resource")
    if kind not in EVENTS:
        return None
    if not isinstance(subject, dict):
        raise WebhookRefusedError("The message has no object.")
    if kind == _ORDER:
        found = subject.get("id")
    elif kind == _REVERSED:
        found = subject.get("order_id") or subject.get("id")
    elif kind in _DISPUTES:
        found = _prefixed(_disputed(subject))
    else:
        found = _related(subject, "order_id") or _prefixed(_capture(kind, subject))
    if not isinstance(found, str) or not found:
        raise WebhookRefusedError("The message has no object.")
    return found


def _capture(kind: str, subject: dict[str, Any]) -> object:
    """Name the capture an event is about: itself, or what is above a refund.

    PayPal's examples of a reversal show both.
    """
    if kind in _CAPTURES:
        return subject.get("id")
    links = [each for each in subject.get("links") or () if isinstance(each, dict)]
    above = [str(each.get("href")) for each in links if each.get("rel") == "up"]
    found = re.search(r"/captures/([A-Z0-9]+)$", above[0]) if above else None
    return found[1] if found else _related(subject, "capture_id") or subject.get("id")


def _related(subject: dict[str, Any], name: str) -> object:
    more = subject.get("supplementary_data")
    ids = more.get("related_ids") if isinstance(more, dict) else None
    return ids.get(name) if isinstance(ids, dict) else None


def _disputed(subject: dict[str, Any]) -> object:
    for each in subject.get("disputed_transactions") or ():
        if isinstance(each, dict) and each.get("seller_transaction_id"):
            return each["seller_transaction_id"]
    return None


def _prefixed(name: object) -> str | None:
    return f"capture:{name}" if isinstance(name, str) and name else None
