"""What the counts of some days come to: the one source of every report."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from handsel.analytics import counting, months, open_days
from handsel.analytics.counting import ALL
from handsel.analytics.periods import Period
from handsel.analytics.units import Unit, first_day
from handsel.models import DayCount, DeletedProduct, EventDay, MonthCount, Product
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
        unit: by day, whether days are added up to weeks or months, which are called by
            their first day, also where it lies before the period.
    """

    period: Period
    by: By = By.NOTHING
    product_id: int | None = None
    test: bool = False
    unit: Unit = "day"


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
    names = _products(session) if wanted.by is By.PRODUCT else {}
    statements = _statements(
        wanted.by,
        of_one=wanted.product_id is not None,
        on_postgresql=_on_postgresql(session),
        unit=wanted.unit,
    )
    return _added_up(_rows(session, wanted, statements), names)


def side_by_side(
    session: Session, wanted: Wanted, ways: tuple[By, ...]
) -> dict[By, list[Tally]]:
    """Tell the same days apart in several ways, of all products: as `tally` of each, but
    every table is read once for all of them, and so are the events of an open day.

    For products, and what a day's counts are told apart by: source, country and so on.
    """
    found: dict[str, list[Any]] = {str(by): [] for by in ways}
    statements = _statements_of_several(ways, on_postgresql=_on_postgresql(session))
    for *row, by in _rows(session, wanted, statements):
        found[by].append(row)
    named = _products(session)
    return {by: _added_up(found[by], named if by is By.PRODUCT else {}) for by in ways}


def _on_postgresql(session: Session) -> bool:
    """Say whether days are told, and visitors counted quickest, the one way or the other."""
    return session.get_bind().dialect.name == "postgresql"


def _added_up(rows: Iterable[Any], names: Mapping[str, str]) -> list[Tally]:
    found: dict[tuple[str, EventKind, str], list[int]] = {}
    for row in rows:
        key, kind, currency, times, visitors, amount_minor = row
        named = names.get(key, "") if names else str(key)
        sums = found.setdefault((named, EventKind(kind), currency), [0, 0, 0])
        sums[0] += int(times)
        sums[1] += int(visitors)
        sums[2] += int(amount_minor)
    return [Tally(*key, *sums) for key, sums in found.items()]


def _rows(session: Session, wanted: Wanted, statements: "Statements") -> Iterator[Any]:
    """Give the sums of months and days that are counted, and count those open now.

    The rows of a statement are fetched at once: one by one they take longer.
    """
    added_up, counted, open_day = statements
    said = {"product": wanted.product_id or ALL, "test": wanted.test}
    rest = [wanted.period]
    if added_up is not None and wanted.period.length >= SHORT:
        whole, rest = months.within(session, wanted.period)
        yield from session.execute(added_up, said | {"months": whole}).all()
    for days in rest:
        within = {"first": days.first, "last": days.last}
        yield from session.execute(counted, said | within).all()
    for day in open_days.within(session, wanted.period):
        yield from session.execute(open_day, said | {"day": day}).all()


SHORT = 60
"""Days below which it is not worth looking for whole months."""
Query = Select[Any] | CompoundSelect[Any]
Statements = tuple[Query | None, Query, Query]


@cache
def _statements(
    by: By, *, of_one: bool, on_postgresql: bool, unit: Unit = "day"
) -> Statements:
    """Give what adds up months, and days that are counted, and what counts one that is
    open. What tells days apart has no use for months.

    Made once: to put them together takes longer than to run them.
    """
    first, last = (bindparam(name, type_=Date()) for name in ("first", "last"))
    within = EventDay.day.between(first, last)
    day_of = partial(first_day, unit=unit, on_postgresql=on_postgresql)
    counted = _sums(DayCount, by, day_of, of_one=of_one).where(
        DayCount.day.between(first, last),
        DayCount.day.in_(select(EventDay.day).where(within, EventDay.counted)),
        DayCount.counted_by == _counted_by(by),
    )
    day = counting.counts(
        bindparam("day", type_=Date()),
        _counted_by(by),
        each_product=by is By.PRODUCT or of_one,
        in_steps=on_postgresql,
    )
    open_day = _sums(day.subquery().c, by, day_of, of_one=of_one)
    if by is By.DAY:
        return None, counted, open_day
    added_up = _sums(MonthCount, by, day_of, of_one=of_one).where(
        MonthCount.month.in_(bindparam("months", expanding=True)),
        MonthCount.counted_by == _counted_by(by),
    )
    return added_up, counted, open_day


