"""The tax in the papers of each day: kept for days that are over, as their visits are.

Papers are never changed, and one may be issued long after its money moved: so the days of
those that were issued late are looked at again.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    Select,
    String,
    case,
    delete,
    func,
    insert,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from handsel.analytics import open_days
from handsel.analytics.periods import Period
from handsel.analytics.units import Unit, called, first_day
from handsel.models import DayTax, EventDay, Invoice
from handsel.models.database import Database
from handsel.models.words import PaperKind

LOOK_BACK = timedelta(days=7)
"""How long papers that came late are looked for; the worker is never away for longer
without leaving those days uncounted, too."""
_SIGN = case((Invoice.kind == PaperKind.CREDIT_NOTE, -1), else_=1)


def by_day(
    session: Session, period: Period, *, test: bool, unit: Unit = "day"
) -> dict[tuple[str, str], int]:
    """Give the tax of days, or of weeks or months, by its first day (`2026-11-27`) and
    currency."""
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    key = first_day(DayTax.day, unit, on_postgresql=on_postgresql)
    columns = (type_coerce(key, String), DayTax.currency)
    kept = _kept(period, *columns, func.sum(DayTax.tax_minor), test=test)
    rows = session.execute(kept.group_by(*columns))
    found = {(str(day), of): int(minor) for day, of, minor in rows}
    for day, currency, minor in _open_now(session, period, test=test):
        named = called(day, unit), currency
        found[named] = found.get(named, 0) + minor
    return found


def total(session: Session, period: Period, *, test: bool) -> dict[str, int]:
    """Give the tax of all days together, by currency."""
    kept = _kept(period, DayTax.currency, func.sum(DayTax.tax_minor), test=test)
    rows = session.execute(kept.group_by(DayTax.currency))
    found = {currency: int(minor) for currency, minor in rows}
    for _, currency, minor in _open_now(session, period, test=test):
        found[currency] = found.get(currency, 0) + minor
    return found


def _kept(period: Period, *columns: Any, test: bool) -> Select[Any]:
    within = EventDay.day.between(period.first, period.last)
    return select(*columns).where(
        DayTax.day.between(period.first, period.last),
        DayTax.day.in_(select(EventDay.day).where(within, EventDay.counted)),
        DayTax.test == test,
    )


def _open_now(
    session: Session, period: Period, *, test: bool
) -> Iterator[tuple[date, str, int]]:
    """Count the papers of days that are not over, or not counted yet."""
    for day in open_days.within(session, period):
        for each in count(session, day):
            if each["test"] == test:
                yield day, each["currency"], each["tax_minor"]


def count(session: Session, day: date) -> list[dict[str, Any]]:
    """Add up the papers of a day, as the columns of DayTax."""
    begin = datetime.combine(day, time(), UTC)
    rows = session.execute(
        select(
            Invoice.test,
            Invoice.currency,
            func.count().label("papers"),
            func.sum(_SIGN * Invoice.tax_minor).label("tax"),
        )
        .where(Invoice.supplied_at >= begin, Invoice.supplied_at < begin + _DAY)
        .group_by(Invoice.test, Invoice.currency)
        .order_by(Invoice.test, Invoice.currency)
    )
    return [
        {
            "day": day,
            "test": row.test,
            "currency": row.currency,
            "papers": row.papers,
            "tax_minor": int(row.tax),
        }
        for row in rows
    ]


_DAY = timedelta(days=1)


def keep(session: Session, day: date, counts: Sequence[dict[str, Any]]) -> None:
    """Write down what a day's papers come to, instead of what stood there."""
    session.execute(delete(DayTax).where(DayTax.day == day))
    if counts:
        session.execute(insert(DayTax), counts)


def amend(database: Database, today: date) -> int:
    """Add the papers that were issued after their day had been counted; give of how many
    days. Safe to repeat."""
    with database.reading() as session:
        late = [day for day in _late(session, today) if _differs(session, day)]
    for day in late:
        with database.transaction() as session:
            keep(session, day, count(session, day))
    return len(late)


def _late(session: Session, today: date) -> list[date]:
    """Give the days, counted ones, of papers that were issued on a later day."""
    days: set[date] = set()
    midnight = datetime.combine(today, time(), UTC)
    for number in range(LOOK_BACK.days):
        begin = midnight - number * _DAY
        late = select(Invoice.supplied_at).where(
            Invoice.issued_at >= begin,
            Invoice.issued_at < begin + _DAY,
            Invoice.supplied_at < begin,
        )
        days |= {moment.date() for moment in session.scalars(late)}
    counted = select(EventDay.day).where(EventDay.counted)
    return sorted(days & set(session.scalars(counted)))


def _differs(session: Session, day: date) -> bool:
    kept = session.execute(
        select(DayTax.test, DayTax.currency, DayTax.papers, DayTax.tax_minor)
        .where(DayTax.day == day)
        .order_by(DayTax.test, DayTax.currency)
    )
    names = ("test", "currency", "papers", "tax_minor")
    now = [tuple(each[name] for name in names) for each in count(session, day)]
    return [tuple(row) for row in kept] != now
