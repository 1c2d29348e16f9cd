"""The worker as a process of its own, watched over by the one that serves the pages.

Never a thread: writing mails holds Python's lock for so long that pages would wait.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("handsel")

SLOWEST_RESTART = 30.0


@contextmanager
def watched_worker(home: Path) -> Iterator[None]:
    """Keep one worker running while the block runs; start it again when it dies.

    It ends by itself when this process dies, however it dies.
    """
    stop = threading.Event()
    watch = threading.Thread(target=_watch, args=(home, stop), daemon=True)
    watch.start()
    try:
        yield
    finally:
        stop.set()
        watch.join(timeout=15)


def _watch(home: Path, stop: threading.Event) -> None:
    pause = 0.5
    while not stop.is_set():
        child = _start(home)
        while child.poll() is None and not stop.wait(0.2):
            pass
        if stop.is_set():
            _end(child)
            return
        log.error("The worker ended with code %s; starting it again.", child.returncode)
        stop.wait(pause)
        pause = min(2 * pause, SLOWEST_RESTART)


def _start(home: Path) -> "subprocess.Popen[bytes]":
    # Our interpreter and our own module: nothing of this comes from outside.
    return subprocess.Popen(  # noqa: S603
        [
            sys.executable,
            "-m",
            "handsel",
            "worker",
            "--with-parent",
            "--home",
            str(home),
        ],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdin:
        child.stdin.close()
