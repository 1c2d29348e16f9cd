"""Who is in a folder with others, and who only when nobody is."""

import errno
import fcntl
from pathlib import Path

import pytest

from handsel.kit.locks import alone_if_free, together_in


def test_many_are_together_and_then_nobody_is_alone(tmp_path: Path) -> None:
    two = together_in(tmp_path), together_in(tmp_path)
    with two[0], two[1], alone_if_free(tmp_path) as free:
        assert not free
    with alone_if_free(tmp_path) as free, alone_if_free(tmp_path) as second:
        assert (free, second) == (True, False)


def test_a_folder_that_is_not_there_hinders_nobody(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with together_in(missing), alone_if_free(missing) as free:
        assert free
    assert not missing.exists()


def test_a_disk_without_locks_hinders_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with together_in(tmp_path), alone_if_free(tmp_path) as free:
        assert free
