"""The PostgreSQL of the tests: fresh databases, quickly, in UTF-8, for two workers."""

import subprocess
import sys
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.ground.postgres import PostgresServer
from tests.ground.waiting import wait_until


def test_a_database_copied_from_a_template_has_its_tables_and_is_its_own(
    postgres: PostgresServer, worker_id: str
) -> None:
    names = [f"ground_{worker_id}_{part}" for part in ("template", "one", "two")]
    template, one, two = names
    postgres.create(template)
    _run(postgres, template, "create table book (title text)")
    for copy in (one, two):
        postgres.create(copy, template=template)
    _run(postgres, one, "insert into book values ('Ænid 日本')")

    assert _ask(postgres, one, "select title from book") == ["Ænid 日本"]
    assert _ask(postgres, two, "select title from book") == []
    for name in names:
        postgres.drop(name)
        postgres.drop(name)


def test_letters_of_every_alphabet_have_cases(
    postgres: PostgresServer, worker_id: str
) -> None:
    name = f"ground_{worker_id}_letters"
    postgres.create(name)
    assert _ask(postgres, name, "select lower('ÄÉЖ')") == ["äéж"]
    assert _ask(postgres, name, "show server_encoding") == ["UTF8"]
    postgres.drop(name)


ENDLESS = """
import time

def test_asks_and_never_ends(postgres):
    print(postgres.url_for("postgres"), flush=True)
    time.sleep(60)
"""


def test_a_test_run_that_is_killed_leaves_no_server_behind(tmp_path: Path) -> None:
    (tmp_path / "test_endless.py").write_text(ENDLESS)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "tests.ground.postgres"]
    with subprocess.Popen(
        [*command, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as run:
        assert run.stdout is not None
        folder = next(
            Path(line.strip().rpartition("=")[2])
            for line in run.stdout
            if "postgresql" in line
        )
        server = psutil.Process(_process_of(folder))
        run.kill()
    wait_until(lambda: not folder.exists())
    wait_until(lambda: _ended(server))


def _process_of(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def _ended(process: psutil.Process) -> bool:
    # In a container the first process may take its time to bury the dead.
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _run(postgres: PostgresServer, name: str, statement: str) -> None:
    engine = create_engine(postgres.url_for(name), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement))


def _ask(postgres: PostgresServer, name: str, statement: str) -> list[str]:
    engine = create_engine(postgres.url_for(name), poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.scalars(text(statement)))
