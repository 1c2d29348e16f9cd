"""What the tests write lies in memory, on machines that have a folder for it.

A database and a folder for each of thousands of tests: a disk needs ten times as long to
make and to delete them, and minutes for all of them.
"""

import os
import shutil
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108 - made for this
ENOUGH = 2 * 1024**3
"""Bytes that must be free there; in a container it often has few."""


def root() -> Path:
    """Give the folder for what is thrown away: short enough for the path of a socket."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= ENOUGH:
        return _MEMORY
    return Path("/tmp")  # noqa: S108 - whoever uses it makes a folder of its own there


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let pytest make its folders there; workers are told by the process above them."""
    if not hasattr(config, "workerinput"):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(root()))
