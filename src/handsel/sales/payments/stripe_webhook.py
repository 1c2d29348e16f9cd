"""Messages from Stripe: first the signature, then the time, then the words.

Source: docs.stripe.com/webhooks, "Verify webhook signatures". We check them ourselves
because Stripe's library accepts any time in the future and asks the machine's clock.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from handsel.kit.strictjson import read_object
from handsel.sales.payments.base import Declined, Notice, WebhookRefusedError

TOLERANCE = 300
"""Seconds that a message may be old, or ahead of us."""

SESSION_EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
)
MONEY_EVENTS = (
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)

DECLINED_EVENT = "payment_intent.payment_failed"
"""A try to pay was declined, on whichever page; the buyer may try again."""
PURCHASE = "purchase"
"""Where a payment at Stripe bears the key of the purchase, beside its reference."""


def verified_event(
    signature: str, body: bytes, secrets: Iterable[str], now: datetime
) -> dict[str, Any]:
    """Give the event, if one of our secrets has signed it within five minutes of `now`.

    Args:
        signature: the header `Stripe-Signature`, such as `t=1790000000,v1=5257a8...`;
            it may hold several `v1`.

    Raises WebhookRefusedError.
    """
    stamp, given = _read_signature(signature)
    signed = stamp.encode("ascii") + b"." + body
    if not _is_ours(signed, given, secrets):
        raise WebhookRefusedError(
            "The signature is not Stripe's.",
            "Compare stripe.webhook_secret with the endpoint's signing secret.",
        )
    if abs(now.timestamp() - int(stamp)) > TOLERANCE:
        raise WebhookRefusedError(
            "The message is more than five minutes old, or from the future.",
            "Check the clock of this machine.",
        )
    return _read_event(body)


def _read_signature(header: str) -> tuple[str, list[str]]:
    """Give the time and the `v1` signatures; exactly one time, or none would be safe."""
    fields = [part.strip().partition("=")[::2] for part in header.split(",")]
    stamps = [value for name, value in fields if name == "t"]
    given = [value for name, value in fields if name == "v1"]
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0]) or not given:
        raise WebhookRefusedError("The message carries no signature of Stripe's.")
    return stamps[0], given


def _is_ours(signed: bytes, given: list[str], secrets: Iterable[str]) -> bool:
    good = [
        hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        for secret in secrets
        if secret
    ]
    # A list first, so that every pair is compared and the time taken tells nothing.
    matches = [
        hmac.compare_digest(ours, theirs.encode("utf-8", "replace"))
        for ours in good
        for theirs in given
    ]
    return any(matches)


def _read_event(body: bytes) -> dict[str, Any]:
    try:
        event = read_object(body)
    except ValueError as error:
        raise WebhookRefusedError("The message cannot be read.") from error
    if event.get("object") != "event":
        raise WebhookRefusedError(
            "The message is not an event.",
            "The endpoint in Stripe's dashboard must send snapshot payloads.",
        )
    return event


def notice(event: dict[str, Any], *, livemode: bool) -> Notice:
    """Say what a verified event asks us to look up.

    Raises WebhookRefusedError for an event of the other mode or of another account.
    """
    if event.get("livemode") is not livemode:
        raise WebhookRefusedError(
            "The message is about test money and this shop takes real money, or the "
            "other way round.",
            "Key and signing secret must be of the same mode.",
        )
    if event.get("account"):
        raise WebhookRefusedError(
            "The message is about another account.",
            "The endpoint in Stripe's dashboard must listen to your own account.",
        )
    event_id, kind = event.get("id"), event.get("type")
    if not isinstance(event_id, str) or not isinstance(kind, str):
        raise WebhookRefusedError("The message has no name.")
    if kind == DECLINED_EVENT:
        return Notice(event_id, kind, None, _declined(event_id, event))
    return Notice(event_id, kind, _object_id(kind, event))


def _subject(event: dict[str, Any]) -> dict[str, Any]:
    data = event.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    if not isinstance(subject, dict):
        raise WebhookRefusedError("The message has no object.")
    return subject


def _declined(event_id: str, event: dict[str, Any]) -> Declined:
    """Read of a payment what was declined, by the name of the try, and for what.

    Whom a bank did not believe (3-D Secure) has come as far as no charge. Raises
    WebhookRefusedError.
    """
    payment, made = _subject(event), event.get("created")
    if not isinstance(made, int) or not 0 <= made < 1 << 33:
        raise WebhookRefusedError("The message has no time.")
    words, error = payment.get("metadata"), payment.get("last_payment_error")
    said = {str(name): str(text) for name, text in _pairs(words)}
    return Declined(
        _text(dict(_pairs(error)).get("charge")) or event_id,
        datetime.fromtimestamp(made, UTC),
        {name: text for name, text in said.items() if name != PURCHASE},
        said.get(PURCHASE, ""),
    )


def _pairs(found: object) -> Iterable[tuple[str, object]]:
    return found.items() if isinstance(found, dict) else ()


def _object_id(kind: str, event: dict[str, Any]) -> str | None:
    """Name the session, or the payment it was for; None for what we do not follow."""
    if kind not in SESSION_EVENTS + MONEY_EVENTS:
        return None
    subject = _subject(event)
    if kind in SESSION_EVENTS:
        return _text(subject.get("id")) if subject.get("mode") == "payment" else None
    return payment_of(subject)


def payment_of(subject: dict[str, Any]) -> str | None:
    """Name the payment a charge, refund or dispute belongs to.

    None for money that never went through a payment page, such as an old-style charge.
    """
    return _text(subject.get("payment_intent"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
