"""What a time has brought, beside the time before it: the figures of the home page.

They are those of `handsel report sales|funnel|sources|tax`, out of the same counts: one
reading of the days gives every figure, its steps and the funnel. Money is always of one
currency; of the others it is only said that they are there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.analytics import taxes
from handsel.analytics.periods import FIRST, Period
from handsel.analytics.reports.funnel import among_bp, part_bp, stages
from handsel.analytics.reports.sales import worth
from handsel.analytics.reports.tallies import (
    By,
    Tally,
    Wanted,
    side_by_side,
    tally,
)
from handsel.analytics.units import called
from handsel.models import EventDay, Product
from handsel.models.words import EventKind
from handsel.ops.desk.steps import name_of, steps

MOST = 6
"""Rows of a list of what sells best, or comes from where."""
LISTS = {
    "products": By.PRODUCT,
    "sources": By.SOURCE,
    "countries": By.COUNTRY,
    "devices": By.DEVICE,
}
"""What is told apart beside the figures, by its name in `Figures`."""


@dataclass(frozen=True)
class Asked:
    """What the page is asked for.

    Args:
        currency: None for the one that most was sold in.
        usual: the shop's own, where nothing was sold.
        test: test purchases instead of the real ones.
    """

    period: Period
    usual: str
    currency: str | None = None
    test: bool = False


@dataclass(frozen=True)
class Figure:
    """One number: of the period, of the one before, and of each of its steps.

    None where there is nothing that it could be a part of, and before anything was
    counted.
    """

    now: int | None
    before: int | None
    steps: tuple[int | None, ...]

    @property
    def change_bp(self) -> int | None:
        """By which part it has grown, in basis points; None of nothing."""
        if self.now is None or not self.before or self.before < 0:
            return None
        return round(10_000 * (self.now - self.before) / self.before)

    @property
    def moved(self) -> int | None:
        """By how much it has grown, in its own unit."""
        if self.now is None or self.before is None:
            return None
        return self.now - self.before


@dataclass
class Sums:
    """What some days come to; money and `sold` in one currency."""

    visitors: int = 0
    orders: int = 0
    """In any currency."""
    sold: int = 0
    gross: int = 0
    back: int = 0
    tax: int = 0
    """Within what was sold, less that of what went back, as the papers say."""

    def add(self, other: "Sums") -> None:
        """Add the sums of other days."""
        for name in ("visitors", "orders", "sold", "gross", "back", "tax"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def net(self) -> int:
        """What was sold, less what went back."""
        return self.gross - self.back

    @property
    def average(self) -> int | None:
        """Of an order."""
        return round(self.gross / self.sold) if self.sold else None

    @property
    def conversion_bp(self) -> int | None:
        """Orders by visitors; None where there are more orders."""
        return among_bp(self.orders, self.visitors)

    @property
    def refunded_bp(self) -> int | None:
        """What went back by what was sold."""
        return part_bp(self.back, self.gross)


@dataclass(frozen=True)
class Step:
    """One step of the chart."""

    period: Period
    sums: Sums


@dataclass(frozen=True)
class Line:
    """One product, source, country or kind of device. Money is of the one currency."""

    key: str
    visitors: int
    orders: int
    conversion_bp: int | None
    net_minor: int


@dataclass(frozen=True)
class Best:
    """The first lines of a list, and how many more there are."""

    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True)
class Figures:
    """All that a period has brought.

    Args:
        before: what it is compared with; None where nothing was counted before it.
        currencies: everything that was sold in, most orders first.
        tax: None where there was none.
        named: what products are called, by their slugs.
    """

    period: Period
    before: Period | None
    currency: str
    currencies: tuple[str, ...]
    test: bool
    total: Sums
    gross: Figure
    net: Figure
    orders: Figure
    visitors: Figure
    conversion: Figure
    average: Figure
    refunded: Figure
    tax: Figure | None
    steps: tuple[Step, ...]
    funnel: Sequence[dict[str, Any]]
    products: Best
    sources: Best
    countries: Best
    devices: Best
    named: dict[str, str] = field(default_factory=dict)


def read(session: Session, asked: Asked, today: date) -> Figures:
    """Read all figures of a period, which is cut off at both ends where nothing is."""
    first = session.scalar(select(func.min(EventDay.day)))
    period = _known(asked.period, first, today)
    before = period.before() if first and first < period.first else None
    unit = name_of(period.length)
    now = tally(session, Wanted(period, By.DAY, test=asked.test, unit=unit))
    known = _currencies(now)
    currency = asked.currency or next(iter(known), asked.usual)
    days = _days(now, currency)
    taxed = taxes.by_day(session, period, test=asked.test, unit=unit)
    _add_tax(days, taxed, currency)
    every = tuple(
        Step(each, days.get(called(each.first, unit), Sums())) for each in steps(period)
    )
    total = _together(every)
    earlier = _earlier(session, before, asked, currency) if before else None
    any_tax = any(taxed.values()) or bool(earlier and earlier.tax)

    def figure(of: Callable[[Sums], int | None]) -> Figure:
        of_before = of(earlier) if earlier else None
        return Figure(of(total), of_before, tuple(of(each.sums) for each in every))

    return Figures(
        period,
        before,
        currency,
        known,
        asked.test,
        total,
        gross=figure(lambda sums: sums.gross),
        net=figure(lambda sums: sums.net),
        orders=figure(lambda sums: sums.orders),
        visitors=figure(lambda sums: sums.visitors),
        conversion=figure(lambda sums: sums.conversion_bp),
        average=figure(lambda sums: sums.average),
        refunded=figure(lambda sums: sums.refunded_bp),
        tax=figure(lambda sums: sums.tax) if any_tax else None,
        steps=every,
        funnel=stages(now),
        **_lists(session, Wanted(period, test=asked.test), currency),
        named=_names(session),
    )


def _together(steps: Iterable[Step]) -> Sums:
    total = Sums()
    for step in steps:
        total.add(step.sums)
    return total


def _earlier(session: Session, before: Period, asked: Asked, currency: str) -> Sums:
    """Add up what it is compared with: as a whole, for nobody sees its days."""
    counts = tally(session, Wanted(before, test=asked.test))
    sums = _days(counts, currency).get("", Sums())
    sums.tax = taxes.total(session, before, test=asked.test).get(currency, 0)
    return sums


def _names(session: Session) -> dict[str, str]:
    rows = session.execute(select(Product.slug, Product.name))
    return {row.slug: row.name for row in rows}


def _lists(session: Session, wanted: Wanted, currency: str) -> dict[str, Best]:
    """Give the lists of the best."""
    told = side_by_side(session, wanted, tuple(LISTS.values()))
    return {
        name: _best(told[by], currency, money_first=by is By.PRODUCT)
        for name, by in LISTS.items()
    }


def _known(period: Period, first: date | None, today: date) -> Period:
    """Leave out the days to come, and those of `all` before anything was counted."""
    begin = max(period.first, FIRST)
    if begin == FIRST:
        begin = min(first or today, today)
    end = min(period.last, today)
    return Period(begin, end) if begin <= end else Period(begin, begin)


def _currencies(counts: Iterable[Tally]) -> tuple[str, ...]:
    """Name what was sold in, most orders first: amounts cannot be compared."""
    times: dict[str, int] = {}
    for each in counts:
        if each.currency:
            sold = each.times if each.kind is EventKind.PAID else 0
            times[each.currency] = times.get(each.currency, 0) + sold
    return tuple(sorted(times, key=lambda currency: (-times[currency], currency)))


def _days(counts: Iterable[Tally], currency: str) -> dict[str, Sums]:
    days: dict[str, Sums] = {}
    for each in counts:
        sums, ours = days.setdefault(each.key, Sums()), each.currency == currency
        if each.kind is EventKind.VIEWED:
            sums.visitors += each.visitors
        elif each.kind is EventKind.PAID:
            sums.orders += each.times
            sums.sold += each.times if ours else 0
            sums.gross += each.amount_minor if ours else 0
        elif each.kind is EventKind.REFUNDED and ours:
            sums.back -= each.amount_minor
    return days


def _add_tax(
    days: dict[str, Sums], taxed: dict[tuple[str, str], int], currency: str
) -> None:
    for (day, of), minor in taxed.items():
        if of == currency:
            days.setdefault(day, Sums()).tax += minor


def _best(counts: Iterable[Tally], currency: str, *, money_first: bool = False) -> Best:
    lines = list(_lines(worth(counts), currency))
    if money_first:
        lines.sort(key=lambda line: -line.net_minor)
    return Best(tuple(lines[:MOST]), max(0, len(lines) - MOST))


def _lines(rows: Iterable[dict[str, Any]], currency: str) -> Iterator[Line]:
    for row in rows:
        money = [m["net_minor"] for m in row["money"] if m["currency"] == currency]
        if row["visitors"] or row["orders"] or any(money):
            yield Line(
                row["key"],
                row["visitors"],
                row["orders"],
                row["conversion_bp"],
                sum(money),
            )
