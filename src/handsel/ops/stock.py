"""The bytes in the storage against the rows that name them."""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.analytics import experiments
from handsel.delivery.storage.local import LocalStorage
from handsel.models import Product, ReleaseFile
from handsel.models.database import Database

log = logging.getLogger("handsel.stock")

Known = dict[str, int | None]
"""sha256 of every file that a row names, with its size; None where no row keeps it."""

SWEEP_AFTER = timedelta(hours=6)
"""Whatever is being added is newer; what is older was left by an interrupted command."""
SWEEP_EVERY = timedelta(hours=1)


def known(session: Session) -> Known:
    """Give every file that a release names, or a cover, or one that was tried."""
    covers = session.scalars(select(Product.cover).where(Product.cover.is_not(None)))
    tried = experiments.covers(session)
    found: Known = {str(sha256): None for sha256 in (*covers, *tried)}
    for sha256, size in session.execute(select(ReleaseFile.sha256, ReleaseFile.size)):
        found[sha256] = size
    return found


def damaged(storage: LocalStorage, names: Known, *, quick: bool = False) -> list[str]:
    """Name the files whose bytes are missing, not what they were, or not to be read.

    `quick` looks at presence and size alone.
    """
    return [
        sha256
        for sha256, size in names.items()
        if not _is_whole(storage, sha256, size, quick=quick)
    ]


def _is_whole(
    storage: LocalStorage, sha256: str, size: int | None, *, quick: bool
) -> bool:
    try:
        return _right_size(storage, sha256, size) and (quick or storage.holds(sha256))
    except OSError:  # a bad disk, or another owner: the other files are looked at, too
        return False


def _right_size(storage: LocalStorage, sha256: str, size: int | None) -> bool:
    try:
        path = storage.path(sha256)
    except ValueError:  # a row that names no file at all
        return False
    if path.is_symlink() or not path.is_file():
        return False
    return size is None or path.stat().st_size == size


def strays(storage: LocalStorage, names: Known) -> list[Path]:
    """Give the files that no row names, those not yet whole among them."""
    return [path for path in _lying(storage.root) if path.name not in names]


def _lying(root: Path) -> Iterator[Path]:
    yield from (path for path in root.glob("??/??/*") if path.is_file())
    yield from (path for path in root.glob("tmp/*") if path.is_file())


def is_old(
    path: Path, now: datetime, *, age: timedelta = SWEEP_AFTER + SWEEP_EVERY
) -> bool:
    """Say whether a file has lain there longer than adding a product can take."""
    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return False
    return changed < now - age


def sweep(database: Database, storage: LocalStorage, now: datetime) -> int:
    """Remove what interrupted commands left in the storage; give how many files.

    Safe to repeat, and beside commands that add the same bytes at this moment. While a
    backup is made or the files are proved nothing goes: it is left to a later round.
    """
    with storage.emptied() as free:
        old = [p for p in _lying(storage.root) if is_old(p, now, age=SWEEP_AFTER)]
        with database.reading() as session:
            names = known(session)
        strays = [path for path in old if path.name not in names]
        if not free:
            _put_off(strays, now)
            return 0
        removed = sum(_remove(path, now) for path in strays)
    if removed:
        log.info("Removed %d files that belonged to nothing.", removed)
    return removed


def _put_off(paths: Iterable[Path], now: datetime) -> None:
    """Let files look new, so that nobody is told before their round that they lie about."""
    for path in paths:
        with suppress(OSError):  # gone already, or of another owner
            os.utime(path, (now.timestamp(), now.timestamp()))


def _remove(path: Path, now: datetime) -> bool:
    """Take a file away, unless somebody has just put the same bytes there again."""
    aside = path.with_name(f".{path.name}.leaving")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return False
    if not is_old(aside, now, age=SWEEP_AFTER):
        aside.rename(path)
        return False
    aside.unlink()
    return True
