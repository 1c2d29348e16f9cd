"""How orders are found: conditions that an index answers, on both databases."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select, union
from sqlalchemy.orm import Session

from handsel.models import (
    Coupon,
    Order,
    OrderVisit,
    OutboxItem,
    Product,
    Refund,
    Source,
)
from handsel.models.words import OrderStatus, OutboxState, RefundState
from handsel.ops.desk.wanted import ALL, BY_THEMSELVES, Wanted, last4_of, row_of

NEVER_PAID = (OrderStatus.STARTED, OrderStatus.EXPIRED)
TO_LOOK_AT = (OrderStatus.NEEDS_REVIEW, OrderStatus.DISPUTED)
FEW = 5_000
"""So many orders of a source are looked up; where there are more, the list meets them."""
_LAST_LETTER = "\U0010ffff"

Ids = Select[int] | CompoundSelect[int]


def conditions(session: Session, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Give what an order must be like; none of it needs a look at all orders."""
    if wanted.text:
        yield Order.id.in_(typed(wanted.text))
    yield from _standing(wanted)
    if wanted.begins:
        yield Order.created_at >= wanted.begins
    if wanted.ends:
        yield Order.created_at < wanted.ends
    yield from _kind(wanted)
    if wanted.source:
        yield _came_from(session, wanted.source)
    if wanted.attention:
        yield Order.id.in_(_need_attention())


def _standing(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.status and wanted.status != ALL:
        yield Order.status == OrderStatus(wanted.status)
    elif not (wanted.status or wanted.text or wanted.attention):
        yield Order.status.not_in(NEVER_PAID)


def _kind(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.product:
        named = select(Product.id).where(Product.slug == wanted.product)
        yield Order.product_id == named.scalar_subquery()
    if wanted.coupon:
        coded = select(Coupon.id).where(Coupon.code == wanted.coupon)
        yield Order.coupon_id == coded.scalar_subquery()
    if wanted.country:
        yield Order.country == wanted.country
    if wanted.test is not None:
        yield Order.test.is_(True) if wanted.test else Order.test.is_(False)
    if wanted.customer_id is not None:
        yield Order.customer_id == wanted.customer_id


def typed(text: str) -> Ids:
    """Choose what a search may mean: a number, a card, an address or a part of one.

    Together, not by `or`: so each has an index of its own to ask.
    """
    meanings: list[Select[int]] = []
    if row := row_of(text):
        meanings.append(select(Order.id).where(Order.id == row))
    if last4 := last4_of(text):
        meanings.append(select(Order.id).where(Order.card_last4 == last4))
    name, at, domain = text.rpartition("@")
    if name or not at:
        meanings.append(_begins(Order.email_key, text))
    if not name:
        meanings.append(_begins(Order.email_domain, domain))
    return union(*meanings) if len(meanings) > 1 else meanings[0]


def _begins(column: Any, text: str) -> Select[int]:
    """Choose by the first letters; LIKE would not ask the index on both databases."""
    least = func.lower(text)
    return select(Order.id).where(column >= least, column < least.concat(_LAST_LETTER))


def _came_from(session: Session, source: str) -> ColumnElement[bool]:
    """Choose by source: few orders are looked up, of many the list meets enough."""
    name = "" if source == BY_THEMSELVES else source.lower()
    of_source = OrderVisit.source_id.in_(select(Source.id).where(Source.name == name))
    orders = select(OrderVisit.order_id).where(of_source)
    some = orders.limit(FEW).subquery()
    if (session.scalar(select(func.count()).select_from(some)) or 0) < FEW:
        return Order.id.in_(orders)
    return orders.where(OrderVisit.order_id == Order.id).exists()


def _need_attention() -> Ids:
    """Choose what somebody should look at; `why` says what it is."""
    return union(
        select(Order.id).where(Order.status.in_(TO_LOOK_AT)),
        select(OutboxItem.order_id).where(
            OutboxItem.state == OutboxState.DEAD, OutboxItem.order_id.is_not(None)
        ),
        select(Refund.order_id).where(Refund.state == RefundState.UNKNOWN),
    )