@cache
def _statements_of_several(ways: tuple[By, ...], *, on_postgresql: bool) -> Statements:
    """Give the same statements as `_statements`, each in several ways at once: the last
    column names the way. The events of an open day are looked up once for all.
    """
    added_up, counted, _ = zip(
        *(_statements(by, of_one=False, on_postgresql=on_postgresql) for by in ways),
        strict=True,
    )
    told = counting.events_told(
        bindparam("day", type_=Date()),
        *(_counted_by(by) for by in ways if by is not By.PRODUCT),
    ).cte("told")
    open_day = [_open_one_way(told.c, by, on_postgresql=on_postgresql) for by in ways]
    return _in_one(ways, added_up), _in_one(ways, counted), _in_one(ways, open_day)


def _in_one(ways: Iterable[By], queries: Iterable[Select[Any]]) -> CompoundSelect[Any]:
    named = zip(ways, queries, strict=True)
    return union_all(*(one.add_columns(literal(str(by))) for by, one in named))


def _open_one_way(told: Any, by: By, *, on_postgresql: bool) -> Select[Any]:
    each = by is By.PRODUCT
    value = told.product_id if each else told[str(by)]
    key = cast(value, String) if each else _plain(value)
    return counting.added_up(
        told,
        *(key.label("key"), _plain(told.kind).label("kind"), told.currency),
        where=_of_this_kind(told) & value.is_not(None),
        in_steps=on_postgresql,
    )


def _plain(column: Any) -> Any:
    """Read a column as plain text.

    To make words and days of ten thousand rows takes longer than to read them, and they
    are added up to a few.
    """
    return type_coerce(column, String)


def _of_this_kind(counts: Any) -> ColumnElement[bool]:
    """Choose test purchases or the others; who only looks does neither."""
    of_no_order = counts.kind.in_((EventKind.VIEWED, EventKind.CLICKED, EventKind.READ))
    chosen: ColumnElement[bool] = of_no_order | (
        counts.test == bindparam("test", type_=Boolean())
    )
    return chosen


def _sums(
    counts: Any, by: By, day_of: Callable[[Any], Any], *, of_one: bool
) -> Select[Any]:
    """Add up counts: the columns of DayCount, wherever they come from."""
    key = day_of(counts.day) if by is By.DAY else _key(counts, by)
    of = counts.product_id == bindparam("product")
    if by is By.PRODUCT and not of_one:
        of = counts.product_id != ALL
    query = select(
        _plain(key).label("key"),
        _plain(counts.kind).label("kind"),
        counts.currency,
        *(func.sum(getattr(counts, name)).label(name) for name in counting.SUMS),
    ).where(of, _of_this_kind(counts))
    if by is not By.NOTHING:
        query = query.group_by(key)
    return query.group_by(counts.kind, counts.currency)


def _key(counts: Any, by: By) -> Any:
    if by is By.NOTHING:
        return literal("")
    # As text, for it stands in one column with those of other ways.
    number = cast(counts.product_id, String)
    return number if by is By.PRODUCT else counts.value


def _counted_by(by: By) -> CountedBy:
    known: Sequence[str] = [each.value for each in CountedBy]
    return CountedBy(by.value) if by.value in known else CountedBy.ALL


def _products(session: Session) -> dict[str, str]:
    rows = session.execute(select(Product.id, Product.slug))
    gone = session.execute(select(DeletedProduct.id, DeletedProduct.slug))
    names = {str(row.id): row.slug for row in rows}
    return names | {str(row.id): f"{row.slug} (deleted)" for row in gone}
