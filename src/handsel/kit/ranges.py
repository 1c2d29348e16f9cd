"""Which part of a file somebody asks for, and which parts somebody already has.

Parts are half-open: `start` is the first byte, `stop` the first byte after it.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from handsel.kit.errors import ShopError

# RFC 9110, 14.1.2: `first-last`, `first-` or `-length`, ASCII digits only.
_RANGE_SPEC = re.compile(r"([0-9]*)-([0-9]*)")
# No file is longer; a numeral with more digits than this means "beyond the end".
_MOST_DIGITS = 18
MOST_SPANS = 500


class UnsatisfiableRangeError(ShopError):
    """The part asked for lies outside the file. Answer with `Content-Range: bytes */size`."""

    status = 416


@dataclass(frozen=True)
class Part:
    """The bytes of a file from `start` up to, not including, `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many bytes these are."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """The `Content-Range` of a 206 answer, for a file of `size` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def asked(
    *, method: str, range_header: str | None, if_range: str | None, etag: str, size: int
) -> Part | None:
    """The part of a file that a request wants, or None for the whole file.

    Args:
        method: only GET has ranges; HEAD with one describes the whole file.
        if_range: the header as it came; a stale, weak or dated one means the whole file,
            so that a resumed download never mixes two versions.
        etag: the strong ETag of the file as it is now, with its quotes.
        size: of the file, in bytes.

    Raises UnsatisfiableRangeError. Source: RFC 9110, 13.1.5 and 14.2.
    """
    if method != "GET" or not is_current(if_range, etag):
        return None
    return parse(range_header, size)


def is_current(if_range: str | None, etag: str) -> bool:
    """Whether an `If-Range` header, or the absence of one, lets a range be answered."""
    return if_range is None or (
        if_range.strip() == etag and etag.startswith('"') and etag.endswith('"')
    )


def parse(header: str | None, size: int) -> Part | None:
    """Read a `Range` header; None where it must be ignored and the whole file sent.

    That is so for no header, another unit, a malformed one, and several ranges, which
    RFC 9110, 14.2 allows and which no downloader needs. Raises UnsatisfiableRangeError.
    """
    unit, equals, wanted = (header or "").partition("=")
    specs = [spec for item in wanted.split(",") if (spec := item.strip(" \t"))]
    if not equals or unit.strip(" \t").lower() != "bytes" or len(specs) != 1:
        return None
    found = _RANGE_SPEC.fullmatch(specs[0])
    if found is None or specs[0] == "-":
        return None
    first, last = found.groups()
    return _last_bytes(last, size) if not first else _from(first, last, size)


def _last_bytes(count: str, size: int) -> Part | None:
    wanted = _number(count)
    if wanted == 0:
        raise _outside(size)
    # The end of an empty file is the empty file; a 206 has no words for that.
    return Part(max(0, size - wanted), size) if size else None


def _from(first: str, last: str, size: int) -> Part | None:
    start = _number(first)
    stop = _number(last) + 1 if last else max(size, start + 1)
    if stop <= start:
        return None
    if start >= size:
        raise _outside(size)
    return Part(start, min(stop, size))


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _outside(size: int) -> UnsatisfiableRangeError:
    return UnsatisfiableRangeError(
        f"This part of the file does not exist: it has {size} bytes.",
        "Start the download again from the beginning.",
    )


@dataclass(frozen=True)
class Spans:
    """The distinct bytes of a file that were sent: sorted, merged, at most 500 pieces.

    When there are 500, a further piece that touches none of them is forgotten, so
    `total` may then be too low, never too high.
    """

    pairs: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[Iterable[int]]) -> Self:
        """What `as_list` gave, or any other pairs of start and stop, in any order."""
        spans = cls()
        for start, stop in pairs:
            spans = spans.add(start, stop)
        return spans

    def as_list(self) -> list[list[int]]:
        """For a JSON column: `[[start, stop], ...]`."""
        return [list(pair) for pair in self.pairs]

    def total(self) -> int:
        """How many different bytes these are."""
        return sum(stop - start for start, stop in self.pairs)

    def add(self, start: int, stop: int) -> Self:
        """These and the bytes from `start` to `stop`. An empty or negative piece adds nothing."""
        if not 0 <= start < stop:
            return self
        # The pieces from `low` to `high` overlap the new one or lie right beside it.
        low = bisect_left(self.pairs, start, key=lambda pair: pair[1])
        high = bisect_right(self.pairs, stop, key=lambda pair: pair[0])
        touched = self.pairs[low:high]
        if not touched and len(self.pairs) >= MOST_SPANS:
            return self
        if touched:
            start, stop = min(start, touched[0][0]), max(stop, touched[-1][1])
        return type(self)((*self.pairs[:low], (start, stop), *self.pairs[high:]))
