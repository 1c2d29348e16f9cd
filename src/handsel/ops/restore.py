"""A shop back from its backup: looked at whole, then put in place, the old one aside."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from handsel.customers.staff import people
from handsel.delivery.storage.local import LocalStorage
from handsel.kit.errors import ConfigurationError, ConflictError
from handsel.kit.signing import Keys
from handsel.models.database import Database
from handsel.ops import archive, postgres_copy, schema, sqlite_copy
from handsel.ops.archive import BadArchiveError, Manifest
from handsel.ops.backup import (
    FILES,
    KEYS_END,
    POSTGRES_COPY,
    SQLITE_COPY,
    keys_beside,
    stamp,
)
from handsel.ops.places import (
    LOGS,
    SECRETS,
    TEMPLATES,
    Places,
    read_places,
    sqlite_file,
    with_logs,
)
from handsel.ops.verify import Invariant, verify
from handsel.outbound import campaigns
from handsel.sales import invoicing
from handsel.sales.payments.test import BANK_FILE
from handsel.sales.rebuilding import shop_mark
from handsel.settings import CONFIG_FILE
from handsel.shop import KEYS_FILE

FROM_BACKUP = "The shop was restored from a backup, which does not know who has been mailed since."
"""Why a mail to everyone is paused after a restore."""


@dataclass(frozen=True)
class Restored:
    """What was done. `aside` is what lay there before, under its new name.

    `keys` is "restored", "kept" (those of the home, and they fit), "other" (those of
    the home, and they do not fit), "new" or "missing".
    """

    made_at: datetime
    keys: str
    fill_in: tuple[str, ...]
    aside: tuple[str, ...]
    invariants: tuple[Invariant, ...]


@dataclass(frozen=True)
class _Staged:
    """A backup, unpacked beside its place and found whole."""

    folder: Path
    manifest: Manifest
    has_keys: bool
    config: str
    complete: bool
    """Whether `config` holds every setting, the secret ones too."""

    @property
    def shop(self) -> Path:
        return self.folder / "shop"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"


def restore(
    backup: Path,
    home: Path,
    *,
    now: datetime,
    keys: Path | None = None,
    replace: bool = False,
    new_keys: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Restored:
    """Bring a shop back; on any error the home is as it was.

    Args:
        keys: the keys file; default is the one beside the backup, if it is there.
        replace: a shop that lies there already may be moved aside.
        new_keys: make new keys, because the old ones are lost. Old links stay dead.

    Raises BadArchiveError, ConflictError, ConfigurationError, DamagedDatabaseError.
    """
    with _staging(home) as folder:
        staged = _unpack(backup, keys, folder, home)
        places = read_places(staged.config, home, environ)
        _check_kind(staged, places)
        _check_free(places, home, replace=replace)
        aside = _put_in_place(staged, places, home, f"before-{stamp(now)}")
    if new_keys:
        Keys.load_or_create(home / KEYS_FILE)
    _quiet(places, home)
    return Restored(
        made_at=datetime.fromisoformat(staged.manifest.made_at),
        keys=_say_keys(staged, home, new=new_keys),
        fill_in=() if staged.complete else staged.manifest.left_out,
        aside=tuple(aside),
        invariants=tuple(_verify(places, home, now)),
    )


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    was_there = home.exists()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = home / f".restoring-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if not was_there:
            home.rmdir()
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _unpack(backup: Path, keys: Path | None, folder: Path, home: Path) -> _Staged:
    manifest = archive.unpack(backup, folder / "shop")
    if manifest.what != "shop":
        raise BadArchiveError(f"{backup} holds keys, not a shop.", "Give it as --keys.")
    beside = keys_beside(backup)
    keys = keys or (beside if beside.exists() else None)
    if keys:
        _unpack_keys(keys, manifest, folder / "keys")
    _check_records(folder / "shop", manifest)
    ours = (folder / ("keys" if keys else "shop") / CONFIG_FILE).read_text("utf-8")
    complete = bool(keys) or not manifest.left_out
    if not complete and (home / CONFIG_FILE).exists():
        # Without its secrets the backup's file is worth less than the one here.
        return _Staged(
            folder, manifest, False, (home / CONFIG_FILE).read_text("utf-8"), True
        )
    return _Staged(folder, manifest, bool(keys), ours, complete)


def _unpack_keys(keys: Path, shop: Manifest, folder: Path) -> None:
    manifest = archive.unpack(keys, folder)
    if manifest.what != "keys":
        raise BadArchiveError(f"{keys} is no keys file.", f"It ends in {KEYS_END}.")
    if manifest.shop != shop.shop:
        raise ConflictError(
            f"The keys in {keys} are of another shop.", "Take those of this backup."
        )


def _check_records(folder: Path, manifest: Manifest) -> None:
    if manifest.schema not in schema.known():
        raise ConfigurationError(
            f"The backup was made by Handsel {manifest.version}, which is newer.",
            "Install that version, then try again.",
        )
    for name in (SQLITE_COPY, BANK_FILE):
        if (folder / name).exists():
            sqlite_copy.check(folder / name)


def _check_kind(staged: _Staged, places: Places) -> None:
    wanted = "sqlite" if places.is_sqlite else "postgresql"
    if staged.manifest.database != wanted:
        raise ConfigurationError(
            f"The backup is of a {staged.manifest.database} database, but database.url "
            f"is a {wanted} one.",
            "Set HANDSEL_DATABASE__URL to a database of that kind, then try again.",
        )


def _check_free(places: Places, home: Path, *, replace: bool) -> None:
    if not _occupied(places, home):
        return
    if not replace:
        raise ConflictError(
            f"There is a shop in {home} already.",
            "Add --yes to move it aside; nothing of it is deleted.",
        )
    if _in_use(places, home):
        raise ConflictError(
            "The shop is open: another program uses its database.",
            "Stop it (`handsel run`, workers, database tools), then try again.",
        )


def _occupied(places: Places, home: Path) -> bool:
    if places.is_sqlite:
        file = sqlite_file(places.database_url, home)
        return any(path.exists() for path in with_logs(file))
    with _database(places, home) as database:
        return bool(postgres_copy.relations(database))


def _in_use(places: Places, home: Path) -> bool:
    if places.is_sqlite:
        file = sqlite_file(places.database_url, home)
        return file.exists() and sqlite_copy.in_use(file)
    with _database(places, home) as database:
        return postgres_copy.used_by_others(database)


@contextmanager
def _database(places: Places, home: Path) -> Iterator[Database]:
    database = Database(places.database_url, home, threads=2)
    try:
        yield database
    finally:
        database.close()


class _Moves:
    """Renames that can all be taken back."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._done: list[tuple[Path, Path]] = []
        self.aside: list[str] = []

    def put(self, source: Path, place: Path) -> None:
        """Put something in its place, and what lies there aside."""
        if source.exists():
            self.set_aside(place)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(source, place)  # which may be on another disk
            self._done.append((source, place))

    def set_aside(self, place: Path, *, end: str = "") -> None:
        """Give what lies there another name, beside its place."""
        if place.exists():
            stem = place.name.removesuffix(end)
            other = place.with_name(f"{stem}.{self._word}{end}")
            if other.exists():
                raise ConflictError(f"There is a {other} already.", "Move it away.")
            place.rename(other)
            self._done.append((place, other))
            self.aside.append(str(other))

    def undo(self) -> None:
        """Take every move back, the last one first."""
        for source, target in reversed(self._done):
            source.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(target, source)


