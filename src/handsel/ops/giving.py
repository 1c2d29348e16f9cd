"""What a seller does for a buyer by hand: presents, sending the link again, and so on.

Commands and pages call the same. `also` is what else belongs into the transaction of
the change: who did it, for instance.
"""

import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from handsel.delivery import access
from handsel.kit.text import normalise_email
from handsel.models import Order
from handsel.models.words import GIFT
from handsel.sales import (
    addresses,
    checkout,
    deciding,
    invoicing,
    orders,
    placing,
    report,
)
from handsel.sales.checkout import Offer
from handsel.shop import Shop

Also = Callable[[Session, Order], object]
Facts = dict[str, Any]
"""An order as `order show --json` has it."""


def nothing(_session: Session, _order: Order) -> None:
    """Do nothing else."""


def give(
    shop: Shop, slug: str, email: str, *, press: str = "", also: Also = nothing
) -> Facts:
    """Give a product to somebody; they get the same page and mail as a buyer.

    Args:
        press: names the press on a button: the same is one present. Without it each call
            is a new one.

    Raises NotFoundError, BadInputError.
    """
    address = normalise_email(email)
    with shop.transaction() as session:
        offer = checkout.prepare(
            session, slug, units=shop.units, now=shop.now(), drafts=True
        )
        key = _key(press, address, offer)
        order = checkout.begun(session, key)
        if order is None:
            order = placing.without_payment(
                session,
                shop.keys,
                offer,
                key=key,
                kind=GIFT,
                test=shop.test_mode,
                email=address,
                now=shop.now(),
            )
            also(session, order)
    return _facts(shop, order.number)


def _key(press: str, address: str, offer: Offer) -> str:
    if not press:
        return secrets.token_hex(32)
    return checkout.checkout_key(f"{press}\0{address}", offer, GIFT)


def resend(
    shop: Shop, number: str, email: str | None, *, also: Also = nothing
) -> Facts:
    """Mail an order's link again, to a corrected address if one is given.

    To say the same address twice is one correction.
    """
    address = normalise_email(email) if email is not None else None

    def send(session: Session, order: Order) -> None:
        if address is None:
            addresses.send_again(session, order, shop.now())
        else:
            addresses.check_paid(order)
            addresses.change(session, order, address, shop.now())

    return _change(shop, number, send, also)


def reset_downloads(shop: Shop, number: str, *, also: Also = nothing) -> Facts:
    """Allow all downloads of an order anew. Raises ConflictError."""

    def reset(session: Session, order: Order) -> None:
        access.reset(session, order, order.download_limit)

    return _change(shop, number, reset, also)


def accept(shop: Shop, number: str, *, also: Also = nothing) -> Facts:
    """Deliver an order that was held back. Raises ConflictError."""

    def deliver(session: Session, order: Order) -> None:
        orders.accept(session, order, shop.now())
        invoicing.follow(session, order, shop.settings, shop.now())

    return _change(shop, number, deliver, also)


def revoke(shop: Shop, number: str, *, also: Also = nothing) -> Facts:
    """Close the files of an order. Safe to repeat. Raises ConflictError."""

    def close(session: Session, order: Order) -> bool:
        return deciding.revoke(session, order, shop.now())

    return _change(shop, number, close, also)


def restore(shop: Shop, number: str, *, also: Also = nothing) -> Facts:
    """Open the files of an order again. Safe to repeat. Raises ConflictError."""

    def reopen(session: Session, order: Order) -> bool:
        return deciding.restore(session, order, shop.now())

    return _change(shop, number, reopen, also)


def note(
    shop: Shop, number: str, text: str, *, press: str, by: str, also: Also = nothing
) -> Facts:
    """Write a note to an order, once for each press. Raises BadInputError."""

    def write(session: Session, order: Order) -> bool:
        return deciding.note(session, order, text, press=press, by=by, now=shop.now())

    return _change(shop, number, write, also)


def _change(
    shop: Shop, number: str, change: Callable[[Session, Order], bool | None], also: Also
) -> Facts:
    """Change an order; False says that there was nothing to change."""
    with shop.transaction() as session:
        order = orders.by_number(session, number, to_change=True)
        if change(session, order) is not False:
            also(session, order)
    return _facts(shop, number)


def _facts(shop: Shop, number: str) -> Facts:
    with shop.reading() as session:
        order = orders.by_number(session, number)
        return report.facts(session, shop.keys, shop.settings.public_url, order)
