"""The addresses that open something, and reading them back."""

from datetime import timedelta

from flask import request, url_for

from handsel.kit.errors import NotFoundError
from handsel.kit.signing import (
    Keys,
    check_link_token,
    check_timed,
    link_token,
    number_of,
    read_link_token,
    timed_token,
)
from handsel.models import Order
from handsel.sales import orders
from handsel.shop import Shop
from handsel.web.pages import the_shop

NONCE_LIFE = timedelta(hours=2)


def no_such_purchase() -> NotFoundError:
    """Say the same to every address that opens nothing, whatever is wrong with it."""
    return NotFoundError(
        "There is no purchase at this address.",
        "Check the link in your mail, or find your purchases by your e-mail address.",
    )


def purchase_path(keys: Keys, order: Order) -> str:
    """Give the path of a purchase's own page."""
    token = link_token(keys, order.public_id, order.token_version)
    return url_for("library.purchase", token=token)


def order_behind(shop: Shop, token: str) -> Order:
    """Give the order a link opens, with its product. Raises NotFoundError."""
    claimed = read_link_token(shop.keys, token)
    if claimed is None:
        raise no_such_purchase()
    with shop.reading() as session:
        order = orders.by_public_id(session, claimed)
    if order is None or not check_link_token(
        shop.keys, token, order.public_id, order.token_version
    ):
        raise no_such_purchase()
    return order


def nonce(token: str) -> str:
    """Give a word that a form on a purchase's page carries, so that a press is one."""
    shop = the_shop()
    return timed_token(shop.keys, "press", token, shop.now() + NONCE_LIFE)


def check_nonce(token: str) -> bool:
    """Say whether the form that was sent comes from a page of the last two hours."""
    shop = the_shop()
    said = request.form.get("nonce", "")
    return check_timed(shop.keys, "press", token, said, shop.now())


def number_behind(keys: Keys, purpose: str, token: str) -> int:
    """Read such a token. Raises NotFoundError for any other text."""
    number = number_of(keys, purpose, token)
    if number is None:
        raise NotFoundError(
            "This link does not work, or not any more.",
            "Begin again on your purchase page, or with “Find my purchases”.",
        )
    return number
