"""What this browser has bought before, remembered in its own cookie: "open it".

The cookie holds the links themselves, so that it says no more than they do, and the
shop keeps no list of who visits what.
"""

from flask import request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from handsel.kit.errors import NotFoundError
from handsel.models import Entitlement, Order
from handsel.web.links import order_behind
from handsel.web.pages import YEAR, cookie_name, set_cookie, the_shop

MOST = 20


def remember(response: Response, token: str) -> None:
    """Keep the link of a purchase page that was opened, the newest first."""
    tokens = _tokens()
    if tokens[:1] != [token]:
        kept = [token, *(each for each in tokens if each != token)][:MOST]
        set_cookie(response, "owned", ".".join(kept), seconds=YEAR)


def find(product_id: int) -> str | None:
    """Give the path of this browser's purchase of a product, if it has one."""
    for token in _tokens():
        try:
            order = order_behind(the_shop(), token)
        except NotFoundError:
            continue
        if order.product_id == product_id or _opens(order, product_id):
            return url_for("library.purchase", token=token)
    return None


def _opens(order: Order, product_id: int) -> bool:
    """Say whether a purchase has this product in it, as a bundle has."""
    wanted = select(Entitlement.id).where(
        Entitlement.order_id == order.id, Entitlement.product_id == product_id
    )
    with the_shop().reading() as session:
        return session.scalar(wanted) is not None


def _tokens() -> list[str]:
    cookie = request.cookies.get(cookie_name("owned"), "")
    return [each for each in cookie.split(".")[:MOST] if each]
