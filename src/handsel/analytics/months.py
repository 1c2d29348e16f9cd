"""Adding up the days of months that are over, so that a report of years reads little."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from handsel.analytics.periods import Period
from handsel.models import DayCount, EventDay, EventMonth, MonthCount
from handsel.models.database import Database, insert_new, rows_changed

_KEY = ("counted_by", "product_id", "value", "kind", "test", "currency")
_SUMS = ("times", "visitors", "amount_minor")


def count(database: Database, today: date) -> int:
    """Add up months that are over, and whose days are all counted; give how many.

    Safe to repeat, and for several at once. Adding up is reading: nobody who buys waits
    for more than the writing of its result.
    """
    with database.reading() as session:
        due = _due(session, today)
    return sum(_count(database, month) for month in due)


def _due(session: Session, today: date) -> list[date]:
    days = session.execute(
        select(EventDay.day, EventDay.counted).where(
            EventDay.day < today.replace(day=1)
        )
    ).all()
    still_open = {row.day.replace(day=1) for row in days if not row.counted}
    known = set(session.scalars(select(EventMonth.month).where(EventMonth.counted)))
    return sorted({row.day.replace(day=1) for row in days} - still_open - known)


def _count(database: Database, month: date) -> bool:
    """Add up one month; say whether it stands, which it does if no day was opened."""
    with database.transaction() as session:
        insert_new(session, EventMonth, month=month, counted=False, held=0)
    with database.reading() as session:
        found = select(EventMonth.held).where(EventMonth.month == month)
        held = session.scalars(found).one()
        days = of_month(month)
        within = EventDay.day.between(days.first, days.last)
        opened = session.scalar(
            select(EventDay.day).where(within, ~EventDay.counted).limit(1)
        )
        rows = [] if opened else _sums(session, month)
    if opened:
        return False
    with database.transaction() as session:
        # Whoever opens a day of it holds its row, and leaves another number there.
        same = (EventMonth.month == month, EventMonth.held == held)
        if not rows_changed(
            session, update(EventMonth).where(*same).values(counted=True)
        ):
            return False
        session.execute(delete(MonthCount).where(MonthCount.month == month))
        if rows:
            session.execute(insert(MonthCount), rows)
    return True


def _sums(session: Session, month: date) -> list[dict[str, Any]]:
    days = of_month(month)
    key = [getattr(DayCount, name) for name in _KEY]
    sums = [func.sum(getattr(DayCount, name)).label(name) for name in _SUMS]
    rows = session.execute(
        select(*key, *sums)
        .where(DayCount.day.between(days.first, days.last))
        .group_by(*key)
    )
    return [{"month": month, **_whole(row._mapping)} for row in rows]


def _whole(row: Any) -> dict[str, Any]:
    # PostgreSQL adds big integers up to decimals.
    return {name: row[name] for name in _KEY} | {name: int(row[name]) for name in _SUMS}


def of_month(month: date) -> Period:
    """Give the days of a month, by its first."""
    following = (month + timedelta(days=32)).replace(day=1)
    return Period(month, following - timedelta(days=1))


def within(session: Session, period: Period) -> tuple[Sequence[date], list[Period]]:
    """Give the months that are added up and lie wholly within, and the days between."""
    found = session.scalars(
        select(EventMonth.month)
        .where(
            EventMonth.counted,
            EventMonth.month >= period.first,
            EventMonth.month <= period.last,
        )
        .order_by(EventMonth.month)
    )
    months = [month for month in found if of_month(month).last <= period.last]
    rest, first = [], period.first
    for month in months:
        if first < month:
            rest.append(Period(first, month - timedelta(days=1)))
        first = of_month(month).last + timedelta(days=1)
    if first <= period.last:
        rest.append(Period(first, period.last))
    return months, rest
