"""Months that are over are added up: the same numbers, out of fewer rows."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, select, update

from handsel.analytics import counting, events, money, months
from handsel.analytics.periods import Period
from handsel.analytics.reports.tallies import By, Tally, Wanted, tally
from handsel.models import EventMonth, MonthCount
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.stories.buyers import buy
from tests.stories.giving_back import give_back
from tests.stories.visiting import Reader, seen, settle

LONG = Period(date(2026, 10, 20), date(2027, 1, 5))
SHIFTED = Period(date(2026, 11, 2), date(2027, 1, 5))
"""Without the first day of November."""


@pytest.fixture
def past(shop: Shop, clock: Clock) -> Shop:
    """A shop with sales at the beginning and the end of November, and in December; all of
    its days are counted, and no month is added up."""
    make.product(shop)
    reader = Reader(shop)
    for month, day in ((11, 1), (11, 30), (12, 3)):
        clock.time = datetime(2026, month, day, 12, tzinfo=UTC)
        reader.get("/p/book?utm_source=newsletter")
        buy(reader)
        seen(reader)
    clock.time = datetime(2027, 1, 2, 12, tzinfo=UTC)
    reader.close()
    settle(shop)
    counting.count(shop.database, shop.now().date(), most=100)
    with shop.transaction() as session:
        session.execute(delete(EventMonth))
        session.execute(delete(MonthCount))
    return shop


def told(shop: Shop, period: Period = LONG) -> dict[By, list[Tally]]:
    """Give what every report is made of."""
    with shop.reading() as session:
        return {
            by: sorted(tally(session, Wanted(period, by, test=True)), key=str)
            for by in By
        }


def by_days(shop: Shop, period: Period = LONG) -> dict[By, list[Tally]]:
    """The same out of days alone."""
    stand = added_up(shop)
    with shop.transaction() as session:
        session.execute(update(EventMonth).values(counted=False))
    found = told(shop, period)
    with shop.transaction() as session:
        again = update(EventMonth).where(EventMonth.month.in_(stand))
        session.execute(again.values(counted=True))
    return found


def added_up(shop: Shop) -> list[date]:
    """Give the months that stand."""
    found = select(EventMonth.month).where(EventMonth.counted)
    with shop.reading() as session:
        return list(session.scalars(found.order_by(EventMonth.month)))


def test_reports_say_the_same_out_of_months_and_out_of_days(past: Shop) -> None:
    assert months.count(past.database, past.now().date()) == 2
    assert months.count(past.database, past.now().date()) == 0

    assert added_up(past) == [date(2026, 11, 1), date(2026, 12, 1)]
    for period in (LONG, SHIFTED):
        assert told(past, period) == by_days(past, period)
    with past.reading() as session:
        sold = sum(
            row.times
            for row in session.scalars(select(MonthCount))
            if (row.counted_by, row.product_id, row.kind) == ("all", 0, "paid")
        )
    assert sold == 3


def test_the_month_that_goes_on_is_not_added_up(past: Shop, clock: Clock) -> None:
    clock.time = datetime(2026, 12, 31, 23, tzinfo=UTC)

    assert months.count(past.database, past.now().date()) == 1
    assert added_up(past) == [date(2026, 11, 1)]


def test_what_comes_late_opens_its_month_until_it_is_counted_again(
    past: Shop, clock: Clock
) -> None:
    months.count(past.database, past.now().date())
    now, clock.time = clock.time, datetime(2026, 11, 5, 12, tzinfo=UTC)
    give_back(past, "5")
    clock.time = now
    with past.transaction() as session:
        money.follow(session)

    assert added_up(past) == [date(2026, 12, 1)]
    assert months.count(past.database, past.now().date()) == 0
    late = told(past)
    assert any(each.amount_minor == -500 for each in late[By.NOTHING])

    counting.count(past.database, past.now().date())
    assert months.count(past.database, past.now().date()) == 1
    assert told(past) == by_days(past) == late


def test_who_opens_a_day_leaves_a_mark_on_its_month(past: Shop) -> None:
    """By which one who is adding it up sees that it was opened meanwhile."""
    months.count(past.database, past.now().date())

    def held() -> int:
        with past.reading() as session:
            found = select(EventMonth.held).where(EventMonth.month == date(2026, 11, 1))
            return session.scalars(found).one()

    before = held()
    with past.transaction() as session:
        events.hold_days(session, {date(2026, 11, 1), date(2026, 11, 30)})

    assert held() == before + 1
    assert added_up(past) == [date(2026, 12, 1)]
