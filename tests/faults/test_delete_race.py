"""Somebody sets out to pay while the seller deletes it: one of both, and never half."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from handsel.kit.errors import ConflictError, NotFoundError, ShopError
from handsel.models import CouponUse, Order, Product
from handsel.models.words import FREE, PaymentState
from handsel.ops import beginning, couponing, giving, removing
from handsel.sales import checkout, deleting, placing
from handsel.sales.checkout import Buyer, Wish
from handsel.sales.payments.base import Started
from handsel.shop import Shop
from tests import make
from tests.ground.beside import ON_POSTGRES, beside
from tests.ground.cases import Say
from tests.ground.till import untrue
from tests.stories.buyers import bank

ROUNDS = 12


def coupon(
    shop: Shop, code: str, percent: str, *slugs: str, most: int | None = None
) -> None:
    """Make a coupon for these products, or for all."""
    couponing.make(
        shop,
        code,
        percent=percent,
        amount=None,
        products=slugs,
        least=None,
        starts_at=None,
        ends_at=None,
        most_uses=most,
        most_each=None,
    )


def begin(shop: Shop, slug: str, wish: Wish = Wish()) -> str:  # noqa: B008  # frozen
    """Set out to pay; give the session."""
    with shop.reading() as session:
        offer = checkout.prepare(session, slug, wish, units=shop.units, now=shop.now())
    buyer = Buyer("reader@example.com")
    return beginning.begin(shop, offer, slug, bank(shop), buyer).session_id


def outcome(act: Callable[[], object]) -> str:
    """Do something; say how it ended."""
    try:
        act()
    except ShopError as error:
        return type(error).__name__
    return "done"


def test_a_payment_and_the_end_of_a_product_at_once_are_one_of_both(
    shop: Shop, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, together = [], threading.Barrier(2)
    provider = bank(shop)
    start = provider.start

    def and_wait(*asked: Any) -> Started:
        begun = start(*asked)
        together.wait()
        return begun

    def end(slug: str) -> None:
        together.wait()
        removing.delete_product(shop, slug)

    monkeypatch.setattr(provider, "start", and_wait)
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            slug = f"book{number}"
            make.product(shop, slug=slug)
            goes = pool.submit(outcome, partial(end, slug))
            pays = pool.submit(outcome, partial(begin, shop, slug))
            ends.append((pays.result(), goes.result()))
    say("delete", ends={str(end): ends.count(end) for end in set(ends)})
    assert set(ends) <= {("done", "ConflictError"), ("NotFoundError", "done")}
    with shop.reading() as session:
        orders = session.scalar(select(func.count(Order.id)))
        products = session.scalar(select(func.count(Product.id)))
    assert orders == products == ends.count(("done", "ConflictError"))
    assert untrue(shop) == {}


def test_a_present_and_the_end_of_a_product_at_once_are_one_of_both(
    shop: Shop,
) -> None:
    ends, together = [], threading.Barrier(2)

    def give(slug: str) -> None:
        together.wait()
        giving.give(shop, slug, "a@b.example")

    def end(slug: str) -> None:
        together.wait()
        removing.delete_product(shop, slug)

    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            slug = f"book{number}"
            make.product(shop, slug=slug)
            gives = pool.submit(outcome, partial(give, slug))
            goes = pool.submit(outcome, partial(end, slug))
            ends.append((gives.result(), goes.result()))
    assert set(ends) <= {("done", "ConflictError"), ("NotFoundError", "done")}
    assert untrue(shop) == {}


def test_a_product_that_goes_while_the_provider_is_asked_cannot_be_paid_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.product(shop)
    coupon(shop, "FEW", "20", most=1)
    provider = bank(shop)
    start = provider.start
    begun: list[Started] = []

    def slow(*asked: Any) -> Started:
        begun.append(start(*asked))
        removing.delete_product(shop, "book")
        return begun[-1]

    monkeypatch.setattr(provider, "start", slow)
    with pytest.raises(NotFoundError):
        begin(shop, "book", Wish(coupon="FEW"))

    [session_id] = [each.session_id for each in begun]
    state = provider.look_up(session_id, shop.now()).state
    assert state is PaymentState.EXPIRED
    with shop.reading() as session:
        assert session.scalar(select(func.count(Order.id))) == 0
        assert session.scalar(select(func.count(CouponUse.id))) == 0


def test_a_payment_that_has_begun_keeps_its_product(shop: Shop) -> None:
    make.product(shop)
    begin(shop, "book")
    with pytest.raises(ConflictError, match="was ordered once"):
        removing.delete_product(shop, "book")


@ON_POSTGRES
def test_a_coupon_that_makes_it_free_does_not_lock_out_whoever_deletes(
    shop: Shop,
) -> None:
    make.product(shop)
    make.product(shop, slug="other")
    coupon(shop, "ALL", "100", "book", "other")
    with shop.reading() as session:
        wish = Wish(coupon="ALL")
        offer = checkout.prepare(
            session, "book", wish, units=shop.units, now=shop.now()
        )

    def order() -> None:
        with pytest.raises(NotFoundError), shop.transaction() as session:
            placing.without_payment(
                session,
                shop.keys,
                offer,
                key="press",
                kind=FREE,
                test=True,
                email="reader@example.com",
                now=shop.now(),
            )

    with beside(shop, order) as begin_order, shop.transaction() as session:
        # What deleting begins with.
        session.execute(select(Product.id).filter_by(slug="book").with_for_update())
        begin_order()
        deleting.delete(session, "book", shop.now())

    with shop.reading() as session:
        assert session.scalars(select(Product.slug)).all() == ["other"]
        assert session.scalar(select(func.count(CouponUse.id))) == 0
