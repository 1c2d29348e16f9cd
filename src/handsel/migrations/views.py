"""Views put aside while SQLite makes a table anew: none may look at it meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op


@contextmanager
def views_aside() -> Iterator[None]:
    """Drop SQLite's views for the length of the block, and put them back as they were.

    PostgreSQL changes a table in place, and keeps who may look at a view.
    """
    if op.get_bind().dialect.name == "postgresql":
        yield
        return
    known = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'view'")
    views = op.get_bind().execute(known).all()
    for name, _ in views:
        op.execute(f"DROP VIEW {name}")
    yield
    for _, made in views:
        op.execute(made)


def replace_view(name: str, select: str) -> None:
    """Give a view another SELECT, which may only add columns at its end."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {select}")
    else:
        op.execute(f"DROP VIEW {name}")
        op.execute(f"CREATE VIEW {name} AS {select}")
