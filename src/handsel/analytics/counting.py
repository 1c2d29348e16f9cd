"""Counting days that are over, so that a report of a year reads a few thousand rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    Select,
    SQLColumnExpression,
    Subquery,
    case,
    delete,
    distinct,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from handsel.analytics import visitors
from handsel.models import DayCount, Event, EventDay, OrderVisit, Source
from handsel.models.words import CountedBy

ALL = 0
"""The product of a count that is of all of them."""


def count(session: Session, today: date, *, most: int = 3) -> int:
    """Count days that are over and not counted yet, newest first; give how many.

    Safe to repeat, and for several at once.
    """
    days = session.scalars(
        select(EventDay.day)
        .where(~EventDay.counted, EventDay.day < today)
        .order_by(EventDay.day.desc())
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for day in days:
        _count(session, day)
    return len(days)


def _count(session: Session, day: date) -> None:
    session.execute(delete(DayCount).where(DayCount.day == day))
    columns = [column.name for column in DayCount.__table__.columns]
    for counted_by in CountedBy:
        for query in counts(day, counted_by):
            session.execute(insert(DayCount).from_select(columns, query))
    session.execute(update(EventDay).where(EventDay.day == day).values(counted=True))


def counts(day: date, counted_by: CountedBy) -> Iterator[Select[Any]]:
    """Give the queries that count a day: of all products together, and of each.

    Their columns are those of DayCount. Whoever came from several places on one day
    counts where they first came from, so that nobody is counted twice.
    """
    yield _counts(day, counted_by, None)
    yield _counts(day, counted_by, Event.product_id)


def _counts(
    day: date, counted_by: CountedBy, product: SQLColumnExpression[Any] | None
) -> Select[Any]:
    first = _first(day)
    values: dict[CountedBy, SQLColumnExpression[Any]] = {
        CountedBy.SOURCE: Source.name,
        CountedBy.MEDIUM: Source.medium,
        CountedBy.CAMPAIGN: Source.campaign,
        CountedBy.COUNTRY: func.coalesce(first.c.country, Event.country),
        CountedBy.DEVICE: func.coalesce(first.c.device, Event.device),
    }
    value = values.get(counted_by)
    query = select(
        literal(day).label("day"),
        literal(counted_by.value).label("counted_by"),
        (literal(ALL) if product is None else product).label("product_id"),
        (literal("") if value is None else value).label("value"),
        Event.kind,
        Event.test,
        Event.currency,
        func.count().label("times"),
        func.count(distinct(Event.visitor)).label("visitors"),
        func.sum(Event.amount_minor).label("amount_minor"),
    ).where(Event.day == day)
    if product is not None:
        query = query.where(product.is_not(None)).group_by(product)
    if value is not None:
        query = (
            query.outerjoin(first, first.c.visitor == Event.visitor)
            .join(
                Source, Source.id == func.coalesce(first.c.source_id, Event.source_id)
            )
            .group_by(value)
        )
    return query.group_by(Event.kind, Event.test, Event.currency)


def _first(day: date) -> Subquery:
    """Give where each visitor of a day came from first, rather than from nowhere."""
    place = func.row_number().over(
        partition_by=Event.visitor,
        order_by=(case((Source.name == "", 1), else_=0), Event.id),
    )
    visits = (
        select(
            Event.visitor,
            Event.source_id,
            Event.country,
            Event.device,
            place.label("place"),
        )
        .join(Source)
        .where(Event.day == day, Event.visitor.is_not(None))
        .subquery()
    )
    return select(visits).where(visits.c.place == 1).subquery()


def forget(session: Session, today: date, keep_days: int) -> None:
    """Throw away what is older than it is kept, and the secrets of days before.

    A day's counts stay; they are counted first, a few days a time.
    """
    before = today - timedelta(days=keep_days)
    midnight = datetime.combine(before, time(), UTC)
    old = (EventDay.counted, ~EventDay.forgotten, EventDay.day < before)
    for day in session.scalars(select(EventDay.day).where(*old)).all():
        session.execute(
            update(EventDay).where(EventDay.day == day).values(forgotten=True)
        )
        session.execute(delete(Event).where(Event.day == day))
    session.execute(delete(OrderVisit).where(OrderVisit.at < midnight))
    visitors.forget(session, today)
