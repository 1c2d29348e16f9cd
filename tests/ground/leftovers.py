"""No test leaves a thread behind, and no worker of the test run a process."""

import gc
import threading
from collections.abc import Iterator

import psutil
import pytest

# Seconds that what is ending may take, on a busy machine.
PATIENCE = 5.0


@pytest.fixture(autouse=True)
def leaves_no_thread() -> Iterator[None]:
    """Fail the test after which a thread of its making still runs.

    Daemon threads do not count, nor those of fixtures with a longer life.
    """
    before = set(threading.enumerate())
    yield
    made = [each for each in threading.enumerate() if each not in before]
    left = [each for each in made if not each.daemon and not _ends(each)]
    assert not left, f"Threads left behind: {left}"


@pytest.fixture(autouse=True, scope="session")
def leaves_no_process() -> Iterator[None]:
    """Fail the worker's last test when a program that some test started still runs."""
    before = set(psutil.Process().children(recursive=True))
    yield
    made = set(psutil.Process().children(recursive=True)) - before
    _, left = psutil.wait_procs(made, timeout=PATIENCE)
    assert not left, f"Programs left behind: {left}"


def pytest_collection_finish() -> None:
    """Never look again through what is here before the first test: it stays to the end.

    Modules and thousands of tests are most of what Python would look through, each time
    it looks for what a test has left in circles; that took a tenth of all time. And it
    looks less often than for a program whose memory counts: a twentieth.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _ends(thread: threading.Thread) -> bool:
    thread.join(timeout=PATIENCE)
    return not thread.is_alive()
