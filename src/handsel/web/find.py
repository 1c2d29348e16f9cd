"""Find my purchases: one field, always the same answer, a link by mail that works once."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.customers import find_links
from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money
from handsel.kit.signing import check_timed, timed_token
from handsel.kit.text import email_key, normalise_email
from handsel.models import Order
from handsel.models.words import OrderStatus
from handsel.web import limits
from handsel.web.guards import Policy, guard
from handsel.web.links import number_behind, purchase_path
from handsel.web.pages import (
    cookie_name,
    page,
    set_cookie,
    the_shop,
    visitor_key,
    with_visitor,
)

blueprint = Blueprint("find", __name__)
guard(blueprint, Policy("somebody who bought and lost the link", secret=True))

STATES = {
    OrderStatus.PAID: "",
    OrderStatus.PARTLY_REFUNDED: "partly refunded",
    OrderStatus.REFUNDED: "refunded",
    OrderStatus.DISPUTED: "disputed",
}


@blueprint.get("/find")
def ask() -> Response:
    """Show the one field."""
    return _form("", {})


def _form(email: str, errors: dict[str, str]) -> Response:
    return page(
        "find.html",
        422 if errors else 200,
        form={"values": {"email": email}, "errors": errors, "suggestion": ""},
        action=url_for("find.send"),
        hidden={},
    )


@blueprint.post("/find")
def send() -> Response:
    """Mail a link if the address has bought something; the answer does not tell."""
    typed = request.form.get("email", "")
    try:
        email = normalise_email(typed)
    except BadInputError as error:
        return _form(typed, {"email": str(error)})
    limits.hit("find", most=10, minutes=60)
    limits.hit("find-address", most=3, minutes=60, who=email_key(email))
    shop = the_shop()
    with shop.transaction() as session:
        find_links.send(session, email, shop.now())
    return page(
        "find_sent.html",
        email=email,
        minutes=find_links.MINUTES,
        find_url=url_for("find.ask"),
    )


@blueprint.get("/find/<token>")
def opened(token: str) -> AnyResponse:
    """Ask for one more press: mail scanners open links, they must not spend them.

    The browser that has pressed sees the list, so that it can be come back to.
    """
    link_id = number_behind(the_shop().keys, find_links.PURPOSE, token)
    if _pressed_here(token):
        return _list(link_id)
    action = url_for("find.show", token=token)
    return with_visitor(page("find_open.html", action=action, hidden={}))


def _pressed_here(token: str) -> bool:
    shop = the_shop()
    proof = request.cookies.get(cookie_name("found"), "")
    return check_timed(shop.keys, "found", token, proof, shop.now())


def _list(link_id: int) -> Response:
    shop = the_shop()
    with shop.reading() as session:
        email, found = find_links.opened(session, link_id, shop.now())
    return page(
        "find_list.html",
        email=email,
        find_url=url_for("find.ask"),
        purchases=[_purchase(order) for order in found],
    )


@blueprint.post("/find/<token>")
def show(token: str) -> AnyResponse:
    """Spend the link, and let this browser see the list. Raises FindLinkSpentError."""
    shop = the_shop()
    link_id = number_behind(shop.keys, find_links.PURPOSE, token)
    with shop.transaction() as session:
        find_links.spend(session, link_id, shop.now())
    if not visitor_key()[1]:  # no cookies: it can be seen this once
        return _list(link_id)
    response = redirect(url_for("find.opened", token=token), 303)
    end = shop.now() + timedelta(minutes=find_links.MINUTES)
    proof = timed_token(shop.keys, "found", token, end)
    set_cookie(response, "found", proof, seconds=find_links.MINUTES * 60)
    return response


def _purchase(order: Order) -> dict[str, Any]:
    shop = the_shop()
    price = Money(order.price_minor, order.currency)
    return {
        "name": order.product.name,
        "number": order.number,
        "date": (order.paid_at or order.created_at).date().isoformat(),
        "total": format_money(price, shop.settings.shop.locale),
        "url": purchase_path(shop.keys, order),
        "status": STATES.get(order.status, "on hold"),
        "test": order.test,
    }
