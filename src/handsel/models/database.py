"""Two databases behind one door: `reading()` and `transaction()`.

The `with` block is the transaction. On SQLite a writer begins with BEGIN IMMEDIATE,
because a transaction that starts as a reader and later writes cannot wait for the other
writer: it fails at once. A reader uses an engine that cannot write. Writers of one
process take turns and share commits: see `turns`.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Delete,
    Engine,
    Executable,
    Update,
    create_engine,
    event,
    func,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from handsel.kit.errors import ConfigurationError
from handsel.models.base import Base
from handsel.models.turns import Turns

try:
    from pysqlite3 import dbapi2 as newest_sqlite
except ImportError:  # no wheel for this machine: the system's SQLite must do
    newest_sqlite = sqlite3

SQLITE: ModuleType = newest_sqlite
BUSY_MS = 10_000
_open_here = threading.local()


class Database:
    """An open database; safe to share between threads.

    Args:
        url: `sqlite:///FILE` or `postgresql://...`.
        home: what a relative SQLite path is relative to.
        threads: how many readers may be at work at once.
    """

    def __init__(self, url: str, home: Path, *, threads: int = 16) -> None:
        self.url = database_url(url, home)
        self.is_sqlite = self.url.startswith("sqlite")
        if self.is_sqlite:
            self._writer = _sqlite_engine(self.url, "BEGIN IMMEDIATE", size=2)
            self._reader = _sqlite_engine(self.url, "BEGIN", size=threads)
            self._marker = _sqlite_engine(
                self.url, "BEGIN IMMEDIATE", size=1, synchronous="NORMAL"
            )
            self._writing = Turns(self._writer, BUSY_MS / 1000).transaction
        else:
            self._writer = _postgres_engine(self.url, size=threads)
            # As SQLite's: every statement of a view sees the same moment.
            self._reader = self._writer.execution_options(
                postgresql_readonly=True, isolation_level="REPEATABLE READ"
            )
            self._marker = _postgres_engine(
                self.url, size=1, options="-c synchronous_commit=off"
            )
            self._writing = self._alone

    @property
    def engine(self) -> Engine:
        """The engine that may write; for migrations and backups."""
        return self._writer

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view, which cannot write."""
        with Session(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing: commits at the end of the block, rolls back on an error."""
        if transaction_open():
            raise RuntimeError("A transaction is open in this thread already.")
        _open_here.flag = True
        try:
            with self._writing() as session:
                yield session
        finally:
            _open_here.flag = False

    @contextmanager
    def _alone(self) -> Iterator[Session]:
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def unsynced(self) -> Iterator[Connection]:
        """A connection to keep, whose transactions do not wait for the disk.

        What they commit outlives a death of this process, but not a power cut before the
        next transaction that does wait. For one thread at a time. It is bare, and kept,
        because opening a session costs several times what a small statement does.
        """
        with self._marker.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        for engine in (self._reader, self._writer, self._marker):
            engine.dispose()


def transaction_open() -> bool:
    """Say whether this thread is inside a transaction: then nothing outside is called."""
    return getattr(_open_here, "flag", False)


def database_url(url: str, home: Path) -> str:
    """Make a setting into what SQLAlchemy takes: absolute path, psycopg 3."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        path = home / rest.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{path}"
    try:
        make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError) as error:  # the second for an odd port
        raise ConfigurationError(
            "database.url cannot be understood.", "Write postgresql://USER@HOST/NAME."
        ) from error
    return f"postgresql+psycopg://{rest}"


def without_index(column: Any) -> Any:
    """Give a column so that it is compared without its index.

    SQLite keeps no statistics: it takes an index that begins with a column nearly all
    rows share for the best there is, where another one would find a few by their day.
    """
    return func.coalesce(column, column)


def insert_new(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless a unique constraint says it is there; say whether it was new."""
    made = _insert(table, session.get_bind().dialect.name)
    # Without this, SQLAlchemy drops the count of an INSERT (it is -1 on PostgreSQL).
    options = {"preserve_rowcount": True}
    return _rows(session.execute(made, values, execution_options=options)) == 1


@cache
def _insert(table: type[Base], dialect: str) -> Executable:
    """Give the statement, made once: building it costs more than running it."""
    kind = sqlite if dialect == "sqlite" else postgresql
    made: Executable = kind.insert(table.__table__).on_conflict_do_nothing().inline()
    return made


def rows_changed(session: Session, statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE, and say how many rows it changed.

    Whoever changed one has won.
    """
    options = {"synchronize_session": False}
    return _rows(session.execute(statement, execution_options=options))


def _rows(result: Any) -> int:
    assert isinstance(result, CursorResult)
    assert result.rowcount >= 0, "this database does not say how many rows it changed"
    return result.rowcount


def _sqlite_engine(
    url: str, begin: str, *, size: int, synchronous: str = "FULL"
) -> Engine:
    engine = create_engine(
        url,
        module=SQLITE,
        pool_size=size,
        max_overflow=size,
        # What goes wrong is logged, and rows have people in them.
        hide_parameters=True,
    )
    read_only = begin == "BEGIN"

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        # We say BEGIN ourselves; the driver's own idea of when to begin loses updates.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=WAL",
            # NORMAL can forget an acknowledged sale in a power cut.
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            *(("query_only=ON",) if read_only else ()),
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: str, *, size: int, options: str = "") -> Engine:
    try:
        return create_engine(
            url,
            pool_size=min(size, 8),
            max_overflow=min(size, 24),
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"options": options},
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "PostgreSQL needs one package more.", 'Run: pip install "handsel[postgres]"'
        ) from error
