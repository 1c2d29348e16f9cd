"""Numbers of invoices: none left out, none twice, whoever pays at once or dies meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from handsel.models import Invoice, Series
from handsel.ops import beginning
from handsel.sales import checkout, invoicing
from handsel.sales.checkout import Buyer
from handsel.sales.payments.base import Payment
from handsel.shop import Shop
from tests import make
from tests.ground.till import untrue
from tests.ops import keeping
from tests.stories.buyers import CARD, bank

TOGETHER = 24


class DiedError(Exception):
    """What stands for the end of a process in the middle of a transaction."""


def paid(shop: Shop, name: str) -> str:
    """Let somebody pay, of which the shop has not heard yet; give the session."""
    with shop.reading() as session:
        offer = checkout.prepare(session, "book", units=shop.units, now=shop.now())
    buyer = Buyer(f"{name}@example.com")
    begun = beginning.begin(shop, offer, name, bank(shop), buyer)
    bank(shop).submit(begun.session_id, email=buyer.email or "", now=shop.now(), **CARD)
    return begun.session_id


def numbers(shop: Shop) -> list[str]:
    """Give the numbers there are, in the order they were given."""
    with shop.reading() as session:
        return [
            each.number
            for each in session.scalars(select(Invoice).order_by(Invoice.id))
        ]


def record_and_die(shop: Shop, payment: Payment) -> None:
    """Write a payment down, and end before that is kept."""
    with shop.transaction() as session:
        shop.record(session, "test", payment)
        raise DiedError


def test_payments_heard_of_at_once_and_twice_have_one_number_each(shop: Shop) -> None:
    make.product(shop)
    names = [paid(shop, f"reader{n}") for n in range(TOGETHER)]

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda name: shop.hear("test", name), names * 2))

    assert sorted(numbers(shop)) == sorted(f"TEST-INV-{n + 1}" for n in range(TOGETHER))
    assert untrue(shop) == {}


def test_whoever_dies_before_the_end_takes_no_number_along(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    name = paid(shop, "unlucky")
    payment = shop.look_up("test", name)

    for _ in range(3):
        with pytest.raises(DiedError):
            record_and_die(shop, payment)
    shop.hear("test", name)

    assert numbers(shop) == ["TEST-INV-1", "TEST-INV-2"]
    with shop.reading() as session:
        assert session.scalars(select(Series.last)).all() == [2]


def test_another_prefix_begins_anew_and_the_old_one_goes_on_where_it_was(
    shop: Shop,
) -> None:
    make.product(shop)
    keeping.buy(shop, times=2)
    invoice = shop.settings.invoice.model_copy(update={"prefix": "2027-", "first": 100})
    later = shop.settings.model_copy(update={"invoice": invoice})
    keeping.buy(replace(shop, settings=later), times=2)
    keeping.buy(shop)

    assert numbers(shop) == [
        *("TEST-INV-1", "TEST-INV-2", "TEST-2027-1", "TEST-2027-2", "TEST-INV-3")
    ]
    assert untrue(shop) == {}


def test_after_a_restore_no_number_is_given_that_may_be_out_already(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop, times=2)
    with shop.transaction() as session:
        invoicing.close_series(session)

    keeping.buy(shop, times=2)
    with shop.transaction() as session:
        invoicing.close_series(session)
    keeping.buy(shop)

    assert numbers(shop) == [
        *("TEST-INV-1", "TEST-INV-2", "TEST-INV-R2-1", "TEST-INV-R2-2", "TEST-INV-R3-1")
    ]
    assert untrue(shop) == {}


@pytest.mark.parametrize("first", [1, 41])
def test_the_first_number_of_real_invoices_is_the_sellers_to_say(
    shop: Shop, first: int
) -> None:
    settings = shop.settings.model_copy(
        update={"invoice": shop.settings.invoice.model_copy(update={"first": first})}
    )
    with shop.transaction() as session:
        found = [
            invoicing.next_number(session, base, settings)
            for base in ("INV-", "CN-", "TEST-INV-", "INV-")
        ]

    assert found == [
        *(("INV-", first), ("CN-", 1), ("TEST-INV-", 1), ("INV-", first + 1))
    ]
