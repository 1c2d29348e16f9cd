"""Ranges as RFC 9110 has them, and the sum of what was sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit import ranges
from handsel.kit.ranges import MOST_SPANS, Part, Spans, UnsatisfiableRangeError

ETAG = '"sha256-1"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", Part(0, 100)),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=99-", Part(99, 100)),
        ("bytes=10-19", Part(10, 20)),
        ("bytes=10-1000", Part(10, 100)),
        ("bytes=-10", Part(90, 100)),
        ("bytes=-1000", Part(0, 100)),
        ("Bytes = 1-2", Part(1, 3)),
        ("bytes= ,1-2,\t", Part(1, 3)),
        ("bytes=00005-" + "9" * 5000, Part(5, 100)),
    ],
)
def test_a_part_is_read(header: str, part: Part) -> None:
    assert ranges.parse(header, 100) == part


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=abc",
        "bytes=5-4",
        "bytes=200-150",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=1 -2",
        "bytes=٣-٤",
        "items=0-5",
        "0-5",
        "bytes=0-1,3-4",
        "bytes=" + ",".join(["0-0"] * 1000),
        "bytes=999-,0-1",
    ],
)
def test_what_is_no_single_range_gives_the_whole_file(header: str | None) -> None:
    assert ranges.parse(header, 100) is None


@pytest.mark.parametrize(
    "header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "9" * 5000 + "-"]
)
def test_a_range_outside_the_file_says_how_long_it_is(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError, match="100 bytes") as raised:
        ranges.parse(header, 100)
    assert raised.value.status == 416


def test_the_end_of_an_empty_file_is_the_empty_file() -> None:
    assert ranges.parse("bytes=-5", 0) is None
    with pytest.raises(UnsatisfiableRangeError):
        ranges.parse("bytes=0-", 0)


@pytest.mark.parametrize(
    ("method", "if_range", "part"),
    [
        ("GET", None, Part(0, 1)),
        ("GET", ETAG, Part(0, 1)),
        ("GET", '"sha256-0"', None),
        ("GET", "W/" + ETAG, None),
        ("GET", "sha256-1", None),
        ("GET", "Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("HEAD", None, None),
        ("POST", None, None),
    ],
)
def test_a_part_only_of_the_version_that_the_client_has(
    method: str, if_range: str | None, part: Part | None
) -> None:
    found = ranges.asked(
        method=method, range_header="bytes=0-0", if_range=if_range, etag=ETAG, size=9
    )
    assert found == part


def test_a_weak_etag_of_ours_never_allows_a_part() -> None:
    assert not ranges.is_current('W/"1"', 'W/"1"')


def test_content_range_counts_the_last_byte() -> None:
    assert Part(10, 20).content_range(100) == "bytes 10-19/100"


@given(header=st.text(), size=st.integers(0, 10**13))
def test_no_header_breaks_the_parser(header: str, size: int) -> None:
    for text in (header, "bytes=" + header):
        try:
            part = ranges.parse(text, size)
        except UnsatisfiableRangeError:
            continue
        assert part is None or 0 <= part.start < part.stop <= size


@given(first=st.integers(0, 200), last=st.integers(0, 200), size=st.integers(1, 150))
def test_a_range_is_the_slice_of_the_file(first: int, last: int, size: int) -> None:
    file = bytes(range(size))
    try:
        part = ranges.parse(f"bytes={first}-{last}", size)
    except UnsatisfiableRangeError:
        assert first >= size
        return
    if part is None:
        assert last < first
    else:
        assert file[part.start : part.stop] == file[first : last + 1]


PIECES = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=30)


@given(pieces=PIECES)
def test_spans_are_the_set_of_bytes(pieces: list[tuple[int, int]]) -> None:
    spans = Spans()
    for start, stop in pieces:
        spans = spans.add(start, stop)
    expected = {
        byte for start, stop in pieces if start >= 0 for byte in range(start, stop)
    }
    held = [byte for start, stop in spans.pairs for byte in range(start, stop)]
    assert set(held) == expected
    assert spans.total() == len(held) == len(expected)
    # Sorted, and with a gap between each two: else they would be one.
    edges = [edge for pair in spans.pairs for edge in pair]
    assert edges == sorted(set(edges))


@given(pieces=PIECES)
def test_spans_survive_json_in_any_order(pieces: list[tuple[int, int]]) -> None:
    spans = Spans.of(pieces)
    stored = json.loads(json.dumps(spans.as_list()))
    assert Spans.of(stored) == Spans.of(reversed(stored)) == spans


def test_spans_are_bounded_and_never_count_too_much() -> None:
    spans = Spans.of([(10 * n, 10 * n + 1) for n in range(MOST_SPANS + 200)])
    assert len(spans.pairs) == MOST_SPANS
    assert spans.total() == MOST_SPANS
    assert spans.add(1, 5).total() == MOST_SPANS + 4
    assert spans.add(0, 10 * MOST_SPANS).pairs == ((0, 10 * MOST_SPANS),)
