"""What this browser has bought before, remembered in its own cookie: "open it".

The cookie holds the links themselves, so that it says no more than they do, and the
shop keeps no list of who visits what.
"""

from flask import request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from handsel.kit.signing import check_link_token, read_link_token
from handsel.models import Entitlement, Order
from handsel.web.pages import YEAR, cookie_name, set_cookie, the_shop

MOST = 20


def remember(response: Response, token: str) -> None:
    """Keep the link of a purchase page that was opened, the newest first."""
    tokens = _tokens()
    if tokens[:1] != [token]:
        kept = [token, *(each for each in tokens if each != token)][:MOST]
        set_cookie(response, "owned", ".".join(kept), seconds=YEAR)


def find(product_id: int) -> str | None:
    """Give the path of this browser's purchase of a product, if it has one.

    A bundle counts as each product in it. One query, however many were bought.
    """
    keys = the_shop().keys
    claimed = {read_link_token(keys, token): token for token in _tokens()}
    claimed.pop(None, None)
    if not claimed:
        return None
    with the_shop().reading() as session:
        rows = session.execute(
            select(Order.public_id, Order.token_version)
            .join(Entitlement, Entitlement.order_id == Order.id)
            .where(Order.public_id.in_(claimed), Entitlement.product_id == product_id)
        ).all()
    versions = {row.public_id: row.token_version for row in rows}
    for name, token in claimed.items():
        version = versions.get(name or "")
        if name and version and check_link_token(keys, token, name, version):
            return url_for("library.purchase", token=token)
    return None


def _tokens() -> list[str]:
    cookie = request.cookies.get(cookie_name("owned"), "")
    return [each for each in cookie.split(".")[:MOST] if each]
