"""Counting days that are over, so that a report of a year reads a few thousand rows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    case,
    delete,
    distinct,
    func,
    insert,
    literal,
    literal_column,
    select,
    true,
    union,
    update,
)
from sqlalchemy.orm import Session

from handsel.analytics import taxes, visitors
from handsel.models import DayCount, Event, EventDay, OrderVisit, Source
from handsel.models.database import Database, rows_changed
from handsel.models.words import CountedBy, EventKind

ALL = 0
"""The product of a count that is of all of them."""
SUMS = ("times", "visitors", "amount_minor")
"""What is counted."""


def count(database: Database, today: date, *, most: int = 20) -> int:
    """Count days that are over and not counted yet, newest first; give how many.

    Safe to repeat, and for several at once. Counting is reading: nobody who buys waits
    for more than the writing of its result.
    """
    with database.reading() as session:
        wanted = (~EventDay.counted, ~EventDay.forgotten, EventDay.day < today)
        newest = select(EventDay.day).where(*wanted).order_by(EventDay.day.desc())
        days = session.scalars(newest.limit(most)).all()
    return sum(_count(database, day) for day in days)


def _count(database: Database, day: date) -> bool:
    """Count one day; say whether it stands, which it does if no event came meanwhile."""
    last = select(func.max(Event.id)).where(Event.day == day)
    with database.reading() as session:
        before = session.scalar(last)
        queries = [
            counts(day, by, each_product=each)
            for by in CountedBy
            for each in (False, True)
        ]
        rows = [
            dict(row) for each in queries for row in session.execute(each).mappings()
        ]
        taxed = taxes.count(session, day)
    held = update(EventDay).where(EventDay.day == day, ~EventDay.counted)
    with database.transaction() as session:
        # Whoever writes events of the day holds its row: after them the last is final.
        open_still = rows_changed(session, held.values(counted=False))
        if not open_still or session.scalar(last) != before:
            return False
        session.execute(delete(DayCount).where(DayCount.day == day))
        if rows:
            session.execute(insert(DayCount), rows)
        taxes.keep(session, day, taxed)
        session.execute(held.values(counted=True))
    return True


def counts(
    day: date | ColumnElement[date],
    counted_by: CountedBy,
    *,
    each_product: bool,
    in_steps: bool = False,
) -> Select[Any]:
    """Give the query that counts a day: of all products together, or of each.

    Its columns are those of DayCount. Whoever came from several places on one day counts
    where they first came from, so that nobody is counted twice. `in_steps`: see
    `added_up`.
    """
    day = literal(day) if isinstance(day, date) else day
    told = events_told(day, counted_by).subquery().c
    value = told[counted_by.value].label("value")
    key = (value, told.kind, told.test, told.currency)
    if each_product:
        known = told.product_id.is_not(None)
        added = added_up(told, *key, told.product_id, where=known, in_steps=in_steps)
    else:
        added = added_up(told, *key, where=true(), in_steps=in_steps)
    each = added.subquery().c
    return select(
        day.label("day"),
        literal(counted_by.value).label("counted_by"),
        (each.product_id if each_product else literal(ALL)).label("product_id"),
        *(each[name] for name in ("value", "kind", "test", "currency", *SUMS)),
    )


def added_up(
    told: Any, *key: Any, where: ColumnElement[bool], in_steps: bool
) -> Select[Any]:
    """Add up events by a key: how many, of how many visitors, and their amounts.

    `in_steps`: first of each visitor, then of all. PostgreSQL sorts whatever it counts
    the different ones of, and takes half as long in steps; SQLite twice as long.
    """
    if in_steps:
        return _added_up_in_steps(told, key, where)
    different = func.count(distinct(told.visitor))
    sums = _named(func.count(), different, func.sum(told.amount_minor))
    return select(*key, *sums).where(where).group_by(*key)


def _added_up_in_steps(
    told: Any, key: Sequence[Any], where: ColumnElement[bool]
) -> Select[Any]:
    each = (
        select(*key, told.visitor, func.count(), func.sum(told.amount_minor))
        .where(where)
        .group_by(*key, told.visitor)
        .subquery()
    )
    *named, visitor, times, amount_minor = each.c
    sums = _named(func.sum(times), func.count(visitor), func.sum(amount_minor))
    return select(*named, *sums).group_by(*named)


def _named(*sums: ColumnElement[Any]) -> list[Any]:
    return [one.label(name) for one, name in zip(sums, SUMS, strict=True)]


def events_told(day: ColumnElement[date], *ways: CountedBy) -> Select[Any]:
    """Give the events of a day, each with the values that it counts for, by their names.

    What belongs to an order has the order's own. All else has that of the first event of
    its visitor, rather one that came from somewhere.
    """
    values: dict[CountedBy, SQLColumnExpression[Any]] = {
        CountedBy.SOURCE: Source.name,
        CountedBy.MEDIUM: Source.medium,
        CountedBy.CAMPAIGN: Source.campaign,
        CountedBy.COUNTRY: Event.country,
        CountedBy.DEVICE: Event.device,
    }
    return (
        select(
            *(_first(values.get(each)).label(each.value) for each in ways),
            *(Event.product_id, Event.kind, Event.test, Event.currency),
            *(Event.visitor, Event.amount_minor),
        )
        .join(Source)
        .where(Event.day == day)
    )


_NOWHERE: ColumnElement[str] = literal_column("''")
"""Written out: windows that differ in a parameter are sorted once for each of them."""


def _first(own: SQLColumnExpression[Any] | None) -> ColumnElement[Any]:
    if own is None:
        return literal("")
    first = func.first_value(own).over(
        partition_by=Event.visitor,
        order_by=(Source.name == _NOWHERE, Event.id),
    )
    known = Event.visitor.is_(None) | Event.order_id.is_not(None)
    return case((known, own), else_=first)


def forget(database: Database, today: date, keep_days: int) -> None:
    """Throw away what is older than it is kept, and the secrets of days before.

    What stays are the counts of a day, and its sales without their visitors: what goes
    back later is counted against them. A day at a time, so that nobody waits long.
    """
    before = today - timedelta(days=keep_days)
    old = (EventDay.counted, ~EventDay.forgotten, EventDay.day < before)
    with database.reading() as session:
        days = session.scalars(select(EventDay.day).where(*old)).all()
    for day in days:
        with database.transaction() as session:
            _forget(session, day)
    with database.transaction() as session:
        midnight = datetime.combine(before, time(), UTC)
        session.execute(delete(OrderVisit).where(OrderVisit.at < midnight))
        visitors.forget(session, today)
    if days:
        _forget_sources(database, midnight)


def _forget(session: Session, day: date) -> None:
    held = update(EventDay).where(EventDay.day == day)
    session.execute(held.values(forgotten=True))
    money = Event.kind.in_((EventKind.PAID, EventKind.REFUNDED))
    session.execute(delete(Event).where(Event.day == day, ~money))
    session.execute(update(Event).where(Event.day == day).values(visitor=None))


def _forget_sources(database: Database, before: datetime) -> None:
    """Forget the words of links by which nobody came any more."""
    used = union(select(Event.source_id), select(OrderVisit.source_id))
    with database.reading() as session:
        old = select(Source.id).where(Source.first_at < before, Source.id.not_in(used))
        found = session.scalars(old).all()
    for start in range(0, len(found), 500):
        with database.transaction() as session:
            some = found[start : start + 500]
            session.execute(delete(Source).where(Source.id.in_(some)))
