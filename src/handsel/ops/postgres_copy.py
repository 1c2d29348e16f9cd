"""Copies of a PostgreSQL database, by its own programs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from handsel.kit.errors import ConfigurationError, ShopError
from handsel.models.database import Database

ASIDE = "before_restore_"
_USUAL = (
    "/usr/lib/postgresql/{major}/bin",
    "/usr/pgsql-{major}/bin",
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",
)
_RELATIONS = text("""
    SELECT relname FROM pg_class JOIN pg_namespace s ON s.oid = relnamespace
    WHERE nspname = :schema AND relkind IN ('r', 'p', 'v', 'm') ORDER BY relname
""")


class PostgresToolError(ShopError):
    """One of PostgreSQL's own programs failed."""


def dump(database: Database, target: Path) -> None:
    """Copy the database as it is at one moment. Raises PostgresToolError."""
    _run(
        database,
        "pg_dump",
        "--format=custom",
        f"--exclude-schema={ASIDE}*",
        f"--file={target}",
    )
    check(database, target)


def check(database: Database, dumped: Path) -> None:
    """Raise PostgresToolError unless a dump can be read from beginning to end."""
    _run(database, "pg_restore", "--file=/dev/null", str(dumped), connect=False)


def load(database: Database, dumped: Path) -> None:
    """Bring a dump into the database, all of it or nothing."""
    _run(
        database,
        "pg_restore",
        "--single-transaction",
        "--exit-on-error",
        str(dumped),
    )


def used_by_others(database: Database) -> bool:
    """Say whether another program is connected to the database."""
    others = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'
    """
    with _connected(database) as connection:
        return bool(connection.exec_driver_sql(others).scalar())


def relations(database: Database, schema: str = "public") -> list[str]:
    """Name the tables and views in a schema."""
    with _connected(database) as connection:
        return list(connection.execute(_RELATIONS, {"schema": schema}).scalars())


def set_aside(database: Database, name: str) -> None:
    """Move all tables and views into a schema of their own: nothing is deleted."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE SCHEMA "{name}"')
    _move(database, "public", name)


def bring_back(database: Database, name: str) -> None:
    """Undo `set_aside`."""
    _move(database, name, "public")
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f'DROP SCHEMA "{name}"')


def _move(database: Database, source: str, target: str) -> None:
    names = relations(database, source)
    with database.engine.begin() as connection:
        for name in names:
            connection.exec_driver_sql(
                f'ALTER TABLE "{source}"."{name}" SET SCHEMA "{target}"'
            )


def _run(database: Database, program: str, *options: str, connect: bool = True) -> None:
    url = make_url(database.url)
    named = url.translate_connect_args(username="user", database="dbname")
    parts = {key: str(value) for key, value in {**named, **url.query}.items()}
    environ = dict(os.environ)
    if "password" in parts:  # on the command line everybody could read it
        environ["PGPASSWORD"] = parts.pop("password")
    where = " ".join(f"{key}='{_quoted(value)}'" for key, value in parts.items())
    tool = find_tool(program, _server_major(database))
    done = subprocess.run(  # noqa: S603  # found by us; no part comes from a visitor
        [
            tool,
            "--no-owner",
            "--no-privileges",
            *([f"--dbname={where}"] if connect else []),
            *options,
        ],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PostgresToolError(
            f"{program} failed: {done.stderr.strip()[-600:]}",
            "Nothing was changed. Mend what it names, then try again.",
        )


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _server_major(database: Database) -> int:
    with _connected(database) as connection:
        shown = connection.exec_driver_sql("SHOW server_version_num").scalar()
    return int(str(shown)) // 10000


@contextmanager
def _connected(database: Database) -> Iterator[Connection]:
    try:
        connection = database.engine.connect()
    except SQLAlchemyError as error:
        raise ConfigurationError(
            f"The database cannot be reached: {str(error.__cause__).strip()}.",
            "Check database.url, and that the server runs and has this database.",
        ) from error
    with connection:
        yield connection


def find_tool(program: str, major: int) -> str:
    """Find a program of PostgreSQL that is as new as the server; the same age is best.

    Raises ConfigurationError when there is none.
    """
    folders = [folder.format(major=major) for folder in _USUAL]
    folders += os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = {
        path: _major_of(path)
        for folder in folders
        if (path := shutil.which(program, path=folder))
    }
    usable = [path for path, version in found.items() if version >= major]
    if not usable:
        raise ConfigurationError(
            f"{program} of PostgreSQL {major} or newer is needed and was not found.",
            f"Install PostgreSQL's client programs (Debian: postgresql-client-{major}).",
        )
    return min(usable, key=lambda path: found[path])


def _major_of(path: str) -> int:
    said = subprocess.run(  # noqa: S603  # a program of this name on the machine's path
        [path, "--version"], capture_output=True, text=True, check=False
    ).stdout
    number = re.search(r"(\d+)(?:\.\d+)?", said)
    return int(number[1]) if number else 0
