"""The list of orders: found, paged from either side, counted where that is cheap, as CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.kit.sheets import cells, lines
from handsel.models import Coupon, Order, OrderVisit, Product, Release, Source
from handsel.models.orders import order_number
from handsel.models.words import OrderStatus
from handsel.ops.desk.finding import NEVER_PAID, Query, Walk, found
from handsel.ops.desk.wanted import Wanted, row_of
from handsel.shop import Shop

AT_ONCE = 50
"""Orders on a page."""
MOST = 1_000
"""Up to so many are counted and added up; of more it is only said that there are more."""
CSV_AT_ONCE = 500


@dataclass(frozen=True)
class Line:
    """One order as a list shows it. `refunded` is None where nothing went back."""

    number: str
    at: datetime
    status: OrderStatus
    test: bool
    product: str
    email: str
    country: str
    price: Money
    refunded: Money | None


@dataclass(frozen=True)
class Page:
    """Some orders, newest first.

    Args:
        newer, older: the number of the order that the page beside this one begins at;
            empty where there is none.
        whole: whether these are all there are.
    """

    lines: Sequence[Line]
    newer: str = ""
    older: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Total:
    """What some orders in one currency come to, test purchases apart."""

    test: bool
    orders: int
    paid: Money
    refunded: Money


@dataclass(frozen=True)
class Sums:
    """How many orders were found, at least. Totals are empty when there are `more`."""

    count: int
    more: bool
    totals: Sequence[Total]


_LINE = (
    *(Order.id, Order.created_at, Order.paid_at, Order.status, Order.test),
    *(Order.email, Order.country, Order.price_minor, Order.refunded_minor),
    *(Order.currency, Product.name.label("product")),
)


def page(
    session: Session, wanted: Wanted, *, after: str = "", before: str = ""
) -> Page:
    """Give the orders older than `after`, or the next ones newer than `before`."""
    query: Query = select(*_LINE).select_from(Order).join(Product)
    start = row_of(before)
    if start is not None:
        upwards = Walk(start, upwards=True)
        rows = found(session, wanted, query, upwards, AT_ONCE + 1)
        if len(rows) > AT_ONCE:
            return _page(rows[AT_ONCE - 1 :: -1], newer=True, older=True)
        after = ""  # fewer than a page are newer: the first page has them
    start = row_of(after)
    rows = found(session, wanted, query, Walk(start), AT_ONCE + 1)
    older = len(rows) > AT_ONCE
    first = start is None
    return _page(
        rows[:AT_ONCE], newer=not first, older=older, whole=first and not older
    )


def _page(
    rows: Sequence[Row[Any]], *, newer: bool, older: bool, whole: bool = False
) -> Page:
    return Page(
        [_line(row) for row in rows],
        newer=order_number(rows[0].id) if rows and newer else "",
        older=order_number(rows[-1].id) if rows and older else "",
        whole=whole,
    )


def _line(row: Row[Any]) -> Line:
    back = row.refunded_minor
    return Line(
        number=order_number(row.id),
        at=row.paid_at or row.created_at,
        status=row.status,
        test=row.test,
        product=row.product,
        email=row.email or "",
        country=row.country or "",
        price=Money(row.price_minor, row.currency),
        refunded=Money(back, row.currency) if back else None,
    )


def sums(session: Session, wanted: Wanted, shown: Page) -> Sums:
    """Count what is found, up to MOST; add up what was paid, each currency for itself.

    Args:
        shown: a page of it; what it shows whole is not looked for once more.
    """
    lines = shown.lines if shown.whole else _some(session, wanted)
    if len(lines) > MOST:
        return Sums(MOST, True, ())
    groups: dict[tuple[bool, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.test, line.price.currency), []).append(line)
    return Sums(
        len(lines), False, [_total(*key, groups[key]) for key in sorted(groups)]
    )


def _some(session: Session, wanted: Wanted) -> Sequence[Line]:
    query: Query = select(*_LINE).select_from(Order).join(Product)
    return [_line(row) for row in found(session, wanted, query, Walk(), MOST + 1)]


_UNPAID = (*NEVER_PAID, OrderStatus.PROCESSING, OrderStatus.NEEDS_REVIEW)
"""Nothing came yet, or not what was agreed."""


def _total(test: bool, currency: str, lines: Sequence[Line]) -> Total:
    paid = [line for line in lines if line.status not in _UNPAID]
    came = sum(line.price.minor for line in paid)
    back = sum(line.refunded.minor for line in paid if line.refunded)
    return Total(test, len(lines), Money(came, currency), Money(back, currency))


HEAD = (
    *("number", "begun_at", "paid_at", "status", "test", "product", "edition", "email"),
    *("country", "currency", "price", "discount", "tax", "refunded", "coupon"),
    *("provider", "card", "source", "medium", "campaign"),
)
_CSV = (
    *_LINE,
    *(Order.discount_minor, Order.tax_minor, Order.provider, Order.card_last4),
    *(Release.version, Coupon.code, Source.name, Source.medium, Source.campaign),
)


def csv(shop: Shop, wanted: Wanted) -> Iterator[str]:
    """Write all that is found as CSV, newest first, line by line, in little memory."""
    return lines(HEAD, _cells(shop, wanted))


def _cells(shop: Shop, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Read some at a time: a long look would keep the database from tidying up."""
    last: int | None = None
    while True:
        with shop.reading() as session:
            rows = found(session, wanted, _csv_query(), Walk(last), CSV_AT_ONCE)
        for row in rows:
            yield cells(_facts(row))
        if len(rows) < CSV_AT_ONCE:
            return
        last = rows[-1].id


def _csv_query() -> Query:
    return (
        select(*_CSV)
        .select_from(Order)
        .join(Product)
        .join(Release, Release.id == Order.release_id)
        .outerjoin(Coupon)
        .outerjoin(OrderVisit, OrderVisit.order_id == Order.id)
        .outerjoin(Source)
    )


def _facts(row: Row[Any]) -> dict[str, Any]:
    return {
        "number": order_number(row.id),
        "begun_at": f"{row.created_at:%Y-%m-%d %H:%M:%S}",
        "paid_at": f"{row.paid_at:%Y-%m-%d %H:%M:%S}" if row.paid_at else "",
        "status": str(row.status),
        "test": row.test,
        "product": row.product,
        "edition": row.version,
        "email": row.email or "",
        "country": row.country or "",
        "currency": row.currency,
        "price_minor": row.price_minor,
        "discount_minor": row.discount_minor,
        "tax_minor": row.tax_minor,
        "refunded_minor": row.refunded_minor,
        "coupon": row.code or "",
        "provider": row.provider,
        "card": row.card_last4 or "",
        "source": row.name or "",
        "medium": row.medium or "",
        "campaign": row.campaign or "",
    }
