"""P23: whatever a name or title holds, a mail's head is the one we wrote.

The strings are made of what has broken mail writers before: line ends of every kind,
encoded words, quotes, commas, halves of characters. A seed makes each run repeatable.
"""

import random
import re
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest

from handsel.kit.headers import MAIL_POLICY, check_head, header_text
from tests.ground.cases import Say

SEED = 23
HEAD = ["From", "To", "Reply-To", "Subject", "List-Id", "MIME-Version", "Content-Type"]
FILE = [
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "MIME-Version",
]
INJECTED = b"\r\nBcc: x@y.z"
PIECES = [
    "=?", "?=", "=?utf-8?q?=0ABcc:_x@y.z?=", "=?UTF-8?Q?=0D=0ABcc:_x@y.z?=", "=?q?",
    f"=?utf-8?b?{b64encode(INJECTED).decode()}?=", "=", "?", "=0A", "_", "==??==",
    "\r", "\n", "\r\n", "\n ", "\r\n\t", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\x7f",
    "\u2028", "\u2029", "\ud800", "\udc0a", "\udc0d", "\ufeff", "\u202e", "\u00a0",
    "Bcc: x@y.z", "\nBcc: x@y.z", "\r\n\r\n<script>", "\n.\n", "Subject:", "a" * 90,
    ",", ";", ":", '"', "\\", "<", ">", "@", "(", ")", "[", "x@y.z", "<x@y.z>", " ", "  ",
    "Ada", "Straße", "مرحبا", "本", "👩‍👩‍👧", "e\u0301", "H-1042", "100%", "it's", "—",
]  # fmt: skip


def test_no_text_of_5_000_changes_the_head_of_a_mail(say: Say) -> None:
    faults = list(_faults(5_000, header_text))
    say("P23", texts=5_000, faults=len(faults), seed=SEED)
    assert faults == []


@pytest.mark.storm
@pytest.mark.timeout(1800)
def test_no_text_of_300_000_changes_the_head_of_a_mail(say: Say) -> None:
    faults = list(_faults(300_000, header_text))
    say("P23", texts=300_000, faults=len(faults), seed=SEED)
    assert faults == []


# The negative controls: were they to pass, the tests above would prove nothing.


@pytest.mark.parametrize("clean", [str, lambda text: _without_line_ends(text)])
def test_without_header_text_the_same_strings_do_harm(
    clean: Callable[[str], str],
) -> None:
    assert len(list(_faults(1_000, clean))) > 50


@pytest.mark.skipif(sys.version_info >= (3, 11, 10), reason="mended in Python")
def test_left_to_python_an_encoded_word_becomes_a_header() -> None:
    faults = list(_faults(1_000, _without_line_ends, written_by=policy.SMTP))
    assert [fault for fault in faults if "'Bcc'" in fault]


def _without_line_ends(text: str) -> str:
    return re.sub(r"[\r\n\ud800-\udfff]", " ", text)


def _faults(
    number: int,
    clean: Callable[[str], str],
    *,
    written_by: Any = MAIL_POLICY,
) -> Iterator[str]:
    """Write so many strings into mails, five into each; give what broke."""
    source = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    for _ in range(number // 5):
        texts = [_text(source) for _ in range(5)]
        try:
            message = _mail([clean(text) for text in texts], written_by)
            _look_at_the_wire(message.as_bytes())
            if source.random() < 0.1:  # it is slow, and others watch it too
                check_head(message)
        except (ValueError, AssertionError, IndexError, LookupError) as fault:
            yield f"{texts!r}: {fault!r}"


def _text(source: random.Random) -> str:
    return "".join(source.choices(PIECES, k=source.randint(1, 8)))


def _mail(texts: list[str], written_by: Any) -> EmailMessage:
    subject, name, reply_name, list_name, file_name = texts
    message = EmailMessage(written_by)
    message["From"] = Address(name, "books", "example.com")
    message["To"] = Address("", "ada", "example.org")
    message["Reply-To"] = Address(reply_name, "help", "example.com")
    message["Subject"] = subject
    message["List-Id"] = list_name
    message.set_content("Hello.")
    message.add_attachment(b"x", "application", "pdf", filename=file_name)
    return message


def _look_at_the_wire(wire: bytes) -> None:
    """Check by eye, so to speak: with no parser that could share a mistake."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", wire)
    head, _, body = wire.partition(b"\r\n\r\n")
    names = _names(head)
    assert sorted(names) == sorted(HEAD), names
    assert b"ada@example.org" in head.split(b"\r\nTo: ")[1].split(b"\r\n")[0]
    boundary = body.split(b"\r\n", 1)[0]
    _, _, file, end = body.split(boundary)
    assert end == b"--\r\n"
    assert sorted(_names(file.partition(b"\r\n\r\n")[0].lstrip())) == sorted(FILE)
    assert max(map(len, wire.splitlines())) < 998


def _names(head: bytes) -> list[str]:
    lines = re.split(rb"\r\n(?![ \t])", head)
    return [line.partition(b":")[0].decode() for line in lines]
