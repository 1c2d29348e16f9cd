"""What is kept of where a visitor comes from, and what is not."""

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.web import carried

WHOLE = {
    "utm_source": "news letter",
    "utm_medium": "mail",
    "utm_campaign": "spring & more",
    "utm_term": "first coin",
    "utm_content": "ümlaut",
    "ref": "search.example.org",
    "page": "ada.example.com/books/first-coin.html",
    "ga": "1234567890.1700000000",
    "gas": "1700000123",
    "gat": "1700000200",
    "variant": "headline.b,price.a",
}
"""One of everything that is carried."""


def test_what_is_known_is_kept_and_nothing_else() -> None:
    assert carried.of(WHOLE | {"coupon": "SPRING", "press": "x"}) == WHOLE
    assert carried.of({}) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ref", "https://search.example.org/?q=secret"),
        ("ref", "<script>"),
        ("page", "javascript:alert(1)"),
        ("ga", "GA1.1.1234567890.1700000000"),
        ("ga", "ada@example.com"),
        ("gas", "s1700000123"),
        ("variant", "headline b"),
        ("utm_source", " \0\n"),
    ],
)
def test_what_does_not_look_like_it_is_left_behind(name: str, text: str) -> None:
    assert carried.of({name: text}) == {}


def test_control_letters_go_and_what_is_too_long_is_cut_off() -> None:
    said = {"utm_source": "a\0b\nc", "utm_term": "x" * 5000, "page": "a.b/" + "y" * 999}
    kept = carried.of(said)
    assert kept["utm_source"] == "abc"
    assert (len(kept["utm_term"]), len(kept["page"])) == (100, 300)


@pytest.mark.parametrize(
    ("age", "believed"),
    [(0, True), (3600, True), (3601, False), (-300, True), (-301, False)],
)
def test_googles_names_are_believed_for_an_hour(age: int, believed: bool) -> None:
    now = datetime.fromtimestamp(1_700_000_200 + age, UTC)
    names = (WHOLE["ga"], WHOLE["gas"]) if believed else ("", "")
    assert carried.at_google(WHOLE, now) == names
    assert carried.at_google(carried.of({"ga": "1.2"}), now) == ("", "")


def test_of_many_experiments_none_is_cut_in_the_middle() -> None:
    each = ["x" * 40 + f".b.{10**17 + n}.{'p' * 43}" for n in range(5)]
    assert carried.of({"variant": ",".join(each[:4])})["variant"].split(",") == each[:4]
    assert carried.of({"variant": ",".join(each)})["variant"].split(",") == each[:4]


@given(st.dictionaries(st.sampled_from(list(carried.KEPT)), st.text()))
def test_what_is_kept_is_short_and_kept_the_same_again(said: dict[str, str]) -> None:
    kept = carried.of(said)
    assert carried.of(kept) == kept
    assert all(text.isprintable() and len(text) <= 500 for text in kept.values())
    assert not set("".join(kept.values())) & set(string.whitespace) - {" "}
