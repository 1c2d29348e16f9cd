"""Proofs hold for what they were made for, and for nothing else."""

import json
import os
import re
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import ConfigurationError
from handsel.kit.signing import (
    Keys,
    check,
    check_link_token,
    check_timed,
    link_token,
    public_id,
    read_link_token,
    sign,
    timed_token,
)

KEYS = Keys(b"i" * 32, {"a": b"a" * 32}, "a")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOOK = public_id(KEYS, "stripe", "cs_1")

any_text = st.text(st.characters(exclude_categories=()))


def rotated(keys: Keys) -> Keys:
    return replace(keys, link_keys={**keys.link_keys, "b": b"b" * 32}, current="b")


def test_a_purchase_has_one_name_for_ever() -> None:
    # Written down: if these change, every link in every mailbox is dead.
    assert BOOK == "1QUmAozXVlZ14rGVq0NA5B"
    assert link_token(KEYS, BOOK, 1) == "a1QUmAozXVlZ14rGVq0NA5B4OUrE8PyDkMdkEtGxqw31w"


def test_every_line_of_every_session_has_its_own_name() -> None:
    names = {
        public_id(KEYS, "stripe", "cs_1"),
        public_id(KEYS, "stripe", "cs_1", 1),
        public_id(KEYS, "stripe", "cs_11"),
        public_id(KEYS, "test", "cs_1"),
        public_id(KEYS, "stripecs", "_1"),
        public_id(replace(KEYS, id_key=b"j" * 32), "stripe", "cs_1"),
    }
    assert len(names) == 6


