"""Backups at the desk: which there are, and making one beside the pages.

In a process of its own: packing gigabytes in a thread would make the pages wait. How it
ended stands in a file beside the backups, so that any web process can say it.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from handsel.kit.errors import ConflictError, NotFoundError
from handsel.kit.locks import alone_in
from handsel.ops.backup import END
from handsel.ops.places import BACKUPS
from handsel.shop import Shop

NICE = 10
"""How far it steps back behind the pages."""

LONGEST = 6 * 3600
"""Seconds after which one that still seems to run is another process by its number."""

_STATE = "desk.json"
_CUT_OFF = "It ended before it was whole. Try again, or run: handsel backup"


@dataclass(frozen=True)
class Kept:
    """A backup that lies in the shop's folder; `size` in bytes."""

    name: str
    size: int
    made_at: datetime


@dataclass(frozen=True)
class Attempt:
    """The last backup that was asked for here.

    Args:
        running: it is not over.
        problem: why there is none; empty while it runs, and when all went well.
    """

    running: bool
    problem: str


def kept(shop: Shop) -> list[Kept]:
    """List the backups in the shop's folder, newest first."""
    found = [_described(path) for path in _folder(shop).glob(f"*{END}")]
    return sorted(found, key=lambda each: each.made_at, reverse=True)


def _described(path: Path) -> Kept:
    facts = path.stat()
    made_at = datetime.fromtimestamp(facts.st_mtime, UTC)
    return Kept(path.name, facts.st_size, made_at)


def path_of(shop: Shop, name: str) -> Path:
    """Give the file of a backup in the list. Raises NotFoundError for any other name."""
    if name not in [each.name for each in kept(shop)]:
        raise NotFoundError(
            "There is no such backup.", "The list shows those there are."
        )
    return _folder(shop) / name


def start(shop: Shop) -> None:
    """Begin a backup. Raises ConflictError while one is being made."""
    _folder(shop).mkdir(mode=0o700, exist_ok=True)
    with alone_in(_folder(shop)):
        if last(shop).running:
            raise ConflictError(
                "A backup is being made already.", "Wait until it is done."
            )
        _begin(shop)


def _begin(shop: Shop) -> None:
    # Our interpreter and our own module: nothing of this comes from outside.
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "handsel", "backup", "--json", "--home", str(shop.home)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    _write(shop, process.pid, "")
    threading.Thread(target=_wait, args=(shop, process), daemon=True).start()


def last(shop: Shop) -> Attempt:
    """Say what became of the last backup that was asked for here."""
    try:
        state = _folder(shop) / _STATE
        said = json.loads(state.read_text("utf-8"))
        pid, problem = int(said["pid"]), str(said["problem"])
        age = time.time() - state.stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return Attempt(running=False, problem="")
    if pid and (age > LONGEST or not _is_alive(pid)):
        return Attempt(running=False, problem=_CUT_OFF)
    return Attempt(running=bool(pid), problem=problem)


def _wait(shop: Shop, process: "subprocess.Popen[str]") -> None:
    assert process.stdout
    with process.stdout:
        said = process.stdout.read()
    try:
        told = json.loads(said)
    except ValueError:
        told = {"error": _CUT_OFF}
    problem = f"{told.get('error', '')} {told.get('hint', '')}".strip()
    if told.get("damaged"):
        names = ", ".join(told["damaged"])
        problem = f"It is made, but these files were missing or damaged: {names}."
    _write(shop, 0, problem)
    # Only now: a page that finds nobody of its number would say that it was cut off.
    process.wait()


def _write(shop: Shop, pid: int, problem: str) -> None:
    state = _folder(shop) / _STATE
    fresh = state.with_suffix(f".{secrets.token_hex(4)}")
    fresh.write_text(json.dumps({"pid": pid, "problem": problem}), "utf-8")
    fresh.replace(state)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's by now
        return False
    return True


def _folder(shop: Shop) -> Path:
    return shop.home / BACKUPS
