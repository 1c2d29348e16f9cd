"""A database goes to this version only after a backup, and never backwards."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import MetaData, Select, Table, select, text

import handsel
from handsel.kit.errors import ConfigurationError
from handsel.models.database import Database
from handsel.ops import archive, schema
from handsel.ops.upgrade import upgrade
from handsel.shop import Shop
from tests import make
from tests.ops import keeping
from tests.stories.test_release import edition, release

NEXT_STEP = """
from alembic import op
import sqlalchemy as sa

revision = "9999"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("products", sa.Column("mood", sa.String(20), nullable=True))
    {then}
"""


@pytest.fixture
def later_handsel(tmp_path: Path) -> Path:
    """A later version of the whole program, whose schema is one step further."""
    folder = tmp_path / "later"
    shutil.copytree(Path(handsel.__file__).parent, folder / "handsel")
    _next_step(folder, "pass")
    return folder


def _next_step(later: Path, then: str) -> None:
    step = later / "handsel" / "migrations" / "versions" / "9999_later.py"
    step.write_text(NEXT_STEP.format(before=schema.newest(), then=then))


def run_later(later: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the later version, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "handsel", *words, "--home", str(home)],
        env={**os.environ, "PYTHONPATH": str(later)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_database_is_saved_and_then_upgraded(
    shop: Shop, later_handsel: Path, pg_programs: None
) -> None:
    make.product(shop)
    keeping.buy(shop, 2)

    refused = run_later(later_handsel, shop.home, "order", "list")
    done = run_later(later_handsel, shop.home, "upgrade", "--yes", "--json")
    listed = run_later(later_handsel, shop.home, "order", "list", "--json")
    again = run_later(later_handsel, shop.home, "upgrade", "--yes", "--json")

    assert refused.returncode == 4
    assert "handsel upgrade" in refused.stderr
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["before"], facts["after"]) == (schema.newest(), "9999")
    assert archive.check(Path(facts["backup"])).schema == schema.newest()
    assert len(json.loads(listed.stdout)) == 2
    assert json.loads(again.stdout)["backup"] is None


def test_a_step_that_fails_leaves_the_database_as_it_was_and_a_backup(
    shop: Shop, later_handsel: Path, pg_programs: None
) -> None:
    make.product(shop)
    _next_step(later_handsel, 'op.execute("SELECT nonsense FROM nowhere")')

    failed = run_later(later_handsel, shop.home, "upgrade", "--yes")

    assert failed.returncode == 1
    assert schema.current(shop.database) == schema.newest()
    assert keeping.broken(shop) == {}
    assert len(list((shop.home / "backups").glob("*.tar.gz"))) == 1


def test_a_database_of_this_version_is_left_alone(shop: Shop) -> None:
    done = upgrade(shop)

    assert done.before == done.after == schema.newest()
    assert done.backup is None
    assert not (shop.home / "backups").exists()


def test_a_database_of_a_newer_version_is_refused(shop: Shop) -> None:
    with shop.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigurationError, match="newer"):
        upgrade(shop)

    assert not (shop.home / "backups").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_empty_database_is_set_up_without_a_backup(shop: Shop) -> None:
    shop.close()
    for path in (shop.home / "data").glob("handsel.db*"):
        path.unlink()

    done = upgrade(shop)

    assert done.before is None
    assert done.backup is None
    assert keeping.broken(shop) == {}


GONE = {("campaigns", "kind"): "release"}
"""Columns that older shops had, and what stood there."""


@pytest.mark.parametrize("step", sorted(schema.known())[:-1])
def test_every_row_of_an_older_shop_comes_along(
    step: str, shop: Shop, empty_database: str, tmp_path: Path
) -> None:
    product = make.product(shop)
    (sold,) = keeping.buy(shop)
    keeping.press(shop, sold["number"], product, "laptop")
    release(shop, edition(shop))
    old = _empty(empty_database, tmp_path / "older")
    kept = _as_of(step, shop, old)

    schema.upgrade(old)

    with old.engine.connect() as connection:
        for table, rows in kept:
            now = connection.execute(_every(table)).mappings()
            assert [dict(row) for row in now] == rows
        had = {table.name for table, rows in kept if rows}
        assert had >= {"allowances", "grants"}
        assert had >= {"campaigns", "campaign_recipients"} or step < "0002"
        for view in ("v_downloads", "v_mail"):
            every = text(f"SELECT * FROM {view}")  # noqa: S608  # our names
            assert connection.execute(every).all()
        if old.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    old.close()


def _empty(url: str, folder: Path) -> Database:
    (folder / "data").mkdir(parents=True)
    return Database(url, folder)


def _as_of(
    step: str, shop: Shop, old: Database
) -> list[tuple[Table, list[dict[str, Any]]]]:
    """Make an older database with all that it can hold of a shop; give its rows."""
    with old.engine.connect() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, step)
        connection.commit()
    kept = []
    with old.engine.begin() as there, shop.database.engine.connect() as here:
        tables = MetaData()
        tables.reflect(there)
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            rows = [dict(row) for row in here.execute(_every(table)).mappings()]
            kept.append((table, rows))
            for row in rows:
                there.execute(table.insert().values(row | _gone(table)))
    return kept


def _every(table: Table) -> Select[*tuple[Any, ...]]:
    names = [
        column
        for column in table.columns
        if column.name not in _gone(table) and column.computed is None
    ]
    return select(*names).order_by(*table.primary_key)


def _gone(table: Table) -> dict[str, str]:
    return {
        column: word
        for (name, column), word in GONE.items()
        if name == table.name and column in table.columns
    }
