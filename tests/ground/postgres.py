"""One real PostgreSQL for the whole test run, and databases in it.

The server starts when the first test asks for it and is shared by the workers of
pytest-xdist. It ends with the test run, also when that is interrupted or killed.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.ground import cluster, memory

_FOLDER = "HANDSEL_TEST_POSTGRES"
_SWEEPER = pytest.StashKey[subprocess.Popen[bytes]]()


class PostgresServer:
    """The running server; each worker of the test run has its own handle."""

    def __init__(self, folder: Path) -> None:
        """Connect to the server whose socket is in this folder."""
        self._folder = folder
        self._maintenance = psycopg.connect(
            host=str(folder), user="postgres", dbname="postgres", autocommit=True
        )

    def url_for(self, name: str) -> str:
        """Say how SQLAlchemy reaches the database of this name."""
        return f"postgresql+psycopg://postgres@/{name}?host={self._folder}"

    def create(self, name: str, *, template: str | None = None) -> None:
        """Create a database, empty or as a copy of another.

        Args:
            name: must not exist yet. The workers share the server, so let the name say
                whose it is: the fixture `worker_id`, a counter.
            template: a database nobody is connected to, so dispose of its engine.
        """
        # Without fsync, copying files takes 9 ms; the default, copying by log, 32 ms.
        statement = "create database {} template {} strategy file_copy"
        self._maintenance.execute(
            sql.SQL(statement).format(
                sql.Identifier(name), sql.Identifier(template or "template0")
            )
        )

    def drop(self, name: str) -> None:
        """Drop a database, and whoever is still connected; safe to repeat."""
        self._maintenance.execute(
            sql.SQL("drop database if exists {} with (force)").format(
                sql.Identifier(name)
            )
        )

    def close(self) -> None:
        """Give the handle back; the server runs on."""
        self._maintenance.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL of this test run."""
    folder = Path(os.environ[_FOLDER])
    cluster.start(folder)
    server = PostgresServer(folder)
    yield server
    server.close()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder for the run, and start the sweeper that outlives it."""
    if hasattr(config, "workerinput"):
        return
    # Not below pytest's own folder: the path of a socket has about 100 characters at
    # most, and as root the server's user must reach it.
    folder = tempfile.mkdtemp(prefix="handsel-", dir=memory.root())
    os.environ[_FOLDER] = folder
    config.stash[_SWEEPER] = subprocess.Popen(
        [sys.executable, cluster.__file__, folder],
        stdin=subprocess.PIPE,
        # Ctrl-C in the terminal must not reach it.
        start_new_session=True,
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the sweeper stop the server, and wait for it."""
    if (sweeper := config.stash.get(_SWEEPER, None)) is not None:
        sweeper.communicate()
