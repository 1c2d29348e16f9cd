"""A statement is compiled once for the whole test run, not once for every shop.

SQLAlchemy compiles a statement when an engine first runs it, and finds out for each engine
how values go in and come out: half of what a short story costs, because each shop has
engines of its own. What it learns is the same for all databases of one kind; so here one
dialect, with all that it has learned, serves all engines that were asked for alike.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

MOST = 4000
"""Statements that are kept; the whole suite has fewer."""
_compiled: LRUCache[Any, Any] = LRUCache(MOST)


class _Once(type):
    """Gives the object that was made before, if it was made with the same options."""

    def __call__(cls, **options: Any) -> Any:
        key = (cls, *sorted(options.items()))
        if key not in _made:
            _made[key] = super().__call__(**options)
        return _made[key]


_made: dict[Any, Any] = {}


class SQLite(SQLiteDialect_pysqlite, metaclass=_Once):
    """SQLAlchemy's own, kept."""

    supports_statement_cache = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Let the engine look among what all have compiled."""
        engine.update_execution_options(compiled_cache=_compiled)


class Postgres(PGDialect_psycopg, metaclass=_Once):
    """SQLAlchemy's own, kept."""

    supports_statement_cache = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Let the engine look among what all have compiled."""
        engine.update_execution_options(compiled_cache=_compiled)


def pytest_configure() -> None:
    """Let these be found by the names in addresses; this is SQLAlchemy's own way."""
    registry.register("sqlite", __name__, SQLite.__name__)
    registry.register("postgresql.psycopg", __name__, Postgres.__name__)
