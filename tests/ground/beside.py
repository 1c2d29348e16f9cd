"""Two transactions at one moment, on PostgreSQL, where that is possible."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from handsel.shop import Shop
from tests.ground.waiting import wait_until

# On SQLite they take turns from their first word on: there is nothing to try.
ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@contextmanager
def beside(shop: Shop, other: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Give a way to start the other one, which returns when that one has to wait.

    To be called as the last step of a transaction; its end lets the other one go on,
    and the end of this block waits for it.
    """
    with ThreadPoolExecutor(1) as pool:
        begun: list[Future[object]] = []

        def start() -> None:
            begun.append(pool.submit(other))
            wait_until(lambda: _somebody_waits(shop))

        yield start
        begun[0].result(timeout=20)


def _somebody_waits(shop: Shop) -> bool:
    asked = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with shop.reading() as session:
        return bool(session.scalar(asked))
