"""One mail filled in for many is, to whoever reads it, a mail written for each."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.outbound.compose import Sender, compose, message_id_of
from handsel.outbound.stencil import Stencil

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
MARKS = {"link": "mark" * 11 + "x", "id": "k7" * 16, "to": "who@handsel.invalid"}
WORDS = st.text(st.characters(codec="utf-8"), max_size=400)
TOKEN = st.text(LETTERS, min_size=45, max_size=45)
LONG_HOST = "https://a-shop-with-quite-a-long-name.books-and-more.example.com"


def written(values: dict[str, str], before: str, after: str) -> EmailMessage:
    """A mail with the link in both parts and in a header, amid any words."""
    link = f"{LONG_HOST}/d/{values['link']}"
    return compose(
        sender=Sender("Ada's Büro", "ada@example.com"),
        to=values["to"],
        subject="News",
        text=f"{before}{link}{after}\n{link}\n",
        html=f"<p>ö</p><p><a href='{link}'>here</a></p>",
        message_id=message_id_of(values["id"], "example.com"),
        date=datetime(2026, 11, 26, tzinfo=UTC),
        extra={"List-Unsubscribe": f"<{link}>"},
        encoding="quoted-printable",
    )


def read(wire: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """What a mail program sees: the head, but for the boundary, and the texts."""
    mail = message_from_bytes(wire, policy=policy.default)
    head = [(name, str(value)) for name, value in mail.items()]
    parts = [str(part.get_content()) for part in mail.iter_parts()]
    return [pair for pair in head if pair[0] != "Content-Type"], parts


@given(before=WORDS, after=WORDS, link=TOKEN)
def test_filled_in_it_reads_as_if_written_for_one(
    before: str, after: str, link: str
) -> None:
    values = {"link": link, "id": "0a" * 16, "to": "a.long.address@books.example.org"}
    stencil = Stencil(written(MARKS, before, after).as_bytes(), MARKS, free=["to"])

    filled = stencil.filled(values)

    assert read(filled) == read(written(values, before, after).as_bytes())
    assert max(map(len, filled.split(b"\r\n"))) <= 140  # an address is not broken
    body = filled.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert b"mark" not in filled.replace(before.encode(), b"").replace(
        after.encode(), b""
    )


def test_two_who_are_filled_in_share_nothing() -> None:
    stencil = Stencil(written(MARKS, "", "").as_bytes(), MARKS, free=["to"])

    first = stencil.filled({"link": "A" * 45, "id": "1" * 32, "to": "one@example.org"})
    second = stencil.filled({"link": "B" * 45, "id": "2" * 32, "to": "two@example.org"})

    assert b"one@example.org" not in second
    assert first.count(b"A" * 20) == second.count(b"B" * 20) > 1
    assert b"A" * 20 not in second


@pytest.mark.parametrize("wrong", ["short", "x" * 46, "x" * 44 + "=", "x" * 44 + "\n"])
def test_what_does_not_fit_is_refused(wrong: str) -> None:
    stencil = Stencil(written(MARKS, "", "").as_bytes(), MARKS, free=["to"])

    with pytest.raises(ValueError, match="does not fit"):
        stencil.filled({"link": wrong, "id": "1" * 32, "to": "one@example.org"})
