"""Taking turns, also with other processes of this machine."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
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
