"""`handsel report funnel|sales|sources`: what visits come to, on the command line."""

import csv
import io
from collections.abc import Iterator

import pytest

from handsel.kit.errors import NotFoundError
from handsel.kit.money import Money
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, run
from tests.ground.shops import Clock
from tests.stories.buyers import buy, download
from tests.stories.giving_back import give_back
from tests.stories.visiting import PHONE, Reader, seen


@pytest.fixture
def visited(shop: Shop, clock: Clock) -> Iterator[Shop]:
    """A shop with two days of visits: one buys from a newsletter, three only look."""
    make.product(shop)
    make.product(shop, slug="maps", name="Maps", price=Money(900, "USD"))
    reader = Reader(shop)
    clock.move(days=-1)
    for address in ("198.51.100.1", "198.51.100.2"):
        Reader(shop, address=address, of=reader).get("/p/book")
    seen(reader)
    clock.move(days=1)
    Reader(shop, agent=PHONE, of=reader).get("/p/maps")
    reader.get("/p/book?utm_source=newsletter")
    download(reader, buy(reader))
    seen(reader)
    give_back(shop, "5")
    seen(reader)
    yield shop
    reader.close()


def test_the_funnel_is_drawn_and_told_to_programs(visited: Shop) -> None:
    said = run(visited, "report", "funnel").output
    told = facts(visited, "report", "funnel", "--by", "product")

    assert "test purchases" in said
    assert _row(said, "looked at a page") == ["4", "100.0", "%", "█" * 24]
    assert _row(said, "pressed Buy") == ["1", "25.0", "%", "█" * 6]
    assert isinstance(told, dict)
    assert [(row["key"], row["stages"][0]["count"]) for row in told["rows"]] == [
        ("book", 3),
        ("maps", 1),
    ]
    assert told["rows"][0]["stages"][3] == {
        "stage": "paid",
        "count": 1,
        "of_first_bp": 3333,
        "of_before_bp": 10000,
    }


def test_sales_are_added_up_and_drawn_by_the_day(visited: Shop) -> None:
    said = run(visited, "report", "sales").output
    told = facts(visited, "report", "sales", "--period", "today")

    assert "€15.00" in said
    assert "€10.00" in said
    assert "▁▁▁█" in said
    assert isinstance(told, dict)
    assert told["rows"] == [
        {
            "key": "",
            "currency": "EUR",
            "orders": 1,
            "gross_minor": 1500,
            "refunds": 1,
            "refunded_minor": 500,
            "net_minor": 1000,
            "average_minor": 1500,
        }
    ]


def test_sources_say_what_a_visitor_is_worth(visited: Shop) -> None:
    said = run(visited, "report", "sources").output
    sheet = run(visited, "report", "sources", "--csv").output

    assert _row(said, "newsletter") == ["1", "1", "100.0", "%", "€10.00", "€10.00"]
    assert _row(said, "(came by themselves)")[:2] == ["3", "0"]
    rows = list(csv.DictReader(io.StringIO(sheet)))
    assert [(row["key"], row["net"], row["currency"]) for row in rows] == [
        ("newsletter", "10.00", "EUR"),
        ("", "", ""),
    ]


def test_an_order_says_where_it_came_from_and_what_was_done(visited: Shop) -> None:
    said = run(visited, "order", "show", "H-1001").output
    told = facts(visited, "order", "show", "H-1001")

    assert "source newsletter, computer" in said
    assert "{" not in said
    assert isinstance(told, dict)
    assert told["visit"]["source"] == "newsletter"
    assert {event["kind"] for event in told["visit"]["events"]} == {
        *("started", "paid", "opened", "downloaded", "refunded"),
    }


@pytest.mark.parametrize("report", ["funnel", "sales", "sources"])
def test_every_report_is_told_apart_by_everything(visited: Shop, report: str) -> None:
    for by in ("day", "product", "source", "medium", "campaign", "country", "device"):
        assert run(visited, "report", report, "--by", by).exit_code == 0
        assert run(visited, "report", report, "--by", by, "--csv").exit_code == 0
    one = facts(visited, "report", report, "--product", "maps")
    assert isinstance(one, dict)
    assert "1500" not in str(one["rows"])


def test_a_time_without_visits_says_so(visited: Shop) -> None:
    for report in ("sales", "sources"):
        said = run(visited, "report", report, "--period", "2020").output
        assert "Nothing was counted" in said
    assert _row(
        run(visited, "report", "funnel", "--period", "2020").output, "paid"
    ) == ["0"]


@pytest.mark.parametrize(
    "period", ["", "0d", "x", "2026-13", "2026-Q5", "2..1", "9999d9"]
)
def test_what_is_no_period_is_said_with_what_would_be_one(
    visited: Shop, period: str
) -> None:
    answer = run(visited, "report", "sales", "--period", period)

    assert answer.exit_code == 2
    assert "2026-Q4" in answer.output


def test_two_answers_and_a_product_that_is_none_are_refused(visited: Shop) -> None:
    assert run(visited, "report", "funnel", "--csv", "--json").exit_code == 1
    unknown = run(visited, "report", "funnel", "--product", "never")
    assert isinstance(unknown.exception, NotFoundError)


def _row(said: str, name: str) -> list[str]:
    (line,) = [each for each in said.splitlines() if each.startswith(name)]
    return line.removeprefix(name).split()
