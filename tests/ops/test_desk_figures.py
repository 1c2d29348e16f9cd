"""What the home page of the desk says of a time: the figures of the reports, side by side."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from handsel.analytics.counting import ALL
from handsel.analytics.periods import Period, read_period
from handsel.kit.money import Money
from handsel.models import DayCount, DayTax, EventDay
from handsel.models.words import CountedBy, EventKind
from handsel.ops.desk import figures
from handsel.ops.desk.figures import Asked, Figures
from handsel.ops.desk.steps import name_of, steps
from handsel.shop import Shop
from handsel.web.admin import home_words
from tests import make
from tests.cli.test_keep import facts
from tests.ground.shops import Clock
from tests.stories.buyers import buy, download
from tests.stories.giving_back import give_back
from tests.stories.visiting import PHONE, Reader, seen

ADDRESSES = [f"198.51.100.{number}" for number in range(1, 5)]


@pytest.fixture
def visited(shop: Shop, clock: Clock) -> Iterator[Shop]:
    """Two days: one book sold on the first, and more on the second, in two currencies."""
    make.product(shop)
    make.product(shop, slug="maps", name="Maps", price=Money(900, "USD"))
    reader = Reader(shop)
    clock.move(days=-1)
    for address in ADDRESSES[:2]:
        Reader(shop, address=address, of=reader).get("/p/book")
    buy(Reader(shop, address=ADDRESSES[0], of=reader))
    seen(reader)
    clock.move(days=1)
    buy(Reader(shop, address=ADDRESSES[2], agent=PHONE, of=reader), "maps")
    reader.get("/p/book?utm_source=newsletter")
    download(reader, buy(reader))
    buy(Reader(shop, address=ADDRESSES[3], of=reader))
    seen(reader)
    give_back(shop, "5")
    seen(reader)
    yield shop
    reader.close()


def read(shop: Shop, period: str = "today", currency: str | None = None) -> Figures:
    """Read the figures of a period."""
    today = shop.now().date()
    asked = Asked(read_period(period, today), "EUR", currency, test=True)
    with shop.reading() as session:
        return figures.read(session, asked, today)


def test_a_day_is_set_beside_the_day_before(visited: Shop) -> None:
    found = read(visited)

    assert found.currency == "EUR"
    assert found.currencies == ("EUR", "USD")
    assert found.before == found.period.before()
    assert (found.gross.now, found.gross.before) == (3000, 1500)
    assert found.gross.change_bp == 10_000
    assert (found.net.now, found.net.before) == (2500, 1500)
    assert (found.orders.now, found.orders.before) == (3, 1)
    assert found.total.sold == 2
    assert (found.visitors.now, found.visitors.before) == (3, 2)
    assert (found.average.now, found.average.before) == (1500, 1500)
    assert (found.conversion.now, found.conversion.before) == (10_000, 5000)
    assert (found.refunded.now, found.refunded.before) == (1667, 0)
    assert found.refunded.change_bp is None
    assert found.refunded.moved == 1667


def test_currencies_are_never_added_up(visited: Shop) -> None:
    found = read(visited, currency="USD")

    assert (found.gross.now, found.gross.before) == (900, 0)
    assert found.gross.change_bp is None
    assert [(line.key, line.net_minor) for line in found.products.lines] == [
        ("maps", 900),
        ("book", 0),
    ]


@pytest.mark.parametrize(
    "period",
    ["today", "yesterday", "7d", "12m", "2024-01-01..2026-12-31", "2020", "all"],
)
def test_the_figures_are_those_of_the_commands(visited: Shop, period: str) -> None:
    found = read(visited, period)
    asked = read_period(period, visited.now().date())  # commands know no other clock

    def told(*words: str) -> list[dict[str, Any]]:
        data = facts(visited, "report", *words, "--period", str(asked))
        assert isinstance(data, dict)
        rows: list[dict[str, Any]] = data["rows"]
        return rows

    sold = [row for row in told("sales") if row["currency"] == found.currency]
    for row in sold:
        assert row["gross_minor"] == found.gross.now
        assert row["net_minor"] == found.net.now
        assert row["refunded_minor"] == found.total.back
        assert row["orders"] == found.total.sold
        assert row["average_minor"] == found.average.now
    assert sold or found.gross.now == 0
    assert told("funnel")[0]["stages"] == found.funnel
    for by, best in (
        ("product", found.products),
        ("source", found.sources),
        ("country", found.countries),
        ("device", found.devices),
    ):
        rows = {row["key"]: row for row in told("sources", "--by", by)}
        assert {line.key for line in best.lines} == set(rows)
        for line in best.lines:
            assert line.orders == rows[line.key]["orders"]
            assert line.visitors == rows[line.key]["visitors"]
            assert line.conversion_bp == rows[line.key]["conversion_bp"]
            assert line.net_minor == sum(
                each["net_minor"]
                for each in rows[line.key]["money"]
                if each["currency"] == found.currency
            )


def test_the_steps_add_up_to_the_whole(visited: Shop) -> None:
    for period in ("7d", "90d", "12m", "2024-01-01..2026-12-31", "all"):
        found = read(visited, period)
        for name in ("visitors", "orders", "sold", "gross", "back", "net"):
            every = sum(getattr(step.sums, name) for step in found.steps)
            assert every == getattr(found.total, name), (period, name)
        assert len(found.gross.steps) == len(found.steps)


def test_all_begins_when_something_was_counted_and_is_compared_with_nothing(
    visited: Shop,
) -> None:
    found = read(visited, "all")

    assert found.period.length == 2
    assert found.before is None
    assert found.gross.before is None
    assert found.gross.change_bp is None


def test_days_to_come_are_left_out(visited: Shop) -> None:
    assert read(visited, "2026").period.last == visited.now().date()
    assert read(visited, "2030").period.length == 1


def test_an_empty_shop_has_nothing_to_show(shop: Shop) -> None:
    found = read(shop, "28d")

    assert found.currency == "EUR"
    assert found.currencies == ()
    assert found.before is None
    assert (found.gross.now, found.orders.now, found.visitors.now) == (0, 0, 0)
    assert found.conversion.now is found.average.now is found.refunded.now is None
    assert [stage["count"] for stage in found.funnel] == [0] * 6
    assert found.products.lines == ()
    assert len(found.steps) == 28
    assert read(shop, "all").period.length == 1


@pytest.mark.parametrize(
    ("length", "count", "name"),
    [(1, 1, "day"), (62, 62, "day"), (63, 10, "week"), (365, 53, "week")],
)
def test_a_long_time_goes_in_longer_steps(length: int, count: int, name: str) -> None:
    last = date(2026, 11, 27)
    period = Period(last - timedelta(days=length - 1), last)

    found = steps(period)

    assert len(found) == count
    assert name_of(length) == name
    assert [day for step in found for day in step.days] == period.days


def test_years_go_by_the_month() -> None:
    found = steps(Period(date(2024, 1, 15), date(2026, 2, 3)))

    assert len(found) == 26
    assert found[0] == Period(date(2024, 1, 15), date(2024, 1, 31))
    assert found[1] == Period(date(2024, 2, 1), date(2024, 2, 29))
    assert found[-1] == Period(date(2026, 2, 1), date(2026, 2, 3))


def test_no_more_than_every_visitor_buys(shop: Shop) -> None:
    make.product(shop)
    reader = Reader(shop)
    reader.get("/p/book")
    for _ in range(2):
        buy(reader)
    seen(reader)

    found = read(shop)
    told = facts(shop, "report", "sources", "--by", "product", "--test")
    with reader.app.app_context():
        words = home_words.shown(found, shop.now().date())
    reader.close()
    assert (found.orders.now, found.visitors.now) == (2, 1)
    assert found.conversion.now is None
    assert found.products.lines[0].conversion_bp is None
    assert [stage["of_first_bp"] for stage in found.funnel][3] is None
    assert isinstance(told, dict)
    assert [row["conversion_bp"] for row in told["rows"]] == [None]
    (tile,) = [each for each in words["tiles"] if each.name == "Of visitors buy"]
    assert tile.note.startswith("more orders than visitors")


DAYS = 1000


def counted(shop: Shop) -> list[tuple[date, int, int, int]]:
    """Count many days, each with other visitors, money and tax; give these."""
    today = shop.now().date()
    days = [today - timedelta(days=n) for n in range(DAYS)]
    told = [(day, 3 + n % 7, 100 + n, n % 11) for n, day in enumerate(days)]
    with shop.transaction() as session:
        session.execute(
            insert(EventDay),
            [{"day": day, "counted": True, "forgotten": False} for day in days],
        )
        session.execute(
            insert(DayCount), [_of(kind, *each) for each in told for kind in KINDS]
        )
        session.execute(
            insert(DayTax),
            [
                {
                    "day": day,
                    "test": True,
                    "currency": "EUR",
                    "papers": 1,
                    "tax_minor": tax,
                }
                for day, _, _, tax in told
            ],
        )
    return told


KINDS = (EventKind.VIEWED, EventKind.PAID)


def _of(kind: EventKind, day: date, people: int, minor: int, _: int) -> dict[str, Any]:
    paid = kind is EventKind.PAID
    return {
        "day": day,
        "counted_by": CountedBy.ALL,
        "product_id": ALL,
        "value": "",
        "kind": kind,
        "test": paid,
        "currency": "EUR" if paid else "",
        "times": people,
        "visitors": people,
        "amount_minor": minor if paid else 0,
    }


@pytest.mark.parametrize("length", [30, 63, 100, 365, 434, 435, 600])
def test_each_step_has_what_was_counted_in_its_days(shop: Shop, length: int) -> None:
    told = counted(shop)

    found = read(shop, f"{length}d")

    for step in found.steps:
        days = [
            each for each in told if step.period.first <= each[0] <= step.period.last
        ]
        assert len(days) == step.period.length
        assert step.sums.visitors == step.sums.sold == sum(each[1] for each in days)
        assert step.sums.gross == sum(each[2] for each in days)
        assert step.sums.tax == sum(each[3] for each in days)
    assert sum(step.period.length for step in found.steps) == length
    before = told[length : 2 * length]
    assert found.gross.before == sum(each[2] for each in before)
    assert found.tax
    assert found.tax.before == sum(each[3] for each in before)
