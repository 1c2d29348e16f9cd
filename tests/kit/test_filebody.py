"""A body tells once how much of it was delivered, whoever sent it."""

import io
from pathlib import Path

import pytest

from handsel.kit.filebody import FileBody


@pytest.fixture
def done() -> list[int]:
    return []


@pytest.fixture
def body(tmp_path: Path, done: list[int]) -> FileBody:
    path = tmp_path / "book"
    path.write_bytes(b"0123456789")
    return FileBody(path.open("rb"), start=2, length=5, on_done=done.append)


def test_it_is_the_part_and_nothing_else(body: FileBody, done: list[int]) -> None:
    assert [body.read(3), body.read(3), body.read(3)] == [b"234", b"56", b""]
    body.close()
    assert done == [5]


def test_what_was_read_counts_when_nobody_knows_better(
    body: FileBody, done: list[int]
) -> None:
    body.read(3)
    body.close()
    body.close()
    assert done == [3]


def test_what_the_server_knows_counts_more(body: FileBody, done: list[int]) -> None:
    assert body.read() == b"23456"
    body.delivered(1)
    body.close()
    assert done == [1]


@pytest.mark.parametrize(("told", "counted"), [(-3, 0), (99, 5)])
def test_the_count_stays_within_the_body(
    body: FileBody, done: list[int], told: int, counted: int
) -> None:
    body.delivered(told)
    body.close()
    assert done == [counted]


def test_measuring_it_as_waitress_does_reads_nothing(
    body: FileBody, done: list[int]
) -> None:
    assert body.seekable()
    here = body.tell()
    assert body.seek(0, io.SEEK_END) - here == 5
    assert body.seek(here) == 2
    body.close()
    assert done == [0]


def test_the_file_is_closed_even_when_noting_it_fails(tmp_path: Path) -> None:
    def fail(_count: int) -> None:
        raise RuntimeError("the database is away")

    path = tmp_path / "book"
    path.write_bytes(b"0123456789")
    file = path.open("rb")
    body = FileBody(file, start=0, length=1, on_done=fail)
    with pytest.raises(RuntimeError):
        body.close()
    assert file.closed
