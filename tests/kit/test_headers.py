"""Texts become safe for a mail's head, and the head says what was meant."""

from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.headers import MAIL_POLICY, check_head, header_text

TEXTS = st.text(st.characters(), max_size=300)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Your copy of Faust", "Your copy of Faust"),
        ("one\r\nBcc: x@y.z", "one Bcc: x@y.z"),
        ("  tab\tand\x00null\u2028 ", "tab and null"),
        ("=?UTF-8?Q?=0ABcc:_x?=", "= ?UTF-8?Q?=0ABcc:_x?="),
        ("half a \ud800 character", "half a character"),
        ("a" * 201, "a" * 199 + "…"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_a_text_is_made_safe(text: str, safe: str) -> None:
    assert header_text(text) == safe


@given(TEXTS)
def test_a_safe_text_stays_as_it_is(text: str) -> None:
    safe = header_text(text)
    assert header_text(safe) == safe
    assert len(safe) <= 200
    assert "=?" not in safe


@given(TEXTS)
def test_a_subject_arrives_as_it_was_meant(text: str) -> None:
    message = EmailMessage(MAIL_POLICY)
    message["Subject"] = header_text(text)
    (written,) = _wire(message)["subject"]
    assert str(make_header(decode_header(written))).strip() == header_text(text)


@given(TEXTS)
def test_a_name_arrives_and_its_address_stays(text: str) -> None:
    message = EmailMessage(MAIL_POLICY)
    message["From"] = Address(header_text(text, limit=80), "books", "example.com")
    check_head(message)
    (written,) = _wire(message)["from"]
    phrase, _, address = written.rpartition("books@")
    assert address.rstrip(">") == "example.com"
    assert _unquoted(phrase.rstrip(" <")) == header_text(text, limit=80)


@pytest.mark.parametrize(
    "subject",
    [
        "Ihr Exemplar von Bücher über Straßen — naïve „Größe“ und noch mehr Wörter dazu",
        "كتابك جاهز: مئة عام من العزلة (order H-1042) وشكرا جزيلا لك على الشراء",
        "あなたの本 🎉 is ready 👩‍👩‍👧 and it is a very long title 本の本の本の本の本の本の本",
    ],
)
def test_lines_stay_short_in_any_script(subject: str) -> None:
    message = EmailMessage(MAIL_POLICY)
    message["Subject"] = subject
    wire = message.as_bytes()
    assert max(map(len, wire.split(b"\r\n"))) <= 76
    assert wire.isascii()


def test_the_address_of_a_web_page_stays_whole() -> None:
    message = EmailMessage(MAIL_POLICY)
    page = "<https://shop.example.com/u/" + "a" * 200 + ">"
    message["List-Unsubscribe"] = f"{page}, <mailto:stop@example.com>"
    assert page.encode() in message.as_bytes()


def test_a_control_character_is_a_programmers_error() -> None:
    message = EmailMessage(MAIL_POLICY)
    message["Subject"] = "one\x00two"
    with pytest.raises(ValueError, match="control character"):
        message.as_bytes()


def test_a_foreign_header_is_noticed() -> None:
    message = EmailMessage(MAIL_POLICY)
    message["Subject"] = "A subject"
    message.set_content("Hello.")
    check_head(message)
    message.replace_header("Subject", _Smuggled("A subject"))
    with pytest.raises(ValueError, match="headers changed"):
        check_head(message)


class _Smuggled(str):
    """What a writer with a hole in it would write."""

    name = "Subject"

    def fold(self, *, policy: object) -> str:
        return "Subject: A subject\r\nBcc: x@y.z\r\n"


def _wire(message: EmailMessage) -> dict[str, list[str]]:
    """Read the head without Python's own reader of mails, which has its own slips."""
    found: dict[str, list[str]] = {}
    for line in message.as_bytes().decode().replace("\r\n ", " ").split("\r\n"):
        if line:
            name, _, value = line.partition(":")
            found.setdefault(name.lower(), []).append(value.strip())
    return found


def _unquoted(phrase: str) -> str:
    if phrase.startswith('"'):
        return phrase[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return str(make_header(decode_header(phrase))).strip()
