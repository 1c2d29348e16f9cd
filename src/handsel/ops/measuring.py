"""What visits and sales come to for others who count: Google Analytics, Plausible, Matomo.

Joins what is counted here to what is told there; each is a row in the outbox, written in
the transaction that counts it. They hear of a sale only from here, never from a page: so
it is told once, whatever a browser blocks.
"""

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from handsel.analytics import money
from handsel.analytics.events import Counted
from handsel.analytics.money import Movement
from handsel.kit.money import Money
from handsel.models import Coupon, Invoice, Order, OrderVisit, Product, Source
from handsel.models.orders import order_number
from handsel.models.words import EventKind, PaperKind
from handsel.outbound import hits
from handsel.outbound.counters import Hit, HitName
from handsel.sales import prices
from handsel.settings import Settings
from handsel.shop import Shop

SESSION = timedelta(hours=24)
"""How long after a visit Google still counts what is told as a part of it."""


def follow_money(session: Session, settings: Settings, now: datetime) -> int:
    """Count sales and refunds that are new, some dozens at the most, and let others be
    told of them; give how many. Safe to repeat, and for several at once.

    A refund that fails after all is counted here; the others cannot take one back.
    """
    followed = money.follow(session)
    for each in followed.movements:
        sale = each.kind is EventKind.PAID
        if not sale and each.amount_minor >= 0:
            continue
        hit = _sale(session, each) if sale else _refund(session, each)
        hits.put(session, settings, hit, each.once, now=now)
    return followed.facts


def _sale(session: Session, moved: Movement) -> Hit:
    order = moved.order
    return _of_order(
        session,
        HitName.PURCHASE,
        order,
        moved.at,
        Money(moved.amount_minor, moved.currency),
        tax_minor=_tax(session, order),
        discount_minor=order.discount_minor,
        coupon=_code(session, order),
    )


def _refund(session: Session, moved: Movement) -> Hit:
    amount = Money(-moved.amount_minor, moved.currency)
    whole = amount.minor == moved.order.price_minor
    return _of_order(
        session, HitName.REFUND, moved.order, moved.at, amount, whole=whole
    )


def _of_order(
    session: Session,
    name: HitName,
    order: Order,
    at: datetime,
    amount: Money,
    *,
    tax_minor: int | None = None,
    discount_minor: int = 0,
    coupon: str = "",
    whole: bool = True,
) -> Hit:
    product = session.get_one(Product, order.product_id)
    visit = session.get(OrderVisit, order.id)
    source = session.get(Source, visit.source_id) if visit else None
    known = bool(visit and at - visit.at <= SESSION)
    return Hit(
        name,
        at,
        product.slug,
        product.name,
        amount.minor,
        amount.currency,
        tax_minor=tax_minor,
        discount_minor=discount_minor,
        coupon=coupon,
        transaction=order.number,
        whole=whole,
        client=(visit and visit.ga_client) or "",
        session=(visit and known and visit.ga_session) or "",
        visitor=visit.visitor if visit else order.id,
        source=source.name if source else "",
        medium=source.medium if source else "",
        campaign=source.campaign if source else "",
        referrer=source.referrer if source else "",
        test=order.test,
    )


def _tax(session: Session, order: Order) -> int | None:
    """Give how much of a sale is tax, where a paper or the provider says so."""
    paper = select(Invoice.tax_minor).where(
        Invoice.order_id == order.id, Invoice.kind == PaperKind.INVOICE
    )
    found = session.scalar(paper.order_by(Invoice.id).limit(1))
    return order.tax_minor if found is None else found


def _code(session: Session, order: Order) -> str:
    return session.get_one(Coupon, order.coupon_id).code if order.coupon_id else ""


def samples(session: Session, now: datetime) -> Iterator[Hit]:
    """Give what would be told of a purchase of each product, and of its refund."""
    for product in session.scalars(select(Product).order_by(Product.id)):
        for name in (HitName.PURCHASE, HitName.REFUND):
            yield Hit(
                name,
                now,
                product.slug,
                product.name,
                product.price_minor,
                product.currency,
                transaction=order_number(1),
                client="1234567890.1234567890",
                session="1234567890",
            )


class Visits:
    """Lets others be told of what visitors do, as far as they have a name there."""

    def __init__(self, shop: Shop) -> None:
        self._settings = shop.settings
        self._clock = shop.clock
        self._test = all(each.test for each in shop.providers.values())

    def __call__(self, session: Session, counted: Sequence[Counted]) -> None:
        """Let them be told of what was just counted."""
        now = self._clock()
        named = [each for each in counted if each.seen.ga_client]
        if not named or hits.is_full(session):
            return
        for each in named:
            if each.seen.kind is EventKind.VIEWED and each.product_id:
                once = f"viewed:{secrets.token_hex(10)}"
                hit = self._view(session, each, each.product_id)
            elif each.seen.kind is EventKind.STARTED and each.order_id:
                once = f"started:{each.order_id}"
                hit = _start(session, each, each.order_id)
            else:
                continue
            hits.put(session, self._settings, hit, once, now=now)

    def _view(self, session: Session, counted: Counted, product_id: int) -> Hit:
        product = session.scalars(
            select(Product)
            .where(Product.id == product_id)
            .options(selectinload(Product.prices))
        ).one()
        price = prices.current(product, counted.seen.at)
        return Hit(
            HitName.VIEW_ITEM,
            counted.seen.at,
            product.slug,
            product.name,
            None if product.open_price else price.minor,
            "" if product.open_price else price.currency,
            client=counted.seen.ga_client,
            session=counted.seen.ga_session,
            test=self._test,
        )


def _start(session: Session, counted: Counted, order_id: int) -> Hit:
    order = session.get_one(Order, order_id)
    amount = Money(order.price_minor, order.currency)
    coupon = _code(session, order)
    return _of_order(
        session,
        HitName.BEGIN_CHECKOUT,
        order,
        counted.seen.at,
        amount,
        discount_minor=order.discount_minor,
        coupon=coupon,
    )
