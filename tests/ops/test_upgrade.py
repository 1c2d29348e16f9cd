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
from sqlalchemy import MetaData, text

import handsel
from handsel.kit.errors import ConfigurationError
from handsel.models.database import Database
from handsel.ops import archive, schema
from handsel.ops.upgrade import upgrade
from handsel.shop import Shop
from tests import make
from tests.ops import keeping

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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", sorted(schema.known())[:-1])
def test_every_row_of_an_older_shop_comes_along(
    step: str, shop: Shop, tmp_path: Path
) -> None:
    product = make.product(shop)
    (sold,) = keeping.buy(shop)
    keeping.press(shop, sold["number"], product, "laptop")
    old = Database("sqlite:///old.db", tmp_path)
    kept = _as_of(step, shop, old)

    schema.upgrade(old)

    with old.engine.connect() as connection:
        for table, rows in kept.items():
            names = ", ".join(rows[0]) if rows else "*"
            now = connection.execute(text(f"SELECT {names} FROM {table}"))  # noqa: S608  # our names
            assert [dict(row) for row in now.mappings()] == rows
        assert kept["allowances"]
        assert kept["grants"]
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("SELECT * FROM v_downloads").all()
    old.close()


def _as_of(step: str, shop: Shop, old: Database) -> dict[str, list[dict[str, Any]]]:
    """Make an older database with all that it can hold of a shop; give its rows."""
    with old.engine.connect() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, step)
        connection.commit()
    kept = {}
    with old.engine.begin() as there, shop.database.engine.connect() as here:
        there.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        tables = MetaData()
        tables.reflect(there)
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            names = ", ".join(column.name for column in table.columns)
            every = text(f"SELECT {names} FROM {table.name}")  # noqa: S608  # our names
            rows = here.execute(every).mappings()
            kept[table.name] = [dict(row) for row in rows]
            holes = ", ".join(f":{column.name}" for column in table.columns)
            put = text(f"INSERT INTO {table.name} VALUES ({holes})")  # noqa: S608  # ours
            for row in kept[table.name]:
                there.execute(put, row)
    return kept
