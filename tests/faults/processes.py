"""The shop as real processes, which a fault case kills and starts again."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


class Program:
    """One `python -m MODULE ...` with all its children, until the end of the block."""

    def __init__(self, *command: str | Path, log: Path | None = None) -> None:
        self._command = [sys.executable, "-m", *map(str, command)]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start; settings come from the environment."""
        with (self._log or Path(os.devnull)).open("ab") as errors:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors
            )

    def open(self) -> tuple[str, float]:
        """Wait until the shop says where it is; with the seconds it took."""
        began = time.monotonic()
        if not self._process:
            self.start()
        assert self._process
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the shop ended without opening"
        return str(json.loads(line)["url"]), time.monotonic() - began

    def wait(self) -> None:
        """Wait until it has ended by itself, and well."""
        assert self._process
        assert self._process.wait(120) == 0

    def kill(self) -> None:
        """Kill it and all its children at once, as a power cut would. Safe to repeat."""
        if not self._process:
            return
        family = _family(self._process.pid)
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(family, timeout=10)
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


@contextlib.contextmanager
def program(*command: str | Path, log: Path | None = None) -> Iterator[Program]:
    """Give a program that is not started yet; it is killed at the end of the block."""
    made = Program(*command, log=log)
    try:
        yield made
    finally:
        made.kill()


def shop_program(command: str, home: Path) -> tuple[str | Path, ...]:
    """Give the words of `handsel run` or `handsel web` for this home, on any port."""
    return ("handsel", command, "--json", "--home", home, "--bind", "127.0.0.1:0")
