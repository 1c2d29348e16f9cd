"""What the counts of some days come to: the one source of every report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    Select,
    String,
    bindparam,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from handsel.analytics import counting, months
from handsel.analytics.counting import ALL
from handsel.analytics.periods import Period
from handsel.models import DayCount, EventDay, MonthCount, Product
from handsel.models.words import CountedBy, EventKind


class By(StrEnum):
    """What a report tells apart."""

    NOTHING = "nothing"
    DAY = "day"
    PRODUCT = "product"
    SOURCE = "source"
    MEDIUM = "medium"
    CAMPAIGN = "campaign"
    COUNTRY = "country"
    DEVICE = "device"


@dataclass(frozen=True)
class Wanted:
    """Of which days, which product (None: all), told apart by what.

    Args:
        test: count test purchases instead of the real ones.
    """

    period: Period
    by: By = By.NOTHING
    product_id: int | None = None
    test: bool = False


@dataclass(frozen=True)
class Tally:
    """How often one kind of event was: `times` events of `visitors` people.

    `key` is what the report tells apart: a day, a slug, a source; may be empty.
    """

    key: str
    kind: EventKind
    currency: str
    times: int
    visitors: int
    amount_minor: int


def tally(session: Session, wanted: Wanted) -> list[Tally]:
    """Add up the counts of the days that are counted, and count the others now."""
    found: dict[tuple[str, EventKind, str], list[int]] = {}
    names = _products(session) if wanted.by is By.PRODUCT else {}
    for row in _rows(session, wanted):
        key, kind, currency, times, visitors, amount_minor = row
        named = names.get(key, "") if names else str(key)
        sums = found.setdefault((named, EventKind(kind), currency), [0, 0, 0])
        sums[0] += int(times)
        sums[1] += int(visitors)
        sums[2] += int(amount_minor)
    return [Tally(*key, *sums) for key, sums in found.items()]


def _rows(session: Session, wanted: Wanted) -> Iterator[Any]:
    period = wanted.period
    added_up, counted, open_day = _statements(
        wanted.by, of_one=wanted.product_id is not None
    )
    said = {"product": wanted.product_id or ALL, "test": wanted.test}
    whole: Sequence[date] = []
    rest = [period]
    if added_up is not None and period.length >= SHORT:
        whole, rest = months.within(session, period)
        yield from session.execute(added_up, said | {"months": whole})
    for days in rest:
        within = {"first": days.first, "last": days.last}
        yield from session.execute(counted, said | within)
    days_within = EventDay.day.between(period.first, period.last)
    still_open = select(EventDay.day).where(days_within, ~EventDay.counted)
    for day in session.scalars(still_open).all():
        if day.replace(day=1) not in whole:
            yield from session.execute(open_day, said | {"day": day})


SHORT = 60
"""Days below which it is not worth looking for whole months."""
Statements = tuple[Select[Any] | None, Select[Any], Select[Any]]


@cache
def _statements(by: By, *, of_one: bool) -> Statements:
    """Give what adds up months, and days that are counted, and what counts one that is
    open. What tells days apart has no use for months.

    Made once: to put them together takes longer than to run them.
    """
    first, last = (bindparam(name, type_=Date()) for name in ("first", "last"))
    within = EventDay.day.between(first, last)
    counted = _sums(DayCount, by, of_one=of_one).where(
        DayCount.day.between(first, last),
        DayCount.day.in_(select(EventDay.day).where(within, EventDay.counted)),
        DayCount.counted_by == _counted_by(by),
    )
    day = counting.counts(
        bindparam("day", type_=Date()),
        _counted_by(by),
        each_product=by is By.PRODUCT or of_one,
    )
    open_day = _sums(day.subquery().c, by, of_one=of_one)
    if by is By.DAY:
        return None, counted, open_day
    added_up = _sums(MonthCount, by, of_one=of_one).where(
        MonthCount.month.in_(bindparam("months", expanding=True)),
        MonthCount.counted_by == _counted_by(by),
    )
    return added_up, counted, open_day


def _sums(counts: Any, by: By, *, of_one: bool) -> Select[Any]:
    """Add up counts: the columns of DayCount, wherever they come from."""
    key = _key(counts, by)
    of = counts.product_id == bindparam("product")
    if by is By.PRODUCT and not of_one:
        of = counts.product_id != ALL
    of_no_order = counts.kind.in_((EventKind.VIEWED, EventKind.CLICKED, EventKind.READ))
    # As plain text: to make words and days of ten thousand rows takes longer than to
    # read them, and they are added up to a few.
    query = select(
        type_coerce(key, String).label("key"),
        type_coerce(counts.kind, String).label("kind"),
        counts.currency,
        func.sum(counts.times).label("times"),
        func.sum(counts.visitors).label("visitors"),
        func.sum(counts.amount_minor).label("amount_minor"),
    ).where(of, of_no_order | (counts.test == bindparam("test", type_=Boolean())))
    if by is not By.NOTHING:
        query = query.group_by(key)
    return query.group_by(counts.kind, counts.currency)


def _key(counts: Any, by: By) -> Any:
    if by is By.NOTHING:
        return literal("")
    if by is By.DAY:
        return counts.day
    return counts.product_id if by is By.PRODUCT else counts.value


def _counted_by(by: By) -> CountedBy:
    known: Sequence[str] = [each.value for each in CountedBy]
    return CountedBy(by.value) if by.value in known else CountedBy.ALL


def _products(session: Session) -> dict[int, str]:
    rows = session.execute(select(Product.id, Product.slug))
    return {row.id: row.slug for row in rows}
