"""One mail, written once and filled in for many.

Python's `email` needs a millisecond and more to write a mail. A mail to everyone differs
from buyer to buyer only in a few words, so it is written once with marks in their place,
and the marks are cut out of the finished bytes. Whatever the standard library did for
safety stays done; what is filled in was checked before.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise


class Stencil:
    """A finished mail with holes in it.

    Args:
        content: the mail as it goes over the wire, in quoted-printable or plain ASCII.
        marks: for each hole the letters and digits that stand in its place, which must
            occur nowhere else. A value has as many letters, so that no line becomes
            longer, and only letters and digits, so that nothing needs an escape.
        free: a hole whose value may have another length: it ends its line.
    """

    def __init__(
        self, content: bytes, marks: Mapping[str, str], *, free: Sequence[str] = ()
    ) -> None:
        self._lengths = {
            name: len(mark) for name, mark in marks.items() if name not in free
        }
        self._pieces: list[bytes] = []
        self._holes: list[tuple[str, tuple[int, ...]]] = []
        end = 0
        for name, found in _occurrences(content, marks):
            self._pieces.append(content[end : found.start()])
            self._holes.append((name, _breaks(found[0])))
            end = found.end()
        self._pieces.append(content[end:])

    def filled(self, values: Mapping[str, str]) -> bytes:
        """Give the mail with a value in each hole.

        Raises ValueError for a value of the wrong length.
        """
        for name, length in self._lengths.items():
            if len(values[name]) != length or not values[name].isalnum():
                raise ValueError(f"{values[name]!r} does not fit into {name}.")
        parts = [self._pieces[0]]
        for (name, breaks), piece in zip(self._holes, self._pieces[1:], strict=True):
            parts += [_broken(values[name], breaks), piece]
        return b"".join(parts)


def _occurrences(
    content: bytes, marks: Mapping[str, str]
) -> list[tuple[str, re.Match[bytes]]]:
    """Find every mark, also where quoted-printable has broken it over two lines."""
    found = [
        (name, match)
        for name, mark in marks.items()
        for match in re.finditer(_broken_up(mark), content)
    ]
    return sorted(found, key=lambda pair: pair[1].start())


def _broken_up(mark: str) -> bytes:
    return "(?:=\r\n)?".join(map(re.escape, mark)).encode()


def _breaks(found: bytes) -> tuple[int, ...]:
    """Say after how many letters of a mark a line ends."""
    ends, letters = [], 0
    for piece in found.split(b"=\r\n")[:-1]:
        letters += len(piece)
        ends.append(letters)
    return tuple(ends)


def _broken(value: str, breaks: Sequence[int]) -> bytes:
    if not breaks:
        return value.encode()
    edges = [0, *breaks, len(value)]
    pieces = [value[a:b] for a, b in pairwise(edges)]
    return "=\r\n".join(pieces).encode()
