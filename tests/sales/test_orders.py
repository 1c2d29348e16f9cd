"""The life of an order, where no visitor sees it: two at one moment, and doubts."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models.words import FactKind, OrderStatus
from handsel.ops import giving
from handsel.sales import addresses, invoicing, orders
from handsel.sales.payments.base import Fact, Payment
from handsel.shop import Shop
from tests import make
from tests.ground.beside import ON_POSTGRES, beside
from tests.ground.till import untrue
from tests.ops.keeping import buy, order_of


@pytest.fixture
def held(shop: Shop) -> Payment:
    """A payment of an order that is held back; what the provider will say of it."""
    make.product(shop)
    buy(shop)
    with shop.transaction() as session:
        order = orders.by_number(session, "H-1001")
        order.review_reason = "The price was 15.00, but 1.00 was paid."
        orders.settle(session, order, shop.now())
    payment = shop.look_up("test", order.session_id)
    later = shop.now() + timedelta(minutes=5)
    back = Fact(FactKind.REFUND, "tr_1", Money(1500, "EUR"), later)
    return dataclasses.replace(payment, facts=(*payment.facts, back))


@ON_POSTGRES
def test_the_seller_accepts_while_the_money_goes_back(
    shop: Shop, held: Payment
) -> None:
    with pytest.raises(ConflictError, match="not waiting for anybody"):
        _one_before_the_other(shop, _told(shop, held), _accepts(shop))

    _all_went_back(shop)


@ON_POSTGRES
def test_the_money_goes_back_while_the_seller_accepts(
    shop: Shop, held: Payment
) -> None:
    _one_before_the_other(shop, _accepts(shop), _told(shop, held))

    _all_went_back(shop)


def _told(shop: Shop, payment: Payment) -> Callable[[Session], None]:
    def provider(session: Session) -> None:
        shop.record(session, "test", payment)

    return provider


def _accepts(shop: Shop) -> Callable[[Session], None]:
    def seller(session: Session) -> None:
        order = orders.by_number(session, "H-1001", to_change=True)
        orders.accept(session, order, shop.now())
        invoicing.follow(session, order, shop.settings, shop.now())

    return seller


def _all_went_back(shop: Shop) -> None:
    order = order_of(shop, "H-1001")
    assert (order.status, order.refunded_minor) == (OrderStatus.REFUNDED, 1500)
    assert untrue(shop) == {}


@ON_POSTGRES
def test_two_addresses_at_one_moment_never_get_the_same_link(shop: Shop) -> None:
    make.product(shop)
    buy(shop)

    def seller() -> None:
        giving.resend(shop, "H-1001", "b@example.com")

    with beside(shop, seller) as start, shop.transaction() as session:
        addresses.mend(session, 1, "a@example.com", shop.now())
        start()

    order = order_of(shop, "H-1001")
    assert (order.email, order.token_version) == ("b@example.com", 3)


def _one_before_the_other(
    shop: Shop, first: Callable[[Session], None], second: Callable[[Session], None]
) -> None:
    """Let the second begin when the first has done everything but commit."""

    def other() -> None:
        with shop.transaction() as session:
            second(session)

    with beside(shop, other) as start, shop.transaction() as session:
        first(session)
        start()


def test_test_money_for_a_real_order_is_held_for_a_person(shop: Shop) -> None:
    make.product(shop)
    buy(shop)
    payment = shop.look_up("test", order_of(shop, "H-1001").session_id)
    mixed_up = dataclasses.replace(payment, test=False)

    with shop.transaction() as session:
        order = orders.record(session, shop.keys, "test", mixed_up, shop.now())

    assert order.status is OrderStatus.NEEDS_REVIEW
    assert "mixed up" in (order.review_reason or "")
    assert untrue(shop) == {}
