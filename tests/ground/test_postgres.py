"""The PostgreSQL of the tests: fresh databases, quickly, in UTF-8, for two workers."""

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.ground.postgres import PostgresServer


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


def _run(postgres: PostgresServer, name: str, statement: str) -> None:
    engine = create_engine(postgres.url_for(name), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement))


def _ask(postgres: PostgresServer, name: str, statement: str) -> list[str]:
    engine = create_engine(postgres.url_for(name), poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.scalars(text(statement)))
