"""What a seller does for a buyer by hand: presents, and sending the link again."""

import secrets
from typing import Any

from handsel.kit.text import normalise_email
from handsel.models.words import GIFT
from handsel.sales import addresses, checkout, orders, placing, report
from handsel.shop import Shop


def give(shop: Shop, slug: str, email: str) -> dict[str, Any]:
    """Give a product to somebody; they get the same page and mail as a buyer.

    Raises NotFoundError, BadInputError. Each call is a new present.
    """
    address = normalise_email(email)
    with shop.transaction() as session:
        offer = checkout.prepare(
            session, slug, units=shop.units, now=shop.now(), drafts=True
        )
        order = placing.without_payment(
            session,
            shop.keys,
            offer,
            key=secrets.token_hex(32),
            kind=GIFT,
            test=shop.test_mode,
            email=address,
            now=shop.now(),
        )
    return _facts(shop, order.number)


def resend(shop: Shop, number: str, email: str | None) -> dict[str, Any]:
    """Mail an order's link again, to a corrected address if one is given."""
    with shop.transaction() as session:
        order = orders.by_number(session, number, to_change=True)
        if email is not None:
            addresses.check_paid(order)
            addresses.change(session, order, normalise_email(email), shop.now())
        else:
            addresses.send_again(session, order, shop.now())
    return _facts(shop, number)


def _facts(shop: Shop, number: str) -> dict[str, Any]:
    with shop.reading() as session:
        order = orders.by_number(session, number)
        return report.facts(session, shop.keys, shop.settings.public_url, order)
