"""What Amazon SES says of our mails, by way of Amazon SNS.

Sources: docs.aws.amazon.com/ses, "Amazon SNS notification contents for Amazon SES" and
"Contents of event data that Amazon SES publishes to Amazon SNS": the same words, one
under `notificationType`, the other under `eventType`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handsel.kit.strictjson import read_object
from handsel.outbound.bounces import Report
from handsel.outbound.relays import sns
from handsel.outbound.relays.news import News, inside, read_body, several, short, text
from handsel.outbound.verdicts import Kind, judge
from handsel.settings import MailSettings

_LISTED = ("Suppressed", "OnAccountSuppressionList")
"""Permanent bounces that SES has on a list of its own, from earlier mails."""
_NO_COMPLAINTS = ("not-spam", "auth-failure", "virus")


def read(
    mail: MailSettings, headers: Mapping[str, str], body: bytes, now: datetime
) -> list[News]:
    """Verify and read one message of SNS; confirm a subscription of a topic of ours.

    Raises RelayRefusedError, TryAgainError.
    """
    message = read_body(body)
    sns.check(message, mail.ses_topics, now)
    name, kind = text(message, "MessageId"), text(message, "Type")
    if kind == sns.NOTIFICATION:
        return _news(name, text(message, "Message"))
    sns.obey(message)
    return [News(name, kind, None)]


def _news(name: str, message: str) -> list[News]:
    """Read what SES said; what it writes to try a topic is plain text, and nothing."""
    try:
        told = read_object(message.encode())
    except ValueError:
        return [News(name, sns.NOTIFICATION, None)]
    kind = text(told, "notificationType") or text(told, "eventType")
    reports = {"Bounce": _bounce, "Complaint": _complaint}.get(kind, _nothing)(told)
    return [
        News(f"{name} {number}" if number else name, kind, report)
        for number, report in enumerate(reports or [None])
    ]


def _nothing(told: dict[str, Any]) -> list[Report]:
    return []


def _bounce(told: dict[str, Any]) -> list[Report]:
    bounce = inside(told, "bounce")
    return [
        Report(
            _verdict(bounce, each), (text(each, "emailAddress"),), words=_words(each)
        )
        for each in several(bounce, "bouncedRecipients")
    ]


def _verdict(bounce: dict[str, Any], recipient: dict[str, Any]) -> Kind:
    """Say whether an address is dead: the server's words decide, where there are any."""
    subtype = text(bounce, "bounceSubType")
    if text(bounce, "bounceType") != "Permanent":  # Transient, Undetermined
        return Kind.SOFT
    if subtype in _LISTED:
        return Kind.HARD
    if subtype != "General":  # NoEmail: nobody knows which address it is about
        return Kind.SOFT
    status, words = text(recipient, "status"), _words(recipient)
    if not status and not words:
        return Kind.HARD
    return judge(text(recipient, "action") or "failed", status, words)


def _words(recipient: dict[str, Any]) -> str:
    kind, semicolon, words = text(recipient, "diagnosticCode").partition(";")
    return short(words if semicolon else kind)


def _complaint(told: dict[str, Any]) -> list[Report]:
    """Read a complaint; of several recipients nobody knows who it was that complained."""
    complaint = inside(told, "complaint")
    recipients = several(complaint, "complainedRecipients")
    kind = text(complaint, "complaintFeedbackType")
    if len(recipients) != 1 or kind in _NO_COMPLAINTS:
        return []
    words = short(f"{kind} {text(complaint, 'userAgent')}")
    return [Report(Kind.COMPLAINT, (text(recipients[0], "emailAddress"),), words=words)]
