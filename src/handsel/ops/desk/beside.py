"""A command beside the pages, begun at the desk: one of a kind at a time, and how it went.

In a process of its own: in a thread it would make the pages wait, and within a request it
would have to be over in seconds. Its answer goes into a file in the shop's folder, behind
what was asked, and it holds that file as long as it lives. So any web process can tell
one that runs from one that was cut off, also after everything was started anew.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from handsel.kit.errors import ConflictError
from handsel.kit.locks import alone_in, hold, is_held
from handsel.shop import utc_now

FOLDER = "desk"
"""In the shop's folder: where that lies which has no better place."""

CUT_OFF = "It was cut off before it was done. Nothing is lost; begin it again."

NICE = 10
"""How far it steps back behind the pages."""


@dataclass(frozen=True)
class Run:
    """The last run of a command.

    Args:
        running: it is not over.
        answer: what the command says with `--json`; empty if it was cut off.
        asked: what it was begun for, in words of whoever began it.
        began_at, ended_at: by the clock of the machine; None where there was no run.
    """

    running: bool = False
    answer: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    began_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def cut_off(self) -> bool:
        """Whether it ended without a word."""
        return bool(self.began_at and not self.running and not self.answer)

    @property
    def problem(self) -> str:
        """Why it could not be done, in the command's words; else empty."""
        if self.cut_off:
            return CUT_OFF
        error, hint = self.answer.get("error", ""), self.answer.get("hint", "")
        return f"{error} {hint}".strip()

    @property
    def seconds(self) -> int:
        """How long it took, in whole seconds."""
        if not self.began_at or not self.ended_at:
            return 0
        return max(0, round((self.ended_at - self.began_at).total_seconds()))


def start(
    state: Path, home: Path, words: Sequence[str], asked: Mapping[str, Any], busy: str
) -> None:
    """Begin a command of ours, unless the last one of its kind still runs.

    Args:
        state: the file it answers into.
        words: the command, without `--json` and `--home`.
        busy: what to say if it runs already. Raises ConflictError.
    """
    state.parent.mkdir(mode=0o700, exist_ok=True)
    with alone_in(state.parent):
        if last(state).running:
            raise ConflictError(busy, "Wait until it is done.")
        fresh = state.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            hold(file)
            head = {"began_at": utc_now().isoformat(), "asked": dict(asked)}
            file.write(json.dumps(head) + "\n")
            file.flush()
            # Before it begins: whenever we are killed, what runs holds the file that
            # everybody looks at, and one that never ran is said to be cut off.
            fresh.replace(state)
            _begin(home, words, file)


def _begin(home: Path, words: Sequence[str], file: IO[str]) -> None:
    # Our interpreter and our own module; what comes from outside is one of our words.
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "handsel", *words, "--json", "--home", str(home)],
        stdin=subprocess.DEVNULL,
        stdout=file,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
    )
    # A service that is further back already may not come forward.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    threading.Thread(target=process.wait, daemon=True).start()


def last(state: Path) -> Run:
    """Say what became of the last run; of one that nobody can read, nothing."""
    try:
        with state.open(encoding="utf-8", errors="replace") as file:
            running = is_held(file)
            head, answer = json.loads(file.readline()), file.read()
            ended = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        began, asked = datetime.fromisoformat(head["began_at"]), dict(head["asked"])
    except (OSError, ValueError, KeyError, TypeError):
        return Run()
    if running:
        return Run(running=True, asked=asked, began_at=began)
    return Run(False, _read(answer), asked, began, ended)


def _read(answer: str) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
