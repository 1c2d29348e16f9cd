"""Taking turns, also with other processes of this machine."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Go on when nobody else is in here with the same folder, which must exist.

    Of however many threads and processes; whoever dies leaves at once.
    """
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


@contextmanager
def together_in(folder: Path) -> Iterator[None]:
    """Go on when nobody is alone in here; others who are here like this do not matter.

    A folder that is not there, or cannot be held, such as on some network disks, hinders
    nobody.
    """
    with _opened(folder) as held:
        if held is not None:
            with suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_SH)
        yield


@contextmanager
def alone_if_free(folder: Path) -> Iterator[bool]:
    """Say at once whether nobody else is in here; if so, nobody comes in meanwhile.

    So it is with a folder that is not there, or cannot be held.
    """
    with _opened(folder) as held:
        free = True
        if held is not None:
            with suppress(OSError):
                free = _take(held)
        yield free


def _take(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    try:
        held = os.open(folder, os.O_RDONLY)
    except OSError:
        yield None
        return
    try:
        yield held
    finally:
        os.close(held)


def hold(file: IO[str]) -> None:
    """Hold an open file until it is closed; a process that is given it holds it, too."""
    fcntl.flock(file, fcntl.LOCK_EX)


def is_held(file: IO[str]) -> bool:
    """Say whether somebody alive holds this file, open here for reading."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
