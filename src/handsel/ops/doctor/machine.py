"""What the machine gives the shop: Python, SQLite, disks, and who may read what."""

import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from handsel.kit.errors import ShopError
from handsel.kit.signing import Keys
from handsel.models.database import SQLITE
from handsel.ops.doctor.findings import Finding, Level
from handsel.ops.places import SECRETS, sqlite_file, with_logs
from handsel.sales.payments.test import BANK_FILE
from handsel.settings import Settings
from handsel.shop import KEYS_FILE

LEAST_FREE = 100_000_000
"""Bytes below which the next upload or backup may fill the disk."""
MOUNTS = Path("/proc/mounts")
_FAR = ("nfs", "cifs", "smb", "9p", "fuse", "afs", "ceph", "glusterfs", "virtiofs")


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Iterator[Finding]:
    """Python before 3.11.10 and 3.12.5 lets crafted words into mail headers."""
    if version < (3, 11, 10) or (3, 12) <= version < (3, 12, 5):
        yield Finding(
            "H003",
            Level.INFO,
            f"Python {'.'.join(map(str, version))} has a known flaw in mail headers, "
            "which Handsel guards against.",
            "Update Python when you can: 3.11.10, 3.12.5 or newer.",
        )


def keys(home: Path) -> Iterator[Finding]:
    """The keys behind every link must be there and nobody else's business."""
    path = home / KEYS_FILE
    if not path.exists():
        yield Finding(
            "H010",
            Level.ERROR,
            f"The keys behind all links are missing: there is no {path}.",
            "Bring them back: `handsel restore` takes a keys file with --keys.",
        )
        return
    seen = list(
        exposed("H011", [p for p in (home / SECRETS).rglob("*") if p.is_file()])
    )
    yield from seen
    try:
        Keys.load(path)
    except ShopError as error:
        if not seen:  # which is why they are refused
            yield Finding("H010", Level.ERROR, error.message, error.hint)


def exposed(name: str, paths: Iterable[Path]) -> Iterator[Finding]:
    """Say which of these files others on the machine can read."""
    for path in paths:
        if path.exists() and path.stat().st_mode & 0o077:
            yield Finding(
                name,
                Level.ERROR,
                f"Other users of this machine may read {path}.",
                f"Run: chmod 600 {path}",
            )


def folders(home: Path, settings: Settings) -> Iterator[Finding]:
    """Look at the database's file and at the folder of the files for sale."""
    storage = home / settings.storage.path
    places = {storage}
    if settings.database.url.startswith("sqlite"):
        database = sqlite_file(settings.database.url, home)
        places.add(database.parent)
        yield from exposed("H012", [*with_logs(database), home / BANK_FILE])
        yield from _open_folder(database.parent)
        yield from old_sqlite(SQLITE.sqlite_version_info)
        yield from far_away(
            database.parent, mount_of(_nearest(database).resolve(), _mounts())
        )
    yield from _storage(storage)
    for path in sorted(places):
        usage = shutil.disk_usage(_nearest(path))
        yield from little_room(path, usage.free, usage.total)


def _open_folder(folder: Path) -> Iterator[Finding]:
    if folder.exists() and folder.stat().st_mode & 0o007:
        yield Finding(
            "H013",
            Level.WARNING,
            f"Other users of this machine may look into {folder}.",
            f"Run: chmod 700 {folder}",
        )


def old_sqlite(version: tuple[int, ...]) -> Iterator[Finding]:
    """SQLite 3.7.0 to 3.51.2 can lose records when several programs write (WAL reset)."""
    mended = (3, 44, 6) <= version < (3, 45) or (3, 50, 7) <= version < (3, 51)
    if (3, 7, 0) <= version <= (3, 51, 2) and not mended:
        yield Finding(
            "H014",
            Level.ERROR,
            f"SQLite {'.'.join(map(str, version))} can damage the database when pages "
            "and worker write at the same time.",
            "Install the package pysqlite3 (0.6.1 or newer), or use PostgreSQL.",
        )


def far_away(folder: Path, kind: str) -> Iterator[Finding]:
    """SQLite's locks do not hold on network disks and shared folders."""
    if kind.startswith(_FAR):
        yield Finding(
            "H015",
            Level.ERROR,
            f"The database is in {folder}, on a disk of the kind {kind}, where SQLite "
            "cannot lock: records can be lost.",
            "Set database.url to a folder on a disk of this machine, or use PostgreSQL.",
        )


def mount_of(path: Path, mounts: str) -> str:
    """Give the kind of file system a path is on; `mounts` is as in /proc/mounts."""
    best, kind = Path(), ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        place = Path(fields[1].replace("\\040", " "))
        if path.is_relative_to(place) and len(place.parts) >= len(best.parts):
            best, kind = place, fields[2]
    return kind


def _mounts() -> str:
    return MOUNTS.read_text("utf-8", "replace") if MOUNTS.exists() else ""


def _nearest(path: Path) -> Path:
    """Give the path, or the closest folder above it that exists."""
    return next((each for each in (path, *path.parents) if each.exists()), Path("/"))


def _storage(storage: Path) -> Iterator[Finding]:
    package = Path(str(files("handsel"))).resolve()
    if storage.resolve().is_relative_to(package):
        yield Finding(
            "H016",
            Level.ERROR,
            f"The files for sale are in {storage}, among the pages that anybody can get.",
            "Set storage.path to a folder of its own, as `data/files`.",
        )
    if not _can_write(_nearest(storage)):
        yield Finding(
            "H017",
            Level.ERROR,
            f"The folder of the files for sale, {storage}, cannot be written.",
            "Give it to the user the shop runs as, or change storage.path.",
        )


def _can_write(folder: Path) -> bool:
    """Try it: modes alone do not tell of full quotas and read-only disks."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def little_room(folder: Path, free: int, total: int) -> Iterator[Finding]:
    """Say when a disk fills up. Sizes are in bytes."""
    if free < LEAST_FREE:
        yield Finding(
            "H018",
            Level.ERROR,
            f"The disk of {folder} is full: {free // 1_000_000} MB are left.",
            "Make room now: soon no order can be written down.",
        )
    elif free * 10 < total:
        yield Finding(
            "H019",
            Level.WARNING,
            f"The disk of {folder} is nearly full: {free // 1_000_000} MB are left, "
            f"{100 * free // total} %.",
            "Make room, for instance by moving old backups elsewhere.",
        )