def _put_in_place(staged: _Staged, places: Places, home: Path, word: str) -> list[str]:
    moves = _Moves(word)
    config = staged.folder / "config"
    config.write_text(staged.config, "utf-8")
    config.chmod(0o600)
    try:
        moves.put(config, home / CONFIG_FILE)
        moves.put(staged.shop / TEMPLATES, home / TEMPLATES)
        moves.put(staged.keys / SECRETS, home / SECRETS)
        if not (home / BANK_FILE).exists():
            # What a provider knows is not ours to take back in time.
            moves.put(staged.shop / BANK_FILE, home / BANK_FILE)
        (staged.shop / FILES).mkdir(mode=0o700, exist_ok=True)
        moves.put(staged.shop / FILES, places.storage)
        if places.is_sqlite:
            file = sqlite_file(places.database_url, home)
            _put_sqlite(moves, staged.shop / SQLITE_COPY, file)
        else:
            _put_postgres(moves, staged, places, home, word)
    except BaseException as error:
        moves.undo()
        if isinstance(error, OSError | SQLAlchemyError):
            raise ConflictError(
                f"The backup could not be put in place: {error}.",
                "Everything is as it was. Look at owner, mode and space, or restore "
                "into a new folder.",
            ) from error
        raise
    os.sync()  # renames too
    return moves.aside


def _put_sqlite(moves: _Moves, copied: Path, file: Path) -> None:
    """Never beside an old log: SQLite would take it for the new database's own."""
    for path, end in zip(with_logs(file), LOGS, strict=True):
        moves.set_aside(path, end=end)
    moves.put(copied, file)


def _put_postgres(
    moves: _Moves, staged: _Staged, places: Places, home: Path, word: str
) -> None:
    name = postgres_copy.ASIDE + word.removeprefix("before-").lower()
    with _database(places, home) as database:
        occupied = bool(postgres_copy.relations(database))
        if occupied:
            postgres_copy.set_aside(database, name)
            moves.aside.append(f"schema {name}")
        try:
            postgres_copy.load(database, staged.shop / POSTGRES_COPY)
        except BaseException:
            if occupied:
                postgres_copy.bring_back(database, name)
            raise


def _say_keys(staged: _Staged, home: Path, *, new: bool) -> str:
    if staged.has_keys:
        return "restored"
    if not (home / KEYS_FILE).exists():
        return "missing"
    fits = shop_mark(Keys.load(home / KEYS_FILE)) == staged.manifest.shop
    return "kept" if fits else ("new" if new else "other")


def _quiet(places: Places, home: Path) -> None:
    """Let no mail to everyone go on by itself, and no series of invoices; nobody is signed
    in at the desk, and no invitation to it is open.

    The backup does not know which mails and which numbers are out already, nor which links
    were used since.
    """
    with _database(places, home) as database:
        if schema.current(database) == schema.newest():
            with database.transaction() as session:
                campaigns.pause_all(session, FROM_BACKUP)
                people.nobody_is_invited(session)
                invoicing.close_series(session)


def _verify(places: Places, home: Path, now: datetime) -> list[Invariant]:
    """An older backup has an older schema: then the proof comes with the upgrade."""
    with _database(places, home) as database:
        if schema.current(database) != schema.newest():
            return []
        return verify(database, LocalStorage(places.storage), now)


def days_back(made_at: datetime, now: datetime) -> int:
    """Say how many days the providers should be asked about after a restore."""
    return max(1, -(-(now - made_at) // timedelta(days=1))) + 1