@given(any_text, any_text, st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_link_opens_its_purchase(
    provider: str, session_id: str, line: int, version: int
) -> None:
    name = public_id(KEYS, provider, session_id, line)
    token = link_token(KEYS, name, version)
    assert re.fullmatch(r"[0-9A-Za-z]{45}", token)
    assert read_link_token(KEYS, token) == name
    assert check_link_token(KEYS, token, name, version)
    assert not check_link_token(KEYS, token, name, version + 1)


def test_a_link_with_any_letter_changed_opens_nothing() -> None:
    token = link_token(KEYS, BOOK, 1)
    for place in range(len(token)):
        other = "b" if token[place] != "b" else "c"
        forged = token[:place] + other + token[place + 1 :]
        assert not check_link_token(KEYS, forged, BOOK, 1), place
        claimed = read_link_token(KEYS, forged)
        assert claimed is None or not check_link_token(KEYS, forged, claimed, 1)


@pytest.mark.parametrize(
    "token",
    ["", "a", "a" * 44, "a" * 46, "a" * 44 + "\n", "a" * 44 + "ä", "-" * 45, "\ud800"],
)
def test_what_is_no_token_claims_nothing_and_breaks_nothing(token: str) -> None:
    assert read_link_token(KEYS, token) is None
    assert not check_link_token(KEYS, token, BOOK, 1)


def test_a_link_of_an_unknown_key_claims_nothing() -> None:
    assert read_link_token(KEYS, link_token(rotated(KEYS), BOOK, 1)) is None


def test_links_of_another_shop_open_nothing() -> None:
    other = replace(KEYS, link_keys={"a": b"z" * 32})
    assert not check_link_token(KEYS, link_token(other, BOOK, 1), BOOK, 1)


def test_old_links_and_forms_live_on_after_a_change_of_keys() -> None:
    after = rotated(KEYS)
    old = link_token(KEYS, BOOK, 1)
    assert read_link_token(after, old) == BOOK
    assert check_link_token(after, old, BOOK, 1)
    assert link_token(after, BOOK, 1)[0] == "b"
    assert check(after, "form", sign(KEYS, "form", "x"), "x")
    soon = NOW + timedelta(hours=2)
    assert check_timed(after, "form", "x", timed_token(KEYS, "form", "x", soon), NOW)
    retired = Keys(after.id_key, {"b": after.link_keys["b"]}, "b")
    assert not check_link_token(retired, old, BOOK, 1)
    assert not check(retired, "form", sign(KEYS, "form", "x"), "x")
    assert public_id(retired, "stripe", "cs_1") == BOOK


@given(any_text, st.lists(any_text))
def test_a_signature_holds_for_what_was_signed(purpose: str, parts: list[str]) -> None:
    mac = sign(KEYS, purpose, *parts)
    assert re.fullmatch(r"[0-9A-Za-z]{22}", mac)
    assert check(KEYS, purpose, mac, *parts)
    assert not check(KEYS, purpose + "x", mac, *parts)
    assert not check(KEYS, purpose, mac, *parts, "")


@given(st.lists(any_text, max_size=4), st.lists(any_text, max_size=4))
def test_parts_cannot_be_moved_about(one: list[str], other: list[str]) -> None:
    same = sign(KEYS, "p", *one) == sign(KEYS, "p", *other)
    assert same == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a\0b",), ("a", "b")),
        (("a", ""), ("a",)),
        (("1:a",), ("a",)),
        (("a1:b",), ("a", "b")),
    ],
)
def test_a_cut_in_another_place_is_another_thing(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assert sign(KEYS, "p", *one) != sign(KEYS, "p", *other)
    assert sign(KEYS, *one) != sign(KEYS, *other)


def test_one_kind_of_proof_never_passes_for_another() -> None:
    """The same words under every label give different proofs."""
    end = str(int(NOW.timestamp()))
    proofs = {
        link_token(KEYS, BOOK, 1)[23:],
        sign(KEYS, "dl", BOOK, "1"),
        sign(KEYS, BOOK, "1"),
        sign(KEYS, "form", "x", end),
        sign(KEYS, "timed", "form", "x", end),
        timed_token(KEYS, "form", "x", NOW)[-22:],
    }
    assert len(proofs) == 6


def test_a_form_is_good_until_its_time_is_over() -> None:
    token = timed_token(KEYS, "press", BOOK, NOW + timedelta(hours=2))
    assert re.fullmatch(r"[0-9A-Za-z]+", token)
    assert check_timed(KEYS, "press", BOOK, token, NOW)
    almost = NOW + timedelta(hours=2, seconds=-1)
    assert check_timed(KEYS, "press", BOOK, token, almost)
    assert not check_timed(KEYS, "press", BOOK, token, NOW + timedelta(hours=2))
    assert not check_timed(KEYS, "other", BOOK, token, NOW)
    assert not check_timed(KEYS, "press", "another", token, NOW)


def test_a_form_with_any_sign_changed_is_refused() -> None:
    token = timed_token(KEYS, "press", BOOK, NOW + timedelta(hours=2))
    for place in range(len(token)):
        for other in "09aZx":
            if other != token[place]:
                forged = token[:place] + other + token[place + 1 :]
                assert not check_timed(KEYS, "press", BOOK, forged, NOW)
    assert not check_timed(KEYS, "press", BOOK, "0" + token, NOW)


@given(any_text)
def test_no_rubbish_passes_as_a_form(text: str) -> None:
    assert not check_timed(KEYS, "press", BOOK, text, NOW)
    assert not check(KEYS, "press", text, BOOK)


def test_a_time_without_a_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zone"):
        timed_token(KEYS, "press", BOOK, NOW.replace(tzinfo=None))


def test_keys_come_back_from_their_file_and_only_the_owner_reads_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "secrets" / "keys.json"
    keys = rotated(Keys.create())
    keys.save(path)
    assert Keys.load(path) == keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


def test_new_keys_are_new_each_time() -> None:
    assert Keys.create() != Keys.create()


def test_keys_do_not_show_in_messages() -> None:
    assert repr(KEYS) == "Keys(current='a')"


def test_keys_are_made_once(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(Keys.load_or_create, [path] * 16))
    assert all(keys == made[0] for keys in made)
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


def test_missing_keys_are_never_replaced_by_new_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing.*from your backup"):
        Keys.load(tmp_path / "keys.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_keys_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    KEYS.save(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Keys.load(path)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Keys.load_or_create(path)


def short(kept: dict[str, object]) -> None:
    kept["id_key"] = "00" * 31


def odd(kept: dict[str, object]) -> None:
    kept["id_key"] = "zz"


def absent(kept: dict[str, object]) -> None:
    del kept["id_key"]


def listed(kept: dict[str, object]) -> None:
    kept["link_keys"] = ["00" * 32]


def none_current(kept: dict[str, object]) -> None:
    kept["current"] = "q"


def twice(kept: dict[str, object]) -> None:
    kept["link_keys"] = {"a": kept["id_key"]}


def long_name(kept: dict[str, object]) -> None:
    kept["link_keys"], kept["current"] = {"aa": "01" * 32}, "aa"


def strange(kept: dict[str, object]) -> None:
    kept["current"] = ["a"]


@pytest.mark.parametrize(
    "spoil", [short, odd, absent, listed, none_current, twice, long_name, strange]
)
def test_spoiled_keys_are_refused_in_words(
    tmp_path: Path, spoil: Callable[[dict[str, object]], None]
) -> None:
    path = tmp_path / "keys.json"
    KEYS.save(path)
    kept = json.loads(path.read_text())
    spoil(kept)
    path.write_text(json.dumps(kept))
    with pytest.raises(ConfigurationError, match="from your backup"):
        Keys.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'"x"'])
def test_what_is_no_key_file_is_refused_in_words(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="does not hold"):
        Keys.load(path)


def test_a_folder_in_place_of_the_keys_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Keys.load(tmp_path)


def test_a_loose_umask_changes_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        KEYS.save(tmp_path / "secrets" / "keys.json")
    finally:
        os.umask(before)
    assert Keys.load(tmp_path / "secrets" / "keys.json") == KEYS
