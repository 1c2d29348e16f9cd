"""Changing `handsel.toml`: what was not meant to change does not."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.ops.founding import Plan, config_text
from handsel.settings.editing import CannotEditError, Change, edited, toml

MADE = config_text(Plan("Ada's Books", "ada@example.com", "EUR"))
VALUES: st.SearchStrategy[object] = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.integers(-(2**62), 2**62)
    | st.booleans()
    | st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=4
    )
)
NAMES = [
    ("shop", "name"), ("shop", "address"), ("server", "country_header"),
    ("mail", "from"), ("mail", "ses_topics"), ("stripe", "api_base"), ("embed", "origins"),
    ("new", "thing"),
]  # fmt: skip


def one(text: str, section: str, key: str, value: object, **more: Any) -> str:
    """Change one setting."""
    return edited(text, [Change(section, key, value, **more)])


def lines_changed(old: str, new: str) -> list[tuple[str, str]]:
    """Give the lines that differ, of two texts with the same number of lines."""
    pairs = zip(old.split("\n"), new.split("\n"), strict=True)
    return [(a, b) for a, b in pairs if a != b]


def test_a_value_and_a_default_are_replaced_in_their_line() -> None:
    assert lines_changed(MADE, one(MADE, "shop", "name", "Buch & Co")) == [
        ('name = "Ada\'s Books"', 'name = "Buch & Co"')
    ]
    assert lines_changed(MADE, one(MADE, "mail", "port", 465)) == [
        ("# port = 587", "port = 465")
    ]
    assert lines_changed(MADE, one(MADE, "stripe", "secret_key", "secrets/x", as_file=True)) == [
        ('# secret_key = ""', 'secret_key_file = "secrets/x"')
    ]  # fmt: skip


def test_the_default_comes_back_as_the_comment_it_was() -> None:
    changed = one(MADE, "mail", "port", 465)
    assert one(changed, "mail", "port", None, default=587) == MADE
    secret = one(MADE, "mail", "password", "secrets/x", as_file=True)
    assert one(secret, "mail", "password", None) == MADE
    assert one(MADE, "mail", "port", None, default=587) == MADE


def test_what_the_file_does_not_have_goes_to_the_end_of_its_section() -> None:
    text = "[shop]\nname = 'A'\n\n# Mails.\n[mail]\nport = 25"
    assert one(text, "shop", "email", "a@b.c") == (
        "[shop]\nname = 'A'\nemail = \"a@b.c\"\n\n# Mails.\n[mail]\nport = 25"
    )
    assert one(text, "mail", "host", "m") == f'{text}\nhost = "m"\n'
    assert one(text, "tax", "mode", "none") == f'{text}\n\n[tax]\nmode = "none"\n'
    assert one("", "tax", "mode", "none") == '\n[tax]\nmode = "none"\n'


def test_a_remark_at_the_end_of_the_line_stays() -> None:
    text = '[shop]\nname = "A # B"  # as on the sign\r\nemail = "x@y.z"\n'
    assert one(text, "shop", "name", "C") == (
        '[shop]\nname = "C"  # as on the sign\r\nemail = "x@y.z"\n'
    )


def test_values_of_several_lines_are_replaced_whole() -> None:
    text = (
        '[shop]\naddress = """\nStreet 1\n[mail]\nname = "no"\n"""\n'
        '[payments]\nenabled = [\n  "stripe", # one\n  "paypal",\n]\n[mail]\nport=25\n'
    )
    new = one(text, "payments", "enabled", ["test"])
    assert '[payments]\nenabled = ["test"]\n[mail]' in new
    assert one(text, "shop", "address", "Elsewhere\n2").startswith(
        '[shop]\naddress = "Elsewhere\\n2"\n[payments]'
    )


def test_both_ways_of_saying_it_become_one() -> None:
    text = '[mail]\npassword = "a"\nuser = "u"\npassword_file = "b"\n'
    assert one(text, "mail", "password", "c", as_file=True) == (
        '[mail]\npassword_file = "c"\nuser = "u"\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        'shop.name = "A"\n',
        'shop = {name = "A"}\n',
        '[[shop]]\nname = "A"\n',
    ],
)
def test_a_file_written_in_another_way_is_left_alone(text: str) -> None:
    with pytest.raises(CannotEditError):
        one(text, "shop", "name", "B")


def test_nothing_breaks_out_of_its_value() -> None:
    evil = 'x"\n[stripe]\nsecret_key = "sk_live_1\x7f\u2028\\'
    values = tomllib.loads(one(MADE, "shop", "name", evil))
    assert values["shop"]["name"] == evil
    assert "secret_key" not in values["stripe"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.none() | VALUES), max_size=6))
def test_whatever_is_written_is_read_again_and_comments_stay(
    asked: list[tuple[tuple[str, str], object]],
) -> None:
    text = MADE
    for (section, key), value in asked:
        text = one(text, section, key, value)
        found = tomllib.loads(text).get(section, {})
        assert found.get(key) == value
    notes = [e for e in MADE.split("\n") if e.startswith("#") and "=" not in e]
    assert [e for e in text.split("\n") if e in notes] == notes


@given(VALUES)
def test_every_value_is_toml(value: object) -> None:
    assert tomllib.loads(f"it = {toml(value)}")["it"] == value
