"""The tax of a day: the same as in the report for the tax office, kept or counted now."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from handsel.analytics import counting, taxes
from handsel.analytics.periods import Period
from handsel.analytics.units import Unit, called
from handsel.models import DayTax, EventDay, Invoice, Order
from handsel.ops import bookkeeping
from handsel.ops.desk import figures
from handsel.ops.desk.figures import Asked
from handsel.sales import tax_report
from handsel.sales.tax_report import Span
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ops import keeping
from tests.stories.buyers import with_settings
from tests.stories.giving_back import give_back
from tests.stories.visiting import settle


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """A shop in which a fifth of the price is tax."""
    taxed = with_settings(shop, "tax", mode="flat", rate="20")
    make.product(taxed)
    return taxed


def kept(shop: Shop) -> int:
    """Count the days whose tax is kept."""
    with shop.reading() as session:
        return len(session.scalars(select(DayTax.day)).all())


def by_day(shop: Shop) -> dict[str, int]:
    """Give the tax of the last week, by day."""
    today = shop.now().date()
    with shop.reading() as session:
        period = Period(today - timedelta(days=6), today)
        found = taxes.by_day(session, period, test=True)
        together = taxes.total(session, period, test=True)
    assert together == ({"EUR": sum(found.values())} if found else {})
    return {day: minor for (day, _), minor in found.items()}


@pytest.mark.parametrize("unit", ["week", "month"])
def test_weeks_and_months_have_the_tax_of_their_days(
    shop: Shop, clock: Clock, unit: Unit
) -> None:
    """From a Monday on over the end of a week, of a month, and into a day still open."""
    period = Period(shop.now().date(), shop.now().date() + timedelta(days=10))
    for days in (6, 1, 3):
        keeping.buy(shop)
        settle(shop)
        clock.move(days=days)
        counting.count(shop.database, shop.now().date())
    keeping.buy(shop)
    settle(shop)

    with shop.reading() as session:
        each = taxes.by_day(session, period, test=True)
        found = taxes.by_day(session, period, test=True, unit=unit)

    assert len(each) == 4
    sums: dict[tuple[str, str], int] = {}
    for (day, currency), minor in each.items():
        key = called(date.fromisoformat(day), unit), currency
        sums[key] = sums.get(key, 0) + minor
    assert len(sums) == 2
    assert found == sums


def reported(shop: Shop) -> int:
    """Give what the report for the tax office adds up to."""
    with shop.reading() as session:
        rows = tax_report.by_country(session, Span(test=True))
    return sum(int(row["tax_minor"]) for row in rows)


def test_a_day_has_the_same_tax_when_it_is_open_and_when_it_is_over(
    shop: Shop, clock: Clock
) -> None:
    first = shop.now().date().isoformat()
    keeping.buy(shop, 2)
    settle(shop)
    assert by_day(shop) == {first: 500}
    assert kept(shop) == 0

    clock.move(days=1)
    second = shop.now().date().isoformat()
    give_back(shop, "6")
    settle(shop)
    counting.count(shop.database, shop.now().date())

    assert kept(shop) == 1
    assert by_day(shop) == {first: 500, second: -100}
    assert sum(by_day(shop).values()) == reported(shop)


def test_the_home_page_shows_it_apart_and_not_at_all_where_there_is_none(
    shop: Shop,
) -> None:
    today = shop.now().date()
    asked = Asked(Period(today, today), "EUR", test=True)
    keeping.buy(shop)
    settle(shop)
    with shop.reading() as session:
        found = figures.read(session, asked, today)
        none = figures.read(session, Asked(Period(today, today), "EUR"), today)

    assert found.tax
    assert (found.tax.now, found.gross.now) == (250, 1500)
    assert none.tax is None


def test_a_paper_that_comes_late_is_added_to_its_own_day(
    shop: Shop, clock: Clock
) -> None:
    day = shop.now().date().isoformat()
    keeping.buy(shop)
    with shop.transaction() as session:
        session.execute(delete(Invoice))
    settle(shop)
    clock.move(days=3)
    counting.count(shop.database, shop.now().date())
    assert by_day(shop) == {}

    bookkeeping.issue_missing(shop)
    assert taxes.amend(shop.database, shop.now().date()) == 1
    assert taxes.amend(shop.database, shop.now().date()) == 0

    assert by_day(shop) == {day: 250}


def test_also_when_the_visits_of_that_day_are_forgotten(
    shop: Shop, clock: Clock
) -> None:
    keeping.buy(shop)
    with shop.transaction() as session:
        session.execute(delete(Invoice))
    settle(shop)
    clock.move(days=3)
    counting.count(shop.database, shop.now().date())
    with shop.transaction() as session:
        session.execute(update(EventDay).values(forgotten=True))

    bookkeeping.issue_missing(shop)
    taxes.amend(shop.database, shop.now().date())

    assert sum(by_day(shop).values()) == 250


def test_money_that_is_heard_of_late_opens_its_day_again(
    shop: Shop, clock: Clock
) -> None:
    keeping.buy(shop)
    settle(shop)
    clock.move(days=2)
    counting.count(shop.database, shop.now().date())
    before = by_day(shop)

    clock.move(days=-2)
    keeping.buy(shop)
    clock.move(days=2)
    settle(shop)

    assert sum(by_day(shop).values()) == 2 * sum(before.values())
    with shop.reading() as session:
        assert len(session.scalars(select(Order.id)).all()) == 2
