"""The real program, without the second that Python needs to read it in.

One process has imported every command and waits. For each call it makes a copy of itself,
which gets words, streams, environment and folder of its own, and then does what
`python -m handsel` does, to the end: an exit code of its own, or a signal's.

What depends on how Python starts is not shown by it: such a test starts Python itself.

Run as a program (`python -m tests.ground.ready DESCRIPTOR`) this file is that process.
"""

import contextlib
import gc
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MOST = 1 << 17
"""Bytes that a call may have; its environment is the longest part."""
LATER = [
    *("handsel.web", "handsel.worker", "stripe", "psycopg", "webbrowser"),
    *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg"),
    *("handsel.sales.payments.test", "handsel.sales.payments.stripe"),
    *("handsel.outbound.transports.folder", "handsel.outbound.transports.smtp"),
]
"""What commands import only when they come to it."""


class Waiting:
    """The process that waits, as those see it who call."""

    def __init__(self) -> None:
        self._calls, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.ground.ready", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def start(self, *words: str, stdin: int, stdout: int, stderr: int) -> int:
        """Start the program; give a descriptor from which its end can be read."""
        ended, report = os.pipe()
        call = {
            "words": [os.fsencode(word).hex() for word in words],
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "umask": _umask(),
        }
        try:
            streams = [stdin, stdout, stderr, report]
            socket.send_fds(self._calls, [json.dumps(call).encode()], streams)
        finally:
            os.close(report)
        return ended

    def close(self) -> None:
        """Send it away."""
        self._calls.close()
        self._process.wait()


_waiting: list[Waiting] = []


@pytest.fixture(autouse=True, scope="session")
def ready_program(leaves_no_process: None) -> Iterator[None]:
    """Send the waiting process away at the end, if there is one."""
    yield
    while _waiting:
        _waiting.pop().close()


def start(*words: str, stdin: int, stdout: int, stderr: int) -> int:
    """Start the program with these streams; give what `ending` waits for."""
    if not _waiting:
        _waiting.append(Waiting())
    return _waiting[0].start(*words, stdin=stdin, stdout=stdout, stderr=stderr)


def ending(ended: int) -> int:
    """Wait for the end of a program; give its exit code, or the signal's below zero."""
    with open(ended) as report:
        return int(report.read())


def call(
    *words: str, stdin: int | None = None, given: bytes | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the program to its end; it may read from `stdin`, or a pipe with the `given`."""
    with TemporaryFile() as out, TemporaryFile() as err, _fed(given) as pipe:
        source = pipe if stdin is None else stdin
        ended = start(*words, stdin=source, stdout=out.fileno(), stderr=err.fileno())
        os.close(pipe)  # so that whoever feeds it sees when nobody reads
        code = ending(ended)
        said = [os.pread(each.fileno(), 1 << 30, 0).decode() for each in (out, err)]
    return subprocess.CompletedProcess(words, code, *said)


@contextlib.contextmanager
def _fed(given: bytes | None) -> Iterator[int]:
    """Give the end of a pipe that what is given comes out of, or a file of nothing."""
    if given is None:
        yield os.open(os.devnull, os.O_RDONLY)
        return
    end, beginning = os.pipe()

    def feed() -> None:
        with contextlib.suppress(BrokenPipeError), open(beginning, "wb") as pipe:
            pipe.write(given)

    with ThreadPoolExecutor(1) as pool:
        fed = pool.submit(feed)
        yield end
        fed.result()


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


# From here on: in the process that waits.


def serve(calls: socket.socket) -> None:
    """Make a copy for each call, until nobody calls any more. Only copies return."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that report
    while True:
        message, descriptors, _, _ = socket.recv_fds(calls, MOST, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            break
        for each in descriptors:
            os.close(each)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    calls.close()
    *streams, report = descriptors
    if program := os.fork():
        _report(program, streams, report)
    os.close(report)
    _become(json.loads(message), streams)


def _report(program: int, streams: list[int], report: int) -> None:
    for each in (0, 1, 2, *streams):
        os.close(each)
    _, status = os.waitpid(program, 0)
    os.write(report, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(call: dict[str, Any], streams: list[int]) -> None:
    """Take over what the call has brought."""
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        old: io.TextIOWrapper = getattr(sys, name)
        buffering = 1 if name == "stderr" else -1
        new = os.fdopen(old.fileno(), mode, buffering, "utf-8", old.errors)
        setattr(sys, name, new)
    os.environ.clear()
    os.environ.update(call["environment"])
    time.tzset()
    os.chdir(call["folder"])
    os.umask(call["umask"])
    sys.argv[1:] = [os.fsdecode(bytes.fromhex(word)) for word in call["words"]]


if __name__ == "__main__":
    commands = import_module("handsel.cli").COMMANDS.values()
    places = {place.partition(":")[0] for place, _ in commands}
    for name in [*(f"handsel.cli.{place}" for place in sorted(places)), *LATER]:
        import_module(name)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("handsel", run_name="__main__", alter_sys=True)
