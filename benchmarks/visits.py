"""Rows: what counting a visit costs its page, and a funnel over five million events."""

import http.client
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, Date, bindparam, insert, text

from benchmarks.ground import new_shop, running
from benchmarks.rows import Row, ms, quantile
from handsel.analytics import counting
from handsel.analytics.periods import Period
from handsel.analytics.reports.funnel import funnel
from handsel.analytics.reports.tallies import By, Wanted
from handsel.models import EventDay, Source
from handsel.models.base import UtcDateTime
from handsel.models.database import Database
from handsel.ops import schema
from tests.ground import cluster

DAYS = 400
EVENTS = 5_000_000
LAST = date(2026, 11, 26)
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
PROGRAM = "bench/1.0"


def measure(*, quick: bool) -> list[Row]:
    """Ask for a page as a person and as a program; then read funnels of a long past."""
    rows = [_page(2000 if quick else 6000)]
    for kind in ("SQLite", "PostgreSQL"):
        with _database(kind) as database:
            rows.append(_funnel(kind, database, EVENTS // 20 if quick else EVENTS))
    return rows


def _page(rounds: int) -> Row:
    with new_shop() as home, running("benchmarks.server", "--home", home) as server:
        connection = http.client.HTTPConnection(*server.address)
        times: dict[str, list[float]] = {PROGRAM: [], PERSON: []}
        for number in range(rounds + 200):
            for agent, taken in times.items():
                seconds = _get(connection, agent)
                if number >= 200:
                    taken.append(seconds)
        connection.close()
    plain, counted = (median(taken) for taken in times.values())
    slow = [quantile(taken, 0.99) for taken in times.values()]
    return Row(
        name="a product page whose visit is counted",
        measured=f"{ms(max(0.0, counted - plain))} more than one that is not",
        goal="<= 1 ms more",
        met=counted - plain <= 0.001,
        why=f"Medians of {rounds}, in turn: {ms(plain)} for a program, which is not "
        f"counted, {ms(counted)} for a person; p99 {ms(slow[0])} and {ms(slow[1])}. The "
        "page only puts a few words into a queue; a thread writes them down.",
        numbers={"plain": plain, "counted": counted},
    )


def _get(connection: http.client.HTTPConnection, agent: str) -> float:
    begin = time.perf_counter()
    connection.request("GET", "/p/book", headers={"User-Agent": agent})
    connection.getresponse().read()
    return time.perf_counter() - begin


@contextmanager
def _database(kind: str) -> Iterator[Database]:
    """Give a database with the schema, gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="handsel-bench-") as folder:
        server = Path(tempfile.mkdtemp(prefix="handsel-bench-"))
        url = "sqlite:///bench.db"
        if kind == "PostgreSQL":
            cluster.start(server)
            url = f"postgresql://postgres@/postgres?host={server}"
        database = Database(url, Path(folder))
        try:
            schema.upgrade(database)
            yield database
        finally:
            database.close()
            cluster.stop(server)


def _funnel(kind: str, database: Database, count: int) -> Row:
    with database.engine.begin() as connection:
        _events(connection, count // DAYS)
    begin = time.perf_counter()
    counted = counting.count(database, LAST + timedelta(days=1), most=DAYS)
    rolled = time.perf_counter() - begin
    if counted != DAYS:
        raise ValueError(f"{counted} days counted instead of {DAYS}.")
    year, month = (_slowest(database, days) for days in (DAYS, DAYS // 10))
    growth = year / month
    return Row(
        name=f"a funnel over {count:,} events of {DAYS} days, {kind}",
        measured=f"{ms(year)}; {ms(month)} for a tenth of the days",
        goal="< 1.0 s; <= 10 times as long for 10 times the days",
        met=year < 1.0 and growth <= 10,
        why=f"The slower of the funnel as a whole and by source, worst of five. It reads the "
        f"counts of the days; counting all of these days took {ms(rolled)} once, one "
        f"takes the worker {ms(rolled / DAYS)} after midnight.",
        numbers={"all": year, "tenth": month, "counting": rolled},
    )


def _events(connection: Connection, each_day: int) -> None:
    """Write a past in which a fifth of the visitors press Buy, and a twentieth pays."""
    sources = [
        {"id": n + 1, "mark": str(n), "name": f"site{n}.example" if n else ""}
        for n in range(50)
    ]
    other = dict.fromkeys(
        ("medium", "campaign", "term", "content", "referrer", "page"), ""
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [each | other | {"first_at": now} for each in sources]
    connection.execute(insert(Source), rows)
    for number in range(DAYS):
        day = LAST - timedelta(days=number)
        named = {
            "day": day,
            "at": datetime.combine(day, now.time(), UTC),
            "n": each_day,
        }
        connection.execute(_DAY, named)
        connection.execute(
            insert(EventDay), {"day": day, "counted": False, "forgotten": False}
        )


_DAY = text("""
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n)
    INSERT INTO events (kind, at, day, visitor, source_id, country, device, product_id,
                        test, amount_minor, currency)
    SELECT CASE WHEN i % 10 < 6 THEN 'viewed' WHEN i % 10 < 8 THEN 'clicked'
                WHEN i % 20 < 16 THEN 'started' ELSE 'paid' END,
           :at, :day, i / 2, 1 + (i / 2 * 7919) % 50,
           CASE WHEN i % 3 = 0 THEN 'AT' ELSE 'US' END,
           CASE WHEN i % 2 = 0 THEN 'phone' ELSE 'computer' END, 1 + i % 5, FALSE,
           CASE WHEN i % 10 = 8 OR i % 10 = 9 AND i % 20 >= 16 THEN 1500 ELSE 0 END,
           CASE WHEN i % 20 >= 16 AND i % 10 >= 8 THEN 'EUR' ELSE '' END
    FROM n
""").bindparams(bindparam("at", type_=UtcDateTime()), bindparam("day", type_=Date()))


def _slowest(database: Database, days: int) -> float:
    period = Period(LAST - timedelta(days=days - 1), LAST)
    times = []
    for by in (By.NOTHING, By.SOURCE) * 5:
        begin = time.perf_counter()
        with database.reading() as session:
            found = funnel(session, Wanted(period, by))
        times.append(time.perf_counter() - begin)
        if not found[0]["stages"][0]["count"]:
            raise ValueError("Nothing was counted.")
    return max(times)
