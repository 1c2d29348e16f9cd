"""Messages of Amazon SNS: whether they are Amazon's, and about a topic of ours.

Source: docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages".
Anybody can have a topic of their own, whose messages Amazon signs as well: only topics
that the settings name are believed. What is fetched is at the host of that topic's
region, whatever the message says.
"""

import base64
import binascii
import logging
import re
import ssl
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from http.client import HTTPException, HTTPSConnection
from threading import Lock
from typing import Any, Literal
from urllib.parse import urlsplit

from handsel.kit.errors import TryAgainError
from handsel.kit.publickeys import UntrueError, check_rsa
from handsel.outbound.relays.news import RelayRefusedError, check_age, text

log = logging.getLogger("handsel.mail")

NOTIFICATION = "Notification"
CONFIRM = "SubscriptionConfirmation"
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRM: (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token"),
        *("TopicArn", "Type"),
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED[CONFIRM]

SECONDS = 5
"""How long Amazon may keep us waiting for the next byte."""
LARGEST = 32 * 1024
"""Bytes of an answer of Amazon's; a certificate has about two thousand."""
_fetching = Lock()


def check(message: dict[str, Any], topics: Sequence[str], now: datetime) -> None:
    """Refuse what Amazon has not signed, lately, for one of these topics.

    Raises RelayRefusedError; TryAgainError when the certificate cannot be had now.
    """
    topic = text(message, "TopicArn")
    if topic not in topics:
        raise RelayRefusedError(
            "The message is about no topic of this shop.",
            "Compare mail.ses_topics with the ARN of the topic in Amazon SNS.",
        )
    check_age(_sent(message), now)
    address = text(message, "SigningCertURL")
    name = r"/SimpleNotificationService-[0-9a-f]{1,64}\.pem"
    if not re.fullmatch(re.escape(_origin(topic)) + name, address):
        raise _refused("its certificate is not at Amazon SNS")
    signed, signature = _signed(message)
    try:
        certificate = _certificate(address)
        check_rsa(certificate, signature, signed, _hash(message), now)
    except UntrueError as error:
        raise _refused("it does not fit the certificate") from error


def obey(message: dict[str, Any]) -> None:
    """Confirm a subscription, or say in the log that one was ended.

    The message has been checked. Raises RelayRefusedError, TryAgainError.
    """
    topic, token = text(message, "TopicArn"), text(message, "Token")
    if text(message, "Type") != CONFIRM:
        log.warning(
            "Amazon SNS tells no more of %s: that subscription was ended.", topic
        )
        return
    if not re.fullmatch(r"[0-9A-Za-z]{1,2000}", token):
        raise _refused("it has no token")
    # Not the message's own address, SubscribeURL: that would have to be looked at, too.
    asked = f"?Action=ConfirmSubscription&TopicArn={topic}&Token={token}"
    _fetch(f"{_origin(topic)}/{asked}")
    log.info("Amazon SNS tells from now on of %s.", topic)


def _refused(why: str) -> RelayRefusedError:
    return RelayRefusedError(
        f"The signature is not that of Amazon SNS: {why}.",
        "Leave raw message delivery off in the subscription.",
    )


def _origin(topic: str) -> str:
    """Give where Amazon SNS lives, for a topic `arn:PARTITION:sns:REGION:...`."""
    _, partition, _, region, *_ = topic.split(":")
    ending = {"aws-cn": "com.cn", "aws-eusc": "eu"}.get(partition, "com")
    return f"https://sns.{region}.amazonaws.{ending}"


def _sent(message: dict[str, Any]) -> float:
    try:
        sent = datetime.fromisoformat(text(message, "Timestamp"))
    except ValueError as error:
        raise _refused("it has no time") from error
    if sent.tzinfo is None:
        raise _refused("its time has no zone")
    return sent.timestamp()


def _signed(message: dict[str, Any]) -> tuple[bytes, bytes]:
    """Give what was signed, and the signature."""
    names = _SIGNED.get(text(message, "Type"), ())
    found = {n: message[n] for n in names if isinstance(message.get(n), str)}
    if len({*names} - {*found} - {"Subject"}) or not names:
        raise _refused("something is missing")
    try:
        signature = base64.b64decode(text(message, "Signature"), validate=True)
        signed = "".join(f"{n}\n{words}\n" for n, words in found.items()).encode()
    except (binascii.Error, ValueError) as error:
        raise _refused("it cannot be read") from error
    return signed, signature


def _hash(message: dict[str, Any]) -> Literal["sha1", "sha256"]:
    version = text(message, "SignatureVersion")
    if version not in ("1", "2"):
        raise _refused("its version is unknown")
    return "sha1" if version == "1" else "sha256"


@lru_cache(maxsize=8)
def _certificate(address: str) -> bytes:
    """Fetch a certificate; what it is called by never means another one."""
    found = _fetch(address)
    if b"-----BEGIN CERTIFICATE-----" not in found:  # which must not be kept
        raise _refused("Amazon gave no certificate")
    return found


def _fetch(address: str) -> bytes:
    """Fetch from Amazon, one at a time so that few pages ever wait; no redirect counts.

    Raises TryAgainError when Amazon is away, RelayRefusedError when it has no such thing.
    """
    if not _fetching.acquire(blocking=False):
        raise _later()
    try:
        status, content = _get(address)
    except (OSError, HTTPException) as error:
        raise _later() from error
    finally:
        _fetching.release()
    if status >= 500:
        raise _later()
    if status != 200 or len(content) > LARGEST:
        raise _refused("Amazon does not know of it")
    return content


def _get(address: str) -> tuple[int, bytes]:
    parts = urlsplit(address)
    connection = HTTPSConnection(
        parts.netloc, timeout=SECONDS, context=ssl.create_default_context()
    )
    try:
        connection.request("GET", f"{parts.path}?{parts.query}".rstrip("?"))
        answer = connection.getresponse()
        return answer.status, answer.read(LARGEST + 1)
    finally:
        connection.close()


def _later() -> TryAgainError:
    return TryAgainError(
        "Amazon SNS cannot be asked about this now.", "It will send the message again."
    )
