"""A shop with a little history: what the tests of its keeping begin with."""

import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.delivery import access
from handsel.kit.money import Money
from handsel.models import Order, Product
from handsel.ops import simulation
from handsel.ops.verify import Invariant, verify
from handsel.outbound.letters import purchase_link
from handsel.sales import orders
from handsel.sales.payments.base import RefundRequest
from handsel.shop import Shop


def buy(shop: Shop, times: int = 1, slug: str = "book") -> list[dict[str, str]]:
    """Sell a product to reader1, reader2, ..., paid with test money."""
    return [
        simulation.buy(shop, slug, "reader{n}@example.com", n + 1) for n in range(times)
    ]


def order_of(shop: Shop, number: str) -> Order:
    """Give one order as it is now."""
    with shop.reading() as session:
        return orders.by_number(session, number)


def refund(shop: Shop, number: str, minor: int) -> None:
    """Give some of the money back, and let the shop hear of it."""
    order = order_of(shop, number)
    again = RefundRequest(secrets.token_hex(8), Money(minor, order.currency))
    shop.provider("test").refund(order.session_id, again, shop.now())
    shop.hear("test", order.session_id)


def press(shop: Shop, number: str, product: Product, browser: str) -> int:
    """Press the download button of the first file."""
    file = product.releases[-1].files[0]
    with shop.transaction() as session:
        order = session.scalars(
            select(Order).where(Order.id == order_of_row(number))
        ).one()
        return access.press(
            session,
            order,
            file.id,
            browser,
            window=timedelta(hours=24),
            now=shop.now(),
        )


def order_of_row(number: str) -> int:
    """Give the row of an order number."""
    return int(number.removeprefix("H-")) - 1000


def broken(shop: Shop, *, quick: bool = False) -> dict[str, str]:
    """Give what `verify` says of the invariants that do not hold."""
    return {each.id: each.detail for each in prove(shop, quick=quick) if not each.ok}


def prove(shop: Shop, *, quick: bool = False) -> list[Invariant]:
    """Look at every invariant."""
    return verify(shop.database, shop.storage, shop.now(), quick=quick)


def link_of(session: Session, shop: Shop, number: str) -> str:
    """Give the link of an order, as it is mailed."""
    order = orders.by_number(session, number)
    return purchase_link(shop.keys, shop.settings, order)
