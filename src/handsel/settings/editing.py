"""Changing `handsel.toml` as a careful person does: comments, order and the rest stay.

Lines are found by trying what TOML makes of them, and the outcome is compared with what
was wanted: a file that is written in a way not foreseen here is left alone.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any


class CannotEditError(Exception):
    """The file says it in a way that is not for programs to change."""


@dataclass(frozen=True)
class Change:
    """One setting as it shall be.

    Args:
        value: what to write; None for the default, which is then left out.
        default: what stands in the comment that is left instead.
        as_file: whether `value` is the name of a file that holds it: `KEY_file`.
    """

    section: str
    key: str
    value: object | None
    default: object = ""
    as_file: bool = False

    @property
    def written(self) -> str:
        """The key as it stands in the file."""
        return f"{self.key}_file" if self.as_file else self.key


@dataclass(frozen=True)
class _Piece:
    """Some lines of the file that belong together.

    `section` is where it stands; `key` what it sets, empty for headers and comments.
    """

    text: str
    section: str
    key: str = ""

    @property
    def end(self) -> str:
        return "\r\n" if self.text.endswith("\r\n") else "\n"


def edited(text: str, changes: Iterable[Change]) -> str:
    """Give the text with its settings changed. Raises CannotEditError."""
    wanted = tomllib.loads(text)
    for change in changes:
        text = _with(list(_pieces(text)), change)
        _want(wanted, change)
    try:
        outcome = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotEditError from error
    if _filled(outcome) != _filled(wanted):
        raise CannotEditError
    return text


def toml(value: object) -> str:
    """Write a value as TOML; its strings, numbers and lists look like JSON's."""
    # JSON lets this one through as it is; TOML does not.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _want(values: dict[str, Any], change: Change) -> None:
    keys = values.setdefault(change.section, {})
    if not isinstance(keys, dict):
        raise CannotEditError
    for key in (change.key, f"{change.key}_file"):
        keys.pop(key, None)
    if change.value is not None:
        keys[change.written] = deepcopy(change.value)


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: keys for name, keys in values.items() if keys != {}}


def _pieces(text: str) -> Iterator[_Piece]:
    """Take the file apart: each statement, however many lines it has, each comment."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    place, section = 0, ""
    while place < len(lines):
        line = lines[place].strip()
        if not line or line.startswith("#"):
            yield _Piece(lines[place], section)
            place += 1
            continue
        end, found = _statement(lines, place)
        whole = "".join(lines[place:end])
        if line.startswith("["):
            section = _path(found)
            yield _Piece(whole, section)
        else:
            yield _Piece(whole, section, next(iter(found)))
        place = end


def _statement(lines: list[str], first: int) -> tuple[int, dict[str, Any]]:
    """Find where a statement ends that may have several lines: where it is one."""
    for end in range(first + 1, len(lines) + 1):
        try:
            return end, tomllib.loads("".join(lines[first:end]))
        except tomllib.TOMLDecodeError:
            continue
    raise CannotEditError


def _path(header: Any) -> str:
    names = []
    while isinstance(header, dict) and header:
        ((name, header),) = header.items()
        names.append(name)
    return ".".join(names)


def _with(pieces: list[_Piece], change: Change) -> str:
    """Put a change where it belongs: in the place of what stands there, if anything."""
    own = [n for n, each in enumerate(pieces) if _sets(each, change)]
    if own:
        pieces[own[0]] = _instead(pieces[own[0]], change)
        pieces = [each for n, each in enumerate(pieces) if n not in own[1:]]
    elif change.value is not None:
        pieces = _added(pieces, change)
    return "".join(each.text for each in pieces)


def _sets(piece: _Piece, change: Change) -> bool:
    keys = (change.key, f"{change.key}_file")
    return piece.section == change.section and piece.key in keys


def _instead(piece: _Piece, change: Change) -> _Piece:
    if change.value is None:
        line = f"# {change.key} = {toml(change.default)}"
    else:
        line = f"{change.written} = {toml(change.value)}{_remark(piece.text)}"
    return _Piece(line + piece.end, piece.section, change.written)


def _remark(text: str) -> str:
    """Give the comment at the end of a line, with the room before it."""
    line = text.rstrip("\r\n")
    for found in re.finditer(r"\s*#", line):
        try:
            tomllib.loads(line[: found.start()])
        except tomllib.TOMLDecodeError:
            continue  # that one stands inside the value
        return line[found.start() :]
    return ""


def _added(pieces: list[_Piece], change: Change) -> list[_Piece]:
    inside = [n for n, each in enumerate(pieces) if each.section == change.section]
    line = f"{change.written} = {toml(change.value)}"
    if not inside:
        head = f"\n[{change.section}]\n{line}\n"
        ended = not pieces or pieces[-1].text.endswith("\n")
        return [*pieces, _Piece(head if ended else f"\n{head}", change.section)]
    defaults = [n for n in inside if _is_default(pieces[n].text, change)]
    if defaults:
        place = defaults[0]
        pieces[place] = _Piece(line + pieces[place].end, change.section)
        return pieces
    last = _last_of(pieces, inside)
    end = pieces[last].end
    before = pieces[last].text
    if not before.endswith("\n"):
        pieces[last] = _Piece(before + end, change.section, pieces[last].key)
    return [
        *pieces[: last + 1],
        _Piece(line + end, change.section),
        *pieces[last + 1 :],
    ]


def _last_of(pieces: list[_Piece], inside: list[int]) -> int:
    """Find the end of a section; comments right above the next one belong to that."""
    left = list(inside)
    if left[-1] + 1 < len(pieces):
        while pieces[left[-1]].text.lstrip().startswith("#"):
            left.pop()
    while not pieces[left[-1]].text.strip():
        left.pop()
    return left[-1]


def _is_default(text: str, change: Change) -> bool:
    """Say whether a comment is the setting itself, not in use."""
    found = re.match(r"\s*#\s*(\w+\s*=.*)", text)
    if not found:
        return False
    try:
        keys = set(tomllib.loads(found[1].rstrip("\r")))
    except tomllib.TOMLDecodeError:
        return False
    return keys <= {change.key, f"{change.key}_file"}
