"""Words and addresses become a mail that every reader shows alike."""

import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import Parser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import ConfigurationError
from handsel.outbound.compose import Sender, compose, message_id_for
from handsel.outbound.transports.base import PermanentMailError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAGE = """<html><head><style>
  p { color: #222 }
  @media (prefers-color-scheme: dark) { p { color: #eee !important } }
</style></head><body><p>Here is your book.</p></body></html>"""


def test_text_comes_first_and_html_is_the_alternative() -> None:
    mail = _read(_mail(text="Here is your book.\n", html=PAGE))
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert _body(mail, "plain") == "Here is your book.\n"
    assert "Here is your book." in _body(mail, "html")
    assert [part["MIME-Version"] for part in mail.walk()] == ["1.0", None, None]


def test_a_mail_without_html_is_plain() -> None:
    assert _read(_mail(html=None)).get_content_type() == "text/plain"


def test_styles_move_into_the_elements_and_dark_mode_stays() -> None:
    html = _body(_read(_mail(html=PAGE)), "html")
    assert '<p style="color: #222;">' in html
    assert "@media (prefers-color-scheme: dark)" in html


def test_styles_that_cannot_be_read_do_not_keep_a_mail_back() -> None:
    html = '<link rel="stylesheet" href="no-such-file.css"><p>Here it is.</p>'
    assert "Here it is." in _body(_read(_mail(html=html)), "html")


def test_nothing_watches_the_reader() -> None:
    html = _body(_read(_mail(html=PAGE)), "html")
    assert "<img" not in html
    assert "http" not in html


def test_the_head_says_who_what_and_when() -> None:
    mail = _mail(
        reply_to="ada@example.com",
        extra={"List-Unsubscribe": "<https://shop.example.com/u/abc>"},
    )
    head, _, _ = mail.as_bytes().decode().partition("\r\nMIME-Version")
    assert head.split("\r\n") == [
        'From: "Ada\'s Books" <books@example.com>',
        "To: buyer@example.org",
        "Reply-To: ada@example.com",
        "Subject: Your copy of Faust",
        "Date: Mon, 23 Nov 2026 12:00:00 +0000",
        f"Message-ID: {message_id_for('receipt:1', 'example.com')}",
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe: <https://shop.example.com/u/abc>",
    ]


def test_a_mail_that_a_person_wrote_to_many_can_say_so() -> None:
    mail = _mail(extra={"Auto-Submitted": "no"})
    assert mail.get_all("Auto-Submitted") == ["no"]


def test_a_repeat_has_the_same_message_id_and_another_mail_another() -> None:
    first = message_id_for("receipt:1", "bücher.example")
    assert first == message_id_for("receipt:1", "bücher.example")
    assert first != message_id_for("receipt:2", "bücher.example")
    assert first.endswith("@xn--bcher-kva.example>")
    assert "receipt" not in first


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("leser@bücher.example", "leser@xn--bcher-kva.example"),
        # IDNA 2003, as Python has it, would write to strasse.example instead.
        ("leser@straße.example", "leser@xn--strae-oqa.example"),
        ("reader@EXAMPLE.org", "reader@example.org"),
        ("قارئ@مثال.example", "قارئ@xn--mgbh0fb.example"),
    ],
)
def test_any_domain_can_be_written_to(typed: str, written: str) -> None:
    mail = _mail(to=typed, subject="كتابك جاهز")
    assert mail["To"].addresses[0].addr_spec == written
    assert _read(mail)["Subject"] == "كتابك جاهز"


@pytest.mark.parametrize(
    "nowhere",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "a b@example.org",
        "ada@exa mple.org",
        "ada@example.org\r\nBcc: x@y.z",
        "ada@example.org, x@y.z",
        "=?utf-8?q?=0ABcc:_x?=@example.org",
        "a@ü" + "b" * 80 + ".example",
    ],
)
def test_what_is_no_address_is_refused_for_good(nowhere: str) -> None:
    with pytest.raises(PermanentMailError, match="not an address"):
        _mail(to=nowhere)


def test_a_slip_in_the_settings_is_not_the_buyers_loss() -> None:
    with pytest.raises(ConfigurationError, match="sent from 'books'"):
        _mail(sender=Sender("Ada", "books"))
    with pytest.raises(ConfigurationError, match="sent from 'ada at example"):
        _mail(reply_to="ada at example.com")


def test_a_date_without_a_time_zone_is_a_programmers_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        _mail(date=datetime(2026, 11, 23))  # noqa: DTZ001 - the very mistake


@given(st.text(), st.text(), st.text())
def test_no_words_break_a_mail(subject: str, name: str, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    mail = _mail(
        subject=subject,
        sender=Sender(name, "b@example.com"),
        text=text,
        html=f"<p>{text}",
    )
    wire = mail.as_bytes()
    assert wire.isascii()
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")
    assert max(map(len, wire.split(b"\r\n"))) <= 78
    assert len(list(_read(mail).iter_parts())) == 2


def test_a_long_line_and_a_long_link_survive() -> None:
    link = "https://shop.example.com/d/" + "x" * 2_000
    mail = _mail(text=f"Your link:\n{link}\n.\nBye\n")
    assert max(map(len, mail.as_bytes().split(b"\r\n"))) <= 78
    assert _body(_read(mail), "plain") == f"Your link:\n{link}\n.\nBye\n"


def _mail(**changed: Any) -> EmailMessage:
    usual: dict[str, Any] = {
        "sender": Sender("Ada's Books", "books@example.com"),
        "to": "buyer@example.org",
        "subject": "Your copy of Faust",
        "text": "Here is your book.\n",
        "html": PAGE,
        "message_id": message_id_for("receipt:1", "example.com"),
        "date": NOON,
    }
    usual.update(changed)
    return compose(**usual)


def _read(mail: EmailMessage) -> EmailMessage:
    return Parser(policy=email.policy.default).parsestr(mail.as_bytes().decode())


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")
