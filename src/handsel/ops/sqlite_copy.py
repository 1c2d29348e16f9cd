"""Copies of SQLite files that are right although somebody writes meanwhile."""

from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

from handsel.kit.errors import ShopError
from handsel.models.database import SQLITE


class DamagedDatabaseError(ShopError):
    """SQLite itself says that the file is not sound."""


def copy(source: Path, target: Path, *, library: ModuleType = SQLITE) -> None:
    """Copy a database as it is at one moment, then prove that the copy is sound.

    Never by copying the file: half of the records may still lie in the log beside it.

    Args:
        library: the one this process has `source` open with. Two of them in one process
            break each other's locks (sqlite.org/howtocorrupt.html, section 2.2.1).

    Raises DamagedDatabaseError.
    """
    with (
        closing(_open(source, library=library)) as live,
        closing(library.connect(target)) as kept,
    ):
        # All pages in one step: one view of the records, which holds up no writer.
        live.backup(kept, pages=-1)
    with closing(SQLITE.connect(target)) as kept:
        kept.execute("PRAGMA journal_mode=DELETE")
    check(target)


def check(path: Path) -> None:
    """Raise DamagedDatabaseError unless SQLite finds a file sound, page by page."""
    try:
        with closing(_open(path)) as connection:
            said = connection.execute("PRAGMA integrity_check(3)").fetchall()
            orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(3)
    except SQLITE.DatabaseError as error:
        said, orphans = [(str(error),)], []
    words = [str(row[0]) for row in said if row[0] != "ok"]
    words += [f"a row of {row[0]} belongs to nothing" for row in orphans]
    if words:
        raise DamagedDatabaseError(
            f"The database {path.name} is damaged: {'; '.join(words)}.",
            "Keep all its files as they are, and go back to an older backup.",
        )


def in_use(path: Path) -> bool:
    """Say whether another program has the database open.

    When nobody has, its log is folded back into it.
    """
    try:
        with closing(_open(path, seconds=1)) as connection:
            # Leaving WAL needs the file for oneself.
            connection.execute("PRAGMA journal_mode=DELETE")
    except SQLITE.OperationalError as error:
        return "locked" in str(error)
    except SQLITE.DatabaseError:
        return False
    return False


def _open(path: Path, *, seconds: float = 10, library: ModuleType = SQLITE) -> Any:
    uri = path.resolve().as_uri()
    return library.connect(f"{uri}?mode=rw", uri=True, timeout=seconds)
