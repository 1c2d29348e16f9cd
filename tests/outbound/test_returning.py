"""The address a mail comes back to carries its proof, and outlives small letters."""

import string

from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.signing import Keys, public_id, with_capitals, without_capitals
from handsel.outbound import returning

KEYS = Keys.create()
LETTERS = string.ascii_letters + string.digits
NAME = public_id(KEYS, "test", "session")


def address(
    email: str = "Ann@example.com", bounces: str = "bounces@example.com"
) -> str:
    """The return address of one purchase."""
    return returning.return_address(KEYS, bounces, NAME, email)


def test_it_is_an_address_that_every_mail_system_takes() -> None:
    longest = "b" * returning.MAX_NAME
    local, _, domain = address(bounces=f"{longest}@example.com").partition("@")

    assert len(local) == 64
    assert domain == "example.com"
    assert set(local) <= set(string.ascii_lowercase + string.digits + "+")


def test_the_token_proves_its_purchase_and_address_alone() -> None:
    token = returning.find_token(f"<{address()}>")

    assert returning.claimed_id(token) == NAME
    assert returning.proves(KEYS, token, NAME, "ann@EXAMPLE.com")
    assert not returning.proves(KEYS, token, NAME, "bob@example.com")
    assert not returning.proves(Keys.create(), token, NAME, "ann@example.com")
    other = public_id(KEYS, "test", "another")
    assert not returning.proves(KEYS, token, other, "ann@example.com")
    for i in range(len(token)):
        forged = token[:i] + ("a" if token[i] != "a" else "b") + token[i + 1 :]
        assert not returning.proves(KEYS, forged, NAME, "ann@example.com"), i


def test_a_token_that_lost_its_small_letters_is_found() -> None:
    token = returning.find_token(address().upper())
    assert returning.proves(KEYS, token, NAME, "ann@example.com")


@given(st.text(LETTERS, min_size=22, max_size=22))
def test_every_name_survives_without_capitals(name: str) -> None:
    small = without_capitals(name)
    assert len(small) == 26
    assert small == small.lower()
    assert with_capitals(small) == name


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    assert returning.find_token(text) == ""
    assert returning.claimed_id(text) is None or len(text) == returning.TOKEN_LETTERS
    returning.proves(KEYS, text, NAME, text)
    assert with_capitals(text[:26]) is None or len(text) >= 26
