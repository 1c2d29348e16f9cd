"""How orders are found quickly among very many, the same on both databases.

Whatever is chosen, one of three ways leads there, and never a look at all orders unless
hardly one of them fits: what few orders have is looked up by its index, and the rest is
asked of these few; what many have is met by walking from the newest on, by number, or by
time where days are chosen. A database that plans for itself guesses wrong here: SQLite
knows nothing of how often a value occurs, PostgreSQL nothing of what goes together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    and_,
    func,
    or_,
    select,
    text,
    tuple_,
    union,
)
from sqlalchemy.orm import Session

from handsel.models import (
    Coupon,
    Customer,
    Order,
    OrderVisit,
    OutboxItem,
    Product,
    Refund,
    Source,
)
from handsel.models.database import without_index
from handsel.models.words import OrderStatus, OutboxState, RefundState
from handsel.ops.desk.wanted import ALL, BY_THEMSELVES, Wanted, last4_of, row_of

NEVER_PAID = (OrderStatus.STARTED, OrderStatus.EXPIRED)
TO_LOOK_AT = (OrderStatus.NEEDS_REVIEW, OrderStatus.DISPUTED)
FEW = 20_000
"""So many orders are few."""
BLOCK = 1_000
"""So many of the few are asked at once."""
FIRST_STEP = 5_000
FIRST_DAYS = timedelta(days=2)
INSTANT = timedelta(microseconds=1)
GROWS = 4
"""How much longer the next step of a walk is."""
_LAST_LETTER = "\U0010ffff"

Ids = Select[int] | CompoundSelect[int]
Condition = ColumnElement[bool]
Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Choice:
    """One thing that orders must be like: as a look-up, and as a question to one order.

    `ids` is None for what nearly all are like. `by_index` asks the same of one order so
    that an index may answer, where there is one for it alone.
    """

    asked: Condition
    ids: Ids | None = None
    by_index: Condition | None = None


def choices(session: Session, wanted: Wanted) -> Iterator[Choice]:
    """Give everything but days that an order must be like."""
    if wanted.text:
        yield _typed(wanted.text)
    if wanted.status and wanted.status != ALL:
        yield _is(Order.status, OrderStatus(wanted.status))
    elif not (wanted.status or wanted.text or wanted.attention):
        yield Choice(without_index(Order.status).not_in(NEVER_PAID))
    if wanted.product:
        named = select(Product.id).where(Product.slug == wanted.product)
        yield _is(Order.product_id, session.scalar(named) or 0)
    if wanted.coupon:
        coded = select(Coupon.id).where(Coupon.code == wanted.coupon)
        yield _is(Order.coupon_id, session.scalar(coded) or 0)
    if wanted.country:
        yield _is(Order.country, wanted.country)
    if wanted.test is not None:
        tests = select(Order.id).where(Order.test)
        yield Choice(
            without_index(Order.test).is_(wanted.test), tests if wanted.test else None
        )
    if wanted.customer_id is not None:
        yield _is(Order.customer_id, wanted.customer_id)
    if wanted.source:
        yield _came_from(session, wanted.source)
    if wanted.attention:
        yield _needs_attention()


def _is(column: Any, value: Any) -> Choice:
    alike = column == value
    return Choice(without_index(column) == value, select(Order.id).where(alike), alike)


def of_buyers(session: Session, text: str) -> Condition:
    """Choose customers by what somebody types about an order of theirs."""
    meant = _typed(text)
    theirs = select(Order.customer_id).where(Order.customer_id.is_not(None))
    if meant.ids is not None and _count(session, meant) <= FEW:
        return Customer.id.in_(theirs.where(Order.id.in_(meant.ids)))
    mine = theirs.where(Order.customer_id == Customer.id, meant.asked)
    return mine.exists()


def _typed(text: str) -> Choice:
    """Look up each meaning by its own index; together they would have none."""
    meanings: list[tuple[Select[int], Condition]] = []
    if row := row_of(text):
        meanings.append((select(Order.id).where(Order.id == row), Order.id == row))
    if last4 := last4_of(text):
        mine = Order.card_last4 == last4
        meanings.append(
            (select(Order.id).where(mine), without_index(Order.card_last4) == last4)
        )
    name, at, domain = text.rpartition("@")
    if name or not at:
        meanings.append(_begins(Order.email_key, text))
    if not name:
        meanings.append(_begins(Order.email_domain, domain))
    asked = or_(*(each[1] for each in meanings))
    # Each by itself is cut where it leads to many: to bring all together takes time.
    some = [each[0].limit(FEW + 1).subquery() for each in meanings]
    return Choice(asked, union(*(select(each.c.id) for each in some)))


def _begins(column: Any, text: str) -> tuple[Select[int], Condition]:
    """Choose by the first letters; LIKE would not ask the index on both databases."""
    least = func.lower(text)
    beyond = least.concat(_LAST_LETTER)
    plain = without_index(column)
    return (
        select(Order.id).where(column >= least, column < beyond),
        and_(plain >= least, plain < beyond),
    )


def _came_from(session: Session, source: str) -> Choice:
    name = "" if source == BY_THEMSELVES else source.lower()
    named = session.scalars(select(Source.id).where(Source.name == name)).all()
    ids = select(OrderVisit.order_id).where(OrderVisit.source_id.in_(named))
    plain = without_index(OrderVisit.source_id).in_(named)
    mine = select(OrderVisit.order_id).where(OrderVisit.order_id == Order.id, plain)
    return Choice(mine.exists(), ids)


def _needs_attention() -> Choice:
    """Choose what somebody should look at: orders, mails, refunds."""
    ids: Ids = union(
        select(Order.id).where(Order.status.in_(TO_LOOK_AT)),
        select(OutboxItem.order_id).where(
            OutboxItem.state == OutboxState.DEAD, OutboxItem.order_id.is_not(None)
        ),
        select(Refund.order_id).where(Refund.state == RefundState.UNKNOWN),
    )
    return Choice(Order.id.in_(ids), ids)


@dataclass(frozen=True)
class Walk:
    """Which way to go through the orders, and from where: beyond the order `start`.

    `start` is the row of an order, None for the newest, or the oldest `upwards`.
    """

    start: int | None = None
    upwards: bool = False


def found(
    session: Session, wanted: Wanted, query: Query, walk: Walk, most: int
) -> list[Row[Any]]:
    """Give the first rows of a query of orders that fit, on a walk; `most` at the most.

    Args:
        query: its first column is `Order.id`; joins may be in it, no order and no limit.
    """
    conditions = list(choices(session, wanted))
    few = _fewest(session, conditions)
    indexed = few is None and _can_join_indexes(session)
    query = query.where(
        *(_asked(each, indexed=indexed) for each in conditions if each is not few)
    )
    if few is not None:
        assert few.ids is not None
        steps = _among(session, wanted, query, few.ids, walk)
    elif wanted.begins or wanted.ends:
        steps = _by_time(session, wanted, query, walk)
    else:
        steps = _by_number(session, query, walk)
    rows: list[Row[Any]] = []
    for step in steps:
        rows += session.execute(step.limit(most - len(rows))).all()
        if len(rows) >= most:
            break
    return rows


def _can_join_indexes(session: Session) -> bool:
    """Say whether orders that are like several things are found by several indexes.

    PostgreSQL can, if it plans for what is asked now: a plan for whatever may be asked
    walks through all orders by number.
    """
    if session.get_bind().dialect.name != "postgresql":
        return False
    session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    return True


def _asked(choice: Choice, *, indexed: bool) -> Condition:
    by_index = choice.by_index if indexed else None
    return choice.asked if by_index is None else by_index


def _fewest(session: Session, conditions: Sequence[Choice]) -> Choice | None:
    """Give the choice that leaves the fewest orders; None where all leave many."""
    counted = [
        (_count(session, each), place, each)
        for place, each in enumerate(conditions)
        if each.ids is not None
    ]
    least = min(counted, default=None)
    return least[2] if least and least[0] <= FEW else None


def _count(session: Session, choice: Choice) -> int:
    """Count what a choice leaves, a little beyond FEW at the most."""
    assert choice.ids is not None
    some = choice.ids.limit(FEW + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _among(
    session: Session, wanted: Wanted, query: Query, ids: Ids, walk: Walk
) -> Iterator[Query]:
    """Go through a few orders, in blocks."""
    known = sorted(set(session.scalars(ids)), reverse=not walk.upwards)
    if walk.start is not None:
        known = [each for each in known if _beyond(each, walk)]
    query = query.where(*_days(wanted, without_index(Order.created_at)))
    for first in range(0, len(known), BLOCK):
        block = known[first : first + BLOCK]
        yield _ordered(query.where(Order.id.in_(block)), walk, Order.id)


def _beyond(row: int, walk: Walk) -> bool:
    assert walk.start is not None
    return row > walk.start if walk.upwards else row < walk.start


def _days(wanted: Wanted, at: Any) -> Iterator[Condition]:
    if wanted.begins:
        yield at >= wanted.begins
    if wanted.ends:
        yield at < wanted.ends


def _ordered(query: Query, walk: Walk, *columns: Any) -> Query:
    return query.order_by(*(c if walk.upwards else c.desc() for c in columns))


def _by_number(session: Session, query: Query, walk: Walk) -> Iterator[Query]:
    """Go through the orders by number, in steps that grow."""
    last = session.scalar(select(func.max(Order.id))) or 0
    step = FIRST_STEP
    if walk.upwards:
        at = (walk.start or 0) + 1
        while at <= last:
            part = Order.id.between(at, at + step - 1)
            yield _ordered(query.where(part), walk, Order.id)
            at, step = at + step, step * GROWS
        return
    at = last if walk.start is None else min(last, walk.start - 1)
    while at > 0:
        part = Order.id.between(at - step + 1, at)
        yield _ordered(query.where(part), walk, Order.id)
        at, step = at - step, step * GROWS


def _by_time(
    session: Session, wanted: Wanted, query: Query, walk: Walk
) -> Iterator[Query]:
    """Go through the orders of some days by time, in steps that grow.

    By time and not by number: a clock that was wrong once must not hide an order.
    """
    first = session.scalar(select(func.min(Order.created_at)))
    last = session.scalar(select(func.max(Order.created_at)))
    if first is None or last is None:
        return
    begins = max(first, wanted.begins) if wanted.begins else first
    ends = last + INSTANT
    ends = min(ends, wanted.ends) if wanted.ends else ends
    at = _time_of(session, walk.start)
    if at is not None:
        query = query.where(_past(at, walk))
        begins = max(begins, at) if walk.upwards else begins
        ends = ends if walk.upwards else min(ends, at + INSTANT)
    for lower, upper in _spans(begins, ends, upwards=walk.upwards):
        part = and_(Order.created_at >= lower, Order.created_at < upper)
        yield _ordered(query.where(part), walk, Order.created_at, Order.id)


def _time_of(session: Session, row: int | None) -> datetime | None:
    return session.scalar(select(Order.created_at).where(Order.id == row))


def _past(at: datetime, walk: Walk) -> Condition:
    """Ask for orders beyond the one a walk starts at."""
    mine = tuple_(without_index(Order.created_at), Order.id)
    there = tuple_(at, walk.start, types=[Order.created_at.type, Order.id.type])
    return mine > there if walk.upwards else mine < there


def _spans(
    begins: datetime, ends: datetime, *, upwards: bool
) -> Iterator[tuple[datetime, datetime]]:
    """Cut a time into parts that grow, from its end or its beginning on."""
    step = FIRST_DAYS
    while begins < ends:
        if upwards:
            cut = min(begins + step, ends)
            yield begins, cut
            begins = cut
        else:
            cut = max(ends - step, begins)
            yield cut, ends
            ends = cut
        step *= GROWS
