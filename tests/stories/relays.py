"""What mail relays send to the shop, as each of them writes and signs it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from handsel.models import Inbox, Suppression
from handsel.models.words import StopReason
from handsel.outbound import suppressions
from handsel.shop import Shop
from tests.ground.amazon import TOPIC
from tests.ground.visitor import Visitor
from tests.stories.buyers import with_settings

KEY = "key-of-mailgun-0123456789"
PASSWORD = "a-password-of-our-own-42"
ANN = "Ann@example.com"
Body = dict[str, Any]
Curve = ec.EllipticCurve
_TWILIO = "X-Twilio-Email-Event-Webhook-"


def listening(shop: Shop) -> Shop:
    """The same shop, which listens to every relay."""
    return with_settings(
        shop,
        "mail",
        mailgun_signing_key=SecretStr(KEY),
        postmark_secret=SecretStr(PASSWORD),
        ses_topics=[TOPIC],
        sendgrid_public_key=public_key(),
    )


def post(shop: Shop, relay: str, body: object, **headers: str) -> TestResponse:
    """Send a message to the shop's door."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Visitor(shop).client.post(
        f"/webhooks/{relay}", data=raw, headers=headers, buffered=True
    )


def why(shop: Shop) -> set[StopReason]:
    """Why Ann gets no mails to everyone."""
    with shop.reading() as session:
        return suppressions.reasons(session, ANN)


def details(shop: Shop) -> list[str]:
    """What the servers said."""
    with shop.reading() as session:
        return [each.detail for each in suppressions.newest(session)]


def rows(shop: Shop) -> int:
    """How much was written down."""
    with shop.reading() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Inbox, Suppression)
        )


Row = tuple[Any, set[StopReason]]


def untrue_of(
    shop: Shop, rows: list[Row], say: Callable[[Any], TestResponse]
) -> list[str]:
    """Let a relay say each of these; give those after which not what should be is so.

    Each is answered 200 and stops the mails to Ann for just these reasons; then the shop
    forgets that it has heard of it.
    """
    wrong = []
    for told, stopped in rows:
        found = say(told).status_code, why(shop), len(details(shop))
        if found != (200, stopped, len(stopped)):
            wrong.append(f"{told}: {found}")
        with shop.transaction() as session:
            session.execute(delete(Inbox))
            session.execute(delete(Suppression))
    return wrong


def failed(**changed: object) -> Body:
    """Mailgun's event of a mail that was refused for good."""
    return {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "recipient": "ann@example.com",
        "delivery-status": {
            "code": 550,
            "enhanced-code": "5.1.1",
            "message": "5.1.1 The email account that you tried to reach does not exist.",
            "description": "",
        },
        "message": {"headers": {"message-id": "1@example.com"}},
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
    } | changed


def signed(
    shop: Shop, event: Body, *, key: str = KEY, token: str = "", **at: int
) -> Body:
    """A whole message of Mailgun's; `ago` seconds old."""
    stamp = str(int(shop.now().timestamp()) - at.get("ago", 0))
    token = token or hashlib.sha256(json.dumps(event).encode()).hexdigest()[:50]
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), "sha256")
    return {
        "signature": {
            "timestamp": stamp,
            "token": token,
            "signature": signature.hexdigest(),
        },
        "event-data": event,
    }


def basic(password: str = PASSWORD, user: str = "handsel") -> str:
    """What an address with a name and a password in it makes of them."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def bounced(kind: str = "HardBounce", record: str = "Bounce", number: int = 42) -> Body:
    """Postmark's message about a mail."""
    return {
        "RecordType": record,
        "ID": number,
        "Type": kind,
        "TypeCode": 1,
        "Email": "ann@example.com",
        "Description": "The server was unable to deliver your message.",
        "Details": "smtp;550 5.1.1 User unknown",
        "BouncedAt": "2026-11-23T12:00:00Z",
    }


def ses_bounce(
    kind: str = "Permanent",
    subtype: str = "General",
    said: dict[str, str] | None = None,
    *,
    event: bool = False,
) -> Body:
    """What SES says of a mail that came back; in the words of event publishing or not."""
    words = (
        said
        if said is not None
        else {
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 <ann@example.com>: User unknown",
        }
    )
    return {
        "eventType" if event else "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": subtype,
            "bouncedRecipients": [{"emailAddress": "ann@example.com", **words}],
            "timestamp": "2026-11-23T12:00:00.000Z",
            "feedbackId": "010f-1",
        },
        "mail": {"messageId": "010f-2", "destination": ["ann@example.com"]},
    }


def ses_complaint(*to: str, event: bool = False, **changed: object) -> Body:
    """What SES says of a mail that was called spam."""
    told = {
        "userAgent": "AnyCompany Feedback Loop (V0.01)",
        "complainedRecipients": [{"emailAddress": each} for each in to],
        "complaintFeedbackType": "abuse",
    }
    return {
        "eventType" if event else "notificationType": "Complaint",
        "complaint": told | changed,
    }


def sendgrids_key(curve: type[Curve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """SendGrid's private key, or one of another kind."""
    return _private_key(curve)


@cache
def _private_key(curve: type[Curve]) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def public_key(curve: type[Curve] = ec.SECP256R1) -> str:
    """Its public half, as SendGrid shows it."""
    whole = sendgrids_key(curve).public_key()
    der = whole.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def event(what: str = "bounce", **changed: object) -> Body:
    """An event of SendGrid's."""
    return {
        "email": "ann@example.com",
        "timestamp": 1790000000,
        "smtp-id": "<1@example.com>",
        "event": what,
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "bounce_classification": "Unclassified",
        "sg_event_id": "ZGVsaXZlcmVkLTAtMTIzNDU2Nzg",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    } | changed


def batch(*events: Body) -> bytes:
    """A body of SendGrid's, which ends in a new line."""
    return json.dumps(events).encode() + b"\r\n"


def seal(
    shop: Shop,
    body: bytes,
    *,
    ago: int = 0,
    stamp: str = "",
    key: ec.EllipticCurvePrivateKey | None = None,
) -> dict[str, str]:
    """The headers that SendGrid sends with a body, `ago` seconds old."""
    stamp = stamp or str(int(shop.now().timestamp()) - ago)
    how = ec.ECDSA(hashes.SHA256())
    signature = (key or sendgrids_key()).sign(stamp.encode() + body, how)
    return {
        f"{_TWILIO}Signature": base64.b64encode(signature).decode(),
        f"{_TWILIO}Timestamp": stamp,
    }
