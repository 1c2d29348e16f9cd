"""The shop's own web process with a provider for measuring: `python -m benchmarks.server`.

Everything but the provider is what `handsel web` runs. `--plain` is the control: each
write is a BEGIN IMMEDIATE of its own, which waits the way SQLite waits. `--sync` makes
every commit as slow as on a disk that takes that long to sync.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, event

from benchmarks.provider import BenchProvider
from handsel.models import database
from handsel.models.database import Database
from handsel.shop import open_shop
from handsel.web.front import serve_shop


class PlainDatabase(Database):
    """The control: no turns, no shared commits, a connection for every writer."""

    def __init__(self, url: str, home: Path, *, threads: int) -> None:
        super().__init__(url, home, threads=threads)
        self._writer.dispose()
        self._writer = database._sqlite_engine(
            self.url, "BEGIN IMMEDIATE", size=threads
        )
        self._writing = self._alone


def slow_disk(seconds: float) -> Callable[[Connection], None]:
    """Wait while the write lock is held, as for a disk that has to sync."""

    def commit(_connection: Connection) -> None:
        time.sleep(seconds)

    return commit


def main() -> None:
    """Serve the shop in --home until SIGTERM; say the address as one line of JSON."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--home", type=Path, required=True)
    ask.add_argument("--delay", type=float, default=0.0, help="of the provider, s")
    ask.add_argument("--sync", type=float, default=0.0, help="of every commit, s")
    ask.add_argument("--plain", action="store_true")
    said = ask.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    shop = open_shop(said.home)
    if said.plain:
        url, threads = shop.settings.database.url, shop.settings.server.threads
        shop.database.close()
        shop = replace(shop, database=PlainDatabase(url, said.home, threads=threads))
    if said.sync:
        event.listen(shop.database.engine, "commit", slow_disk(said.sync))
    shop = replace(shop, providers={"bench": BenchProvider(said.delay)})
    serve_shop(
        shop, "127.0.0.1:0", lambda url: print(json.dumps({"url": url}), flush=True)
    )


if __name__ == "__main__":
    main()
