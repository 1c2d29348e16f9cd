"""Backups at the desk: which there are, and making one beside the pages."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from handsel.kit.errors import NotFoundError
from handsel.ops.backup import END
from handsel.ops.desk import beside
from handsel.ops.desk.beside import Run
from handsel.ops.places import BACKUPS
from handsel.shop import Shop

STATE = "desk.run"
"""Beside the backups: how the last one that was asked for here went."""

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
    busy = "A backup is being made already."
    beside.start(_folder(shop) / STATE, shop.home, ["backup"], {}, busy)


def last(shop: Shop) -> Attempt:
    """Say what became of the last backup that was asked for here."""
    run = beside.last(_folder(shop) / STATE)
    return Attempt(run.running, _CUT_OFF if run.cut_off else _problem(run))


def _problem(run: Run) -> str:
    if damaged := run.answer.get("damaged"):
        names = ", ".join(damaged)
        return f"It is made, but these files were missing or damaged: {names}."
    return run.problem


def _folder(shop: Shop) -> Path:
    return shop.home / BACKUPS
