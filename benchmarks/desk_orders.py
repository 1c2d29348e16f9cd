"""Row: the pages of orders and customers at the desk, with very many of both."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks import desk_pages, past
from benchmarks.ground import new_shop
from benchmarks.rows import Row, ms, quantile
from handsel.ops import schema
from handsel.ops.desk import orders
from handsel.ops.desk.wanted import ALL, Wanted
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from tests.ground import cluster

SMALL, LARGE = 100_000, 1_000_000
ROUNDS = 10
PAGES = (
    *("orders", "orders?status=all", "orders?status=paid", "orders?status=disputed"),
    *("orders?q=reader5001", "orders?q=reader", "orders?q=%40company17.example"),
    *("orders?q=gmail.com", "orders?q=H-1042", "orders?q=1234", "orders?q=nobody"),
    *("orders?product=book7", "orders?coupon=SPRING3", "orders?country=DE"),
    *("orders?country=FR", "orders?test=only", "orders?test=none"),
    *("orders?attention=1", "orders?source=site7.example"),
    *("orders?source=%28came+by+themselves%29", "orders?from=2024-06-01&to=2024-06-30"),
    *("orders?from=2026-01-01", "orders?to=2024-09-01", "orders?after=H-51000"),
    *("orders?before=H-51000", "orders?country=DE&product=book7&status=refunded"),
    *("orders/H-1005", "orders/H-51001", "customers", "customers?q=reader5001"),
    *("customers?q=gmail.com", "customers/5002", "customers?after=60000"),
)


def measure(*, quick: bool) -> list[Row]:
    """Ask for each page some times, on both databases; then take all along as CSV."""
    rows = []
    for kind in ("SQLite", "PostgreSQL"):
        for count in (SMALL,) if quick else (SMALL, LARGE):
            with _shop(kind, count) as shop:
                rows.append(_pages(kind, count, shop))
                if count == SMALL:
                    rows.append(_sheet(kind, count, shop))
    return rows


@contextmanager
def _shop(kind: str, count: int) -> Iterator[Shop]:
    """Give a shop with so many orders, gone at the end of the block."""
    server = Path(tempfile.mkdtemp(prefix="handsel-bench-"))
    with new_shop() as home:
        settings = load_settings(home)
        if kind == "PostgreSQL":
            cluster.start(server)
            url = f"postgresql://postgres@/postgres?host={server}"
            there = settings.database.model_copy(update={"url": url})
            settings = settings.model_copy(update={"database": there})
        shop = open_shop(home, settings)
        try:
            schema.upgrade(shop.database)
            past.fill(shop.database, count)
            yield shop
        finally:
            shop.close()
            cluster.stop(server)


def _pages(kind: str, count: int, shop: Shop) -> Row:
    looks = desk_pages.look(shop, PAGES, ROUNDS)
    most = 0.1 if count == SMALL else 0.2
    return Row(
        name=f"the desk's pages with {count:,} orders, {kind}",
        measured=looks.measured,
        goal=f"each page < {ms(most)}",
        met=looks.p95 < most,
        why=f"{len(PAGES)} pages: lists by each filter and search, single orders, "
        f"customers; {ROUNDS} times each, median {ms(quantile(looks.every, 0.5))}. The "
        f"slowest is {looks.slowest} with {looks.median(looks.slowest)}.",
        numbers=looks.numbers,
    )


def _sheet(kind: str, count: int, shop: Shop) -> Row:
    """Take all orders along, and watch how the process grows."""
    process = psutil.Process()
    lines, begin = 0, time.perf_counter()
    before, most = 0, 0
    for _ in orders.csv(shop, Wanted(status=ALL)):
        lines += 1
        if lines == 5_000:
            before = process.memory_info().rss
        if lines % 5_000 == 0:
            most = max(most, process.memory_info().rss)
    seconds = time.perf_counter() - begin
    if lines != count + 1:
        raise ValueError(f"{lines} lines for {count} orders.")
    grown = (most - before) / 1e6
    return Row(
        name=f"{count:,} orders as CSV, {kind}",
        measured=f"{grown:.0f} MB more memory",
        goal="<= 10 MB more",
        met=grown <= 10,
        why=f"From the 5,000th line on; all of it in {ms(seconds)}, some hundred orders "
        "at a time, so that no look at the database is long.",
        numbers={"bytes": grown * 1e6, "seconds": seconds},
    )
