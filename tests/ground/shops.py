"""A shop of its own for every test, on both databases."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handsel.models.database import Database
from handsel.ops import founding, schema
from handsel.ops.founding import Plan
from handsel.outbound import letters
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from tests.ground import compiled
from tests.ground.postgres import PostgresServer

PLAN = Plan(name="Ada's Books", email="ada@example.com", currency="EUR")


class Clock:
    """The shop's clock, which a test sets and moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Say what time it is."""
        return self.time

    def move(self, **length: float) -> None:
        """Move on, for instance `hours=25`."""
        self.time += timedelta(**length)


@pytest.fixture
def clock() -> Clock:
    """The clock of the test's shop."""
    return Clock()


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded shop on SQLite, to be copied."""
    home = tmp_path_factory.mktemp("template") / "home"
    founding.found(home, PLAN)
    return home


@pytest.fixture(scope="session")
def template_database(postgres: PostgresServer, worker_id: str) -> str:
    """A PostgreSQL database with the schema in it, to be copied."""
    name = f"template_{worker_id}"
    postgres.create(name)
    database = Database(postgres.url_for(name), Path())
    schema.upgrade(database)
    database.close()
    return name


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(
    request: pytest.FixtureRequest, worker_id: str, tmp_path: Path
) -> Iterator[str]:
    """The address of a fresh database with the schema: each test runs on both kinds."""
    if request.param == "sqlite":
        yield "sqlite:///data/handsel.db"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    template: str = request.getfixturevalue("template_database")
    name = f"shop_{worker_id}_{os.urandom(4).hex()}"
    postgres.create(name, template=template)
    yield postgres.url_for(name)
    postgres.drop(name)


@pytest.fixture
def home(
    template_home: Path,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The folder of a fresh shop. Settings from the machine's environment are gone."""
    for name in [name for name in os.environ if name.startswith("HANDSEL_")]:
        if name != "HANDSEL_TEST_CHROMIUM":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HANDSEL_DATABASE__URL", database_url)
    home = tmp_path / "home"
    shutil.copytree(template_home, home)
    letters.environment(home).bytecode_cache = compiled.MAILS
    return home


@pytest.fixture
def shop(home: Path, clock: Clock) -> Iterator[Shop]:
    """A fresh shop in test mode, with nothing for sale."""
    opened = open_shop(home, load_settings(home), clock=clock)
    yield opened
    opened.close()
