"""The whole shop in one file, and its keys in a second one that is kept elsewhere."""

import os
import re
import shutil
import sqlite3
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import update

from handsel import __version__
from handsel.kit.errors import BadInputError, ConfigurationError, ConflictError
from handsel.models import Duty
from handsel.models.database import insert_new, rows_changed
from handsel.ops import archive, postgres_copy, schema, sqlite_copy, stock
from handsel.ops.archive import Manifest, Part
from handsel.ops.places import BACKUPS, SECRETS, TEMPLATES, sqlite_file
from handsel.sales.payments.test import BANK_FILE
from handsel.sales.rebuilding import shop_mark
from handsel.settings import CONFIG_FILE, Settings
from handsel.shop import Shop

DUTY = "backup"
"""The row that remembers when the last backup was made."""
END = ".tar.gz"
KEYS_END = ".keys.tar"
FILES = "files"
SQLITE_COPY = "database/handsel.sqlite"
POSTGRES_COPY = "database/handsel.pgdump"


@dataclass(frozen=True)
class Backup:
    """A backup that was read back and found whole. `size` is in bytes.

    `damaged` names files for sale that were missing or changed in the shop already.
    """

    path: Path
    keys: Path
    size: int
    files: int
    damaged: tuple[str, ...]


def back_up(shop: Shop, target: Path | None = None) -> Backup:
    """Save the shop while it is open. Nothing half done is left behind.

    Args:
        target: a name that ends in `.tar.gz` and is free; the default lies in the
            home's folder `backups`, with the time in its name.

    Raises BadInputError, ConflictError, DamagedDatabaseError, ConfigurationError.
    """
    final = _target(shop, target)
    keys = keys_beside(final)
    folder = Path(tempfile.mkdtemp(prefix=".handsel-backup-", dir=final.parent))
    try:
        written = folder / final.name
        with shop.storage.kept():
            files, damaged = _write_shop(shop, written, folder)
        _write_keys(shop, folder / keys.name)
        for path, place in ((folder / keys.name, keys), (written, final)):
            archive.check(path)
            path.rename(place)
        _sync(final.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _remember(shop)
    return Backup(final, keys, final.stat().st_size, files, damaged)


def keys_beside(backup: Path) -> Path:
    """Say what the keys file of a backup is called."""
    return backup.with_name(backup.name.removesuffix(END) + KEYS_END)


def _target(shop: Shop, target: Path | None) -> Path:
    if target is None:
        folder = shop.home / BACKUPS
        folder.mkdir(mode=0o700, exist_ok=True)
        target = folder / f"handsel-{stamp(shop.now())}{END}"
    if not target.name.endswith(END):
        raise BadInputError(f"{target} does not end in {END}.", "Give it that ending.")
    if not target.parent.is_dir():
        raise BadInputError(
            f"There is no folder {target.parent}.", "Make it first, or name another."
        )
    for path in (target, keys_beside(target)):
        if path.exists():
            raise ConflictError(f"There is a file {path} already.", "Name another.")
    return target.resolve()


def stamp(now: datetime) -> str:
    """Write a time so that names sort: `20261123T120000Z`."""
    return f"{now:%Y%m%dT%H%M%SZ}"


def _write_shop(shop: Shop, target: Path, folder: Path) -> tuple[int, tuple[str, ...]]:
    """Records first, files after: meanwhile files are only added, so none is missing."""
    parts = [*_records(shop, folder)]
    with shop.reading() as session:
        known = stock.known(session)
    config, left_out = without_secrets((shop.home / CONFIG_FILE).read_text("utf-8"))
    parts += [(CONFIG_FILE, config.encode()), *_folder(shop.home, TEMPLATES)]
    about = _about(shop, "shop", left_out)
    done = archive.write(target, about, [*parts, *_files(shop)])
    kept = {
        Path(name).name: sha256
        for name, sha256 in done.files.items()
        if name.startswith(f"{FILES}/")
    }
    damaged = tuple(name for name in known if kept.get(name) != name)
    return len(kept), damaged


def _about(shop: Shop, what: str, left_out: tuple[str, ...] = ()) -> Manifest:
    return Manifest(
        what="keys" if what == "keys" else "shop",
        shop=shop_mark(shop.keys),
        made_at=shop.now().isoformat(),
        version=__version__,
        database="sqlite" if shop.database.is_sqlite else "postgresql",
        schema=schema.current(shop.database) or "",
        left_out=left_out,
    )


def _records(shop: Shop, folder: Path) -> Iterator[Part]:
    """Copy the database, and the memory of the test provider."""
    if shop.database.is_sqlite:
        copied = folder / "database"
        sqlite_copy.copy(sqlite_file(shop.database.url, shop.home), copied)
        yield SQLITE_COPY, copied
    else:
        copied = folder / "database"
        postgres_copy.dump(shop.database, copied)
        yield POSTGRES_COPY, copied
    if (bank := shop.home / BANK_FILE).exists():
        sqlite_copy.copy(bank, folder / "bank", library=sqlite3)
        yield BANK_FILE, folder / "bank"


def _folder(home: Path, name: str) -> Iterator[Part]:
    for path in sorted((home / name).rglob("*")):
        if path.is_file():
            yield path.relative_to(home).as_posix(), path


def _files(shop: Shop) -> Iterator[Part]:
    for sha256 in sorted(shop.storage.names()):
        path = shop.storage.path(sha256) if len(sha256) == 64 else None
        if path and path.is_file():
            yield f"{FILES}/{sha256[:2]}/{sha256[2:4]}/{sha256}", path


def _write_keys(shop: Shop, target: Path) -> None:
    config: list[Part] = [(CONFIG_FILE, shop.home / CONFIG_FILE)]
    parts = [*config, *_folder(shop.home, SECRETS)]
    archive.write(target, _about(shop, "keys"), parts, packed=False)


def without_secrets(config: str) -> tuple[str, tuple[str, ...]]:
    """Take out of `handsel.toml` what is secret in it, and name what was taken.

    Raises ConfigurationError for a secret that is written over several lines.
    """
    lines, left_out, section = [], [], ""
    for line in config.splitlines():
        if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            section = header[1]
        key = re.match(r"\s*[\"']?(\w+)[\"']?\s*=", line)
        name = f"{section}.{key[1]}" if key else ""
        if name in _secret_settings(config):
            left_out.append(name)
            line = f"# {name.partition('.')[2]} is secret: it is in the keys file."
        lines.append(line)
    safe = "\n".join(lines) + "\n"
    try:
        rest = _secret_settings(safe)
    except tomllib.TOMLDecodeError:
        rest = set(left_out)
    if rest:
        raise ConfigurationError(
            f"{', '.join(sorted(rest))} cannot be kept out of the backup.",
            "Put it into a file of its own, or write it on one line.",
        )
    return safe, tuple(left_out)


def _secret_settings(config: str) -> set[str]:
    """Name the settings in a file that nobody else should read."""
    values = tomllib.loads(config)
    found = {
        f"{section}.{setting.alias or name}"
        for section, field in Settings.model_fields.items()
        if isinstance(kind := field.annotation, type) and issubclass(kind, BaseModel)
        for name, setting in kind.model_fields.items()
        if "SecretStr" in str(setting.annotation)
        and values.get(section, {}).get(setting.alias or name)
    }
    if re.search(r"://[^/@]*:[^/@]*@", str(values.get("database", {}).get("url", ""))):
        found.add("database.url")
    return found


def _remember(shop: Shop) -> None:
    now = shop.now()
    with shop.transaction() as session:
        insert_new(session, Duty, name=DUTY, next_at=now)
        rows_changed(
            session,
            update(Duty)
            .where(Duty.name == DUTY)
            .values(last_at=now, next_at=now + timedelta(days=1)),
        )


def _sync(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
