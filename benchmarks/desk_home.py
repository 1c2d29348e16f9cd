"""Row: the first page of the desk and the reports, over a past of very many orders."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from datetime import time as clock_time
from pathlib import Path

from benchmarks import desk_pages, past, past_payouts, past_visits
from benchmarks.ground import PLAN
from benchmarks.rows import Row, ms, quantile
from handsel.ops import founding
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from tests.ground import cluster

SMALL, LARGE = 100_000, 1_000_000
DAYS = {SMALL: 400, LARGE: past.DAYS}
VIEWS = {SMALL: 7, LARGE: 2}
"""Looks at pages for each order: with all else a million events, or five."""
ROUNDS = 20
SELLS = {
    "HANDSEL_STRIPE__SECRET_KEY": f"sk_live_{'x' * 24}",
    "HANDSEL_STRIPE__WEBHOOK_SECRET": f"whsec_{'x' * 24}",
}
"""With these a shop moves real money, and its figures are those of real orders."""
PAGES = (
    *("", "?period=today", "?period=7d", "?period=90d", "?period=12m"),
    *("?currency=USD", "reports/sales", "reports/sales?by=product"),
    *("reports/sales?period=12m", "reports/sales?by=day&period=90d"),
    *("reports/funnel", "reports/funnel?period=12m", "reports/funnel?by=source"),
    *("reports/sources", "reports/sources?by=country", "reports/sources?period=12m"),
    *("reports/payouts", "reports/tax", "reports/invoices", "experiments"),
)


def measure(*, quick: bool) -> list[Row]:
    """Ask for each page some times, on both databases."""
    rows = []
    for kind in ("SQLite", "PostgreSQL"):
        for count in (SMALL,) if quick else (SMALL, LARGE):
            with _shop(kind) as shop:
                past.fill(shop.database, count, days=DAYS[count])
                past_visits.fill(shop.database, VIEWS[count], days=DAYS[count])
                past_payouts.fill(shop.database, days=DAYS[count])
                rows.append(_pages(kind, count, shop))
    return rows


@contextmanager
def _shop(kind: str) -> Iterator[Shop]:
    """Give an empty shop whose clock stands at the last day, gone at the end."""
    now = datetime.combine(past.LAST, clock_time(18), UTC)
    server = Path(tempfile.mkdtemp(prefix="handsel-bench-"))
    with tempfile.TemporaryDirectory(prefix="handsel-bench-") as folder:
        home, environ = Path(folder) / "home", dict(SELLS)
        if kind == "PostgreSQL":
            cluster.start(server)
            url = f"postgresql://postgres@/postgres?host={server}"
            environ["HANDSEL_DATABASE__URL"] = url
        founding.found(home, PLAN)
        settings = load_settings(home, environ)
        founding.prepare(home, settings)
        shop = open_shop(home, settings, clock=lambda: now)
        try:
            yield shop
        finally:
            shop.close()
            cluster.stop(server)


def _pages(kind: str, count: int, shop: Shop) -> Row:
    looks = desk_pages.look(shop, PAGES, ROUNDS)
    most = 0.1 if count == SMALL else 0.2
    return Row(
        name=f"home and reports of the desk with {count:,} orders, {kind}",
        measured=f"{looks.measured}; {looks.grown:.0f} MB more memory",
        goal=f"each page < {ms(most)}; <= 10 MB more",
        met=looks.p95 < most and looks.grown <= 10,
        why=f"{len(PAGES)} pages, {ROUNDS} times each, median "
        f"{ms(quantile(looks.every, 0.5))}; they add up the counts of days, and count "
        f"today. Home takes {looks.median('')}; the slowest is /admin/{looks.slowest} "
        f"with {looks.median(looks.slowest)}.",
        numbers=looks.numbers,
    )
