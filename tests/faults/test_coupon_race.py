"""P13: many buyers want a coupon of which there are few; none is sold twice, none lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask import Flask

from handsel.ops import couponing
from handsel.settings import load_settings
from handsel.shop import open_shop
from handsel.web import create_app
from tests import make
from tests.ground.cases import Say
from tests.ground.till import Till, untrue
from tests.ground.visitor import Visitor

LIMIT = 10
CLIENTS = 20
ABANDONED = 5


def test_a_coupon_for_ten_is_held_by_ten(till: Till, say: Say) -> None:
    _scramble(till, say, buyers=30)


@pytest.mark.storm
@pytest.mark.timeout(600)
def test_two_hundred_want_a_coupon_for_ten(till: Till, say: Say) -> None:
    _scramble(till, say, buyers=200)


def _scramble(till: Till, say: Say, *, buyers: int) -> None:
    make.product(till.shop)
    couponing.make(
        till.shop,
        "FEW",
        percent="20",
        amount=None,
        products=(),
        least=None,
        starts_at=None,
        ends_at=None,
        most_uses=LIMIT,
        most_each=None,
    )
    with other_door(till) as door, ThreadPoolExecutor(CLIENTS) as pool:
        doors = [till.app, door]
        first = list(pool.map(lambda n: want(till, doors[n % 2], n), range(buyers)))
        held = [name for name in first if name]
        for name in held[:ABANDONED]:
            till.stripe.bank.expire(name)
        till.reconcile()
        more = pool.map(
            lambda n: want(till, doors[n % 2], n), range(buyers, 2 * buyers)
        )
        held_later = [name for name in more if name]
    paid = held[ABANDONED:] + held_later
    for number, name in enumerate(paid):
        till.stripe.bank.pay(name, email=f"reader{number}@example.com")
    till.reconcile()
    delivered = [o for name in paid if (o := till.order(name)) and o.status == "paid"]
    say(
        "P13",
        buyers=2 * buyers,
        held=len(held),
        after_five_gave_up=len(held_later),
        delivered=len(delivered),
        database="sqlite" if till.shop.database.is_sqlite else "postgres",
    )
    assert (len(held), len(held_later)) == (LIMIT, ABANDONED)
    assert len(delivered) == len(paid) == LIMIT
    assert untrue(till.shop) == {}


@contextmanager
def other_door(till: Till) -> Iterator[Flask]:
    """Open the same shop a second time, with connections and locks of its own."""
    home = till.shop.home
    shop = open_shop(home, load_settings(home), clock=till.clock)
    try:
        yield create_app(shop)
    finally:
        shop.close()


def want(till: Till, door: Flask, number: int) -> str | None:
    """Press Buy with the coupon, each from elsewhere; give the session, if there is one."""
    buyer = Visitor(till.shop, app=door, address=f"10.1.{number % 250}.{number // 250}")
    answer = buyer.press(buyer.get("/p/book?coupon=few"), "/buy/book")
    if answer.status_code == 422:
        assert "as often as it can be" in answer.get_data(as_text=True)
        return None
    assert answer.status_code == 303, answer.get_data(as_text=True)
    name = answer.headers["Location"].rpartition("/")[2]
    price = till.stripe.bank.get("session", name)["amount_total"]
    return name if price == 1200 else None
