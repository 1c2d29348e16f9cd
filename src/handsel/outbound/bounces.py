"""What mail systems write when a mail did not arrive, or was not wanted; as facts.

Understood are delivery reports (RFC 3464, and RFC 6533 for addresses of any letters)
and complaints (RFC 5965). Nothing here is believed yet: `undelivered` decides that.
"""

import base64
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime

from handsel.kit.text import shown
from handsel.outbound.returning import find_token
from handsel.outbound.verdicts import Kind, judge

MOST = 1024 * 1024
"""Bytes of one report that are read; our mails, which they may hold, are far smaller."""

MOST_BLOCKS = 50
MOST_WORDS = 300

_COMPLAINTS = ("abuse", "fraud", "opt-out")
"""Of the Feedback-Types; "not-spam" and "auth-failure" are no complaints."""
_ESCAPE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")

Fields = dict[str, str]


@dataclass(frozen=True)
class Report:
    """What one report says, in words of ours.

    Args:
        recipients: bare addresses it may be about, the surest first.
        action, status: as in RFC 3464; empty for a complaint.
        words: the server's own.
        message_id: of the mail that it is about, with its angle brackets.
        token: of the address it came back to; empty when there is none.
        name: of the report itself; two reports have two names.
        at: when it was written, if it says so.
    """

    kind: Kind
    recipients: tuple[str, ...]
    action: str = ""
    status: str = ""
    words: str = ""
    message_id: str = ""
    token: str = ""
    name: str = ""
    at: datetime | None = None


def read(raw: bytes) -> Report | None:
    """Read one mail. None when it is no report, or none that can be understood."""
    try:
        message = message_from_bytes(raw[:MOST])
        report = _report(message)
        return report and _named(report, _fields(message))
    # Whatever else Python's parser makes of garbage: mails come from anybody.
    except (
        *(ValueError, LookupError, TypeError, AttributeError, AssertionError),
        *(RecursionError, MessageError),
    ):
        return None


def _report(message: Message) -> Report | None:
    if message.get_content_type() != "multipart/report":
        return None
    payload = message.get_payload()
    # Only its own parts: the mail it holds may be a report too, about another one.
    parts = [each for each in payload if isinstance(each, Message)]
    original = _original(parts)
    for part in parts:
        kind = part.get_content_type()
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            return _bounce(message, _blocks(part), original)
        if kind == "message/feedback-report":
            return _complaint(message, _blocks(part), original)
    return None


def _named(report: Report, head: Fields) -> Report:
    """Say of a report which one it is, and when it was written."""
    name = f"{head.get('message-id', '')} {report.message_id} {report.token}"
    try:
        at = parsedate_to_datetime(head.get("date", ""))
    except (ValueError, TypeError, LookupError, OverflowError):
        return replace(report, name=name)
    return replace(report, name=name, at=at if at.tzinfo else None)


def _token(*heads: Fields) -> str:
    return find_token("\n".join(value for head in heads for value in head.values()))


def _bounce(message: Message, blocks: Sequence[Fields], original: Fields) -> Report:
    """Read a delivery report; what is not said of every recipient is not believed.

    Our mails have one recipient. Several are the members behind it, and one of them
    whose mailbox is gone does not make the address a dead one.
    """
    about = [block for block in blocks if "action" in block or "status" in block]
    if not about:
        raise ValueError("nothing is said of any recipient")
    kinds = {judge(_action(each), _status(each), _words(each)) for each in about}
    first = about[0]
    named = [
        _address(block.get(name, ""))
        for block in about
        for name in ("original-recipient", "final-recipient")
    ]
    return Report(
        kind=Kind.HARD if kinds == {Kind.HARD} else Kind.SOFT,
        recipients=_distinct([*named, *_addresses(original.get("to", ""))]),
        action=_action(first),
        status=_status(first),
        words=_words(first) or _status(first),
        message_id=original.get("message-id", ""),
        token=_token(_fields(message), *about, original),
    )


def _action(block: Fields) -> str:
    return block.get("action", "").partition(" ")[0].lower()


def _status(block: Fields) -> str:
    return block.get("status", "").partition(" ")[0]


def _words(block: Fields) -> str:
    kind, semicolon, words = block.get("diagnostic-code", "").partition(";")
    return shown(words if semicolon else kind).strip()[:MOST_WORDS]


def _complaint(
    message: Message, blocks: Sequence[Fields], original: Fields
) -> Report | None:
    about: Fields = {key: text for block in blocks for key, text in block.items()}
    kind = about.get("feedback-type", "").lower()
    if kind not in _COMPLAINTS:
        return None
    named = _addresses(about.get("original-rcpt-to", ""))
    return Report(
        kind=Kind.COMPLAINT,
        recipients=_distinct([*named, *_addresses(original.get("to", ""))]),
        words=shown(f"{kind} {about.get('user-agent', '')}").strip()[:MOST_WORDS],
        message_id=original.get("message-id", ""),
        token=_token(_fields(message), about, original),
    )


def _blocks(part: Message) -> list[Fields]:
    """Give the groups of fields in a status or feedback part, whatever its encoding."""
    payload = part.get_payload()
    inside = b"\n\n".join(
        each.as_bytes() for each in payload if isinstance(each, Message)
    )
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding == "base64":
        inside = base64.b64decode(inside)
    elif encoding == "quoted-printable":
        inside = quopri.decodestring(inside)
    groups = re.split(rb"(?:\r?\n[ \t]*){2,}", inside.strip())[:MOST_BLOCKS]
    return [_fields(BytesHeaderParser().parsebytes(group)) for group in groups]


def _original(parts: Sequence[Message]) -> Fields:
    """Give the head of the mail that the report is about, as far as it was kept."""
    for part in parts:
        kind, payload = part.get_content_type(), part.get_payload()
        if kind in ("message/rfc822", "message/global") and isinstance(payload, list):
            return _fields(payload[0]) if isinstance(payload[0], Message) else {}
        if kind in ("text/rfc822-headers", "message/global-headers"):
            return _fields(BytesHeaderParser().parsebytes(_text(part)))
    return {}


def _text(part: Message) -> bytes:
    if part.is_multipart():
        return b"\n".join(
            each.as_bytes() for each in part.get_payload() if isinstance(each, Message)
        )
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _fields(message: Message) -> Fields:
    """Give the fields of a head, unfolded; of two with one name, the first."""
    found: Fields = {}
    for name, value in message.raw_items():
        text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        found.setdefault(name.lower(), " ".join(text.split()))
    return found


def _address(text: str) -> str:
    """Take the address out of `rfc822; ann@example.com` (RFC 3464, RFC 6533)."""
    plain = text.rpartition(";")[2].strip().strip("<>").strip()
    return _ESCAPE.sub(_letter, plain)


def _letter(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF else ""


def _addresses(text: str) -> Iterator[str]:
    return (address for _, address in getaddresses([text]))


def _distinct(addresses: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in addresses if "@" in each))
