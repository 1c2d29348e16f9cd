"""The doctor names refunds of which nobody knows, or that nobody makes."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from handsel.kit.money import Money
from handsel.models import Refund
from handsel.models.words import RefundReason, RefundState
from handsel.ops.doctor import Finding, examine
from handsel.sales import orders, refunds
from handsel.sales.refunds import request
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ops import keeping


def findings(shop: Shop, database_url: str) -> dict[str, Finding]:
    """Give what is found about refunds."""
    environ = {"HANDSEL_DATABASE__URL": database_url}
    found = examine(shop.home, shop.now(), environ)
    return {each.id: each for each in found if each.id in ("H029", "H028")}


def ask(shop: Shop, number: str) -> int:
    """Write a refund down that nobody makes."""
    wanted = request(Money(500, "EUR"), RefundReason.REQUESTED)
    with shop.transaction() as session:
        order = orders.by_number(session, number, to_change=True)
        return refunds.ask(session, order, wanted, shop.now(), keep_access=False).id


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop with two sales."""
    make.product(shop)
    keeping.buy(shop, 2)
    return shop


def test_a_refund_nobody_makes_is_named_after_an_hour(
    sold: Shop, clock: Clock, database_url: str
) -> None:
    ask(sold, "H-1002")
    assert findings(sold, database_url) == {}

    clock.time += timedelta(minutes=61)

    assert "H-1002" in findings(sold, database_url)["H028"].problem


def test_a_refund_nobody_knows_of_is_named_until_it_is_asked_for_anew(
    sold: Shop, clock: Clock, database_url: str
) -> None:
    lost = ask(sold, "H-1001")
    with sold.transaction() as session:
        assert refunds.give_up(session, lost, "It did not say.")
    clock.move(hours=21)
    assert "H-1001" in findings(sold, database_url)["H029"].problem

    again = ask(sold, "H-1001")
    with sold.transaction() as session:
        refunds.made(session, again, "tr_1")

    assert findings(sold, database_url) == {}
    with sold.transaction() as session:
        session.execute(update(Refund).values(state=RefundState.REFUSED))
    assert findings(sold, database_url) == {}
