"""Bringing the database's schema to what this version of the shop expects."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from handsel.kit.errors import ConfigurationError
from handsel.models.database import Database


class UnusableDatabaseError(ConfigurationError):
    """The database does not answer, or is none."""

    def __init__(self, error: DBAPIError) -> None:
        why = str(error.orig).strip().rstrip(".")
        super().__init__(
            f"The shop's database cannot be used: {why}.",
            "Check database.url, who may write there, and that its server runs; "
            "else restore a backup.",
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("handsel") / "migrations"))
    return config


def newest() -> str:
    """Name the step this version of the shop ends with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head
    return head


def known() -> set[str]:
    """Name every step this version of the shop can start from."""
    steps = ScriptDirectory.from_config(_config()).walk_revisions()
    return {step.revision for step in steps}


def current(database: Database) -> str | None:
    """Name the last step the database has taken; None when it is empty.

    Raises UnusableDatabaseError.
    """
    if _missing(database):
        return None
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise UnusableDatabaseError(error) from error


def _missing(database: Database) -> Path | None:
    """Give the file of a SQLite database that is not there: a look would make it."""
    if not database.is_sqlite:
        return None
    file = Path(database.engine.url.database or "")
    return None if file.exists() else file


def upgrade(database: Database) -> None:
    """Take every step that is missing. Safe to repeat, and to race.

    All steps are one transaction: a crash leaves the schema as it was.
    """
    config = _config()
    missing = _missing(database)
    if missing:  # nobody else on the machine may look into it
        missing.touch(mode=0o600)
    with _unhindered(database) as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4153)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        _check_references(database, connection)
        connection.commit()


@contextmanager
def _unhindered(database: Database) -> Iterator[Connection]:
    """Connect for changing tables.

    SQLite can change most of a table only by making it anew, and dropping the old one
    would take along, or be refused for, the rows that refer to it: so references are
    not watched meanwhile, and checked before the commit
    (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Changes").
    """
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            yield connection
            return
        raw = connection.connection  # no transaction is open yet: only then it counts
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            connection.rollback()
            raw.execute("PRAGMA foreign_keys=ON")


def _check_references(database: Database, connection: Connection) -> None:
    if database.is_sqlite:
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not lost, f"the step would lose references: {lost[:3]}"


def check(database: Database) -> None:
    """Refuse a database whose schema is not this version's. Raises ConfigurationError."""
    found = current(database)
    if found == newest():
        return
    missing = _missing(database)
    if missing:
        raise ConfigurationError(
            f"There is no database: {missing} is missing.",
            "Restore a backup; in a new shop run `handsel upgrade`.",
        )
    if found is None:
        raise ConfigurationError(
            "The shop's database is empty.", "Run `handsel upgrade` to set it up."
        )
    if found not in known():
        raise ConfigurationError(
            "The shop's database was written by a newer version of Handsel.",
            "Install that version again, or restore a backup of this one.",
        )
    raise ConfigurationError(
        "The shop's database is of an older version.",
        "Run `handsel upgrade`: it makes a backup first.",
    )
