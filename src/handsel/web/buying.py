"""Buying: from the press on Buy to the payment page, and back to the purchase."""

import logging
import secrets
from datetime import timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import (
    BadInputError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    ShopError,
)
from handsel.kit.signing import public_id
from handsel.kit.text import email_key, normalise_email
from handsel.models import Order, Product
from handsel.models.words import FREE, EventKind, PaymentState
from handsel.ops import beginning
from handsel.sales import blocks, checkout, orders, placing
from handsel.sales.checkout import Buyer
from handsel.sales.payments.base import (
    PaymentProvider,
    ProviderUnavailableError,
    UnknownSessionError,
)
from handsel.web import checking, limits, owned, tested, visits
from handsel.web.guards import Policy, guard
from handsel.web.links import purchase_path
from handsel.web.pages import (
    network_country,
    own_browser,
    page,
    set_cookie,
    the_shop,
    visitor_key,
    with_visitor,
)
from handsel.web.pricetags import look_for_business, price, shown_price, wished
from handsel.web.showing import buy_page, product_page

log = logging.getLogger("handsel.web")

blueprint = Blueprint("buying", __name__)
guard(
    blueprint, Policy("anybody; other sites may send buyers here", foreign_posts=True)
)

FRESH = timedelta(minutes=15)
"""How long after paying the payment page's return opens the purchase."""


class PaidBeforeError(ShopError):
    """A payment's return address was opened long after the payment."""

    status = 410


@blueprint.post("/buy/<slug>")
def buy(slug: str) -> AnyResponse:
    """Open a payment session and send the buyer there; a free product is given."""
    limits.hit("buy", most=60, minutes=10)
    tested.look(slug)
    visits.note(EventKind.CLICKED, slug=slug)
    try:
        offer = _offer(slug)
    except BadInputError as error:  # the coupon, or the amount
        return product_page(slug, error.status, error)
    if dearer := _dearer(offer):
        return product_page(slug, dearer.status, dearer)
    if offer.asks_email and "email" not in request.form and "press" in request.form:
        return buy_page(slug, {}, {})
    typed = request.form.get("email", "").strip()
    try:
        email = _address(typed) if typed or offer.asks_email else None
    except BadInputError as error:
        return buy_page(slug, {"email": typed}, {"email": str(error)})
    press = _press()
    try:
        if not offer.price.minor:
            assert email
            return _give(offer, press, email)
        return _to_payment(offer, press, _chosen(), email)
    except (BadInputError, ConflictError) as error:
        return product_page(slug, error.status, error)
    except (ProviderUnavailableError, ConfigurationError) as error:
        log.error("A payment could not be started: %s", error)
        return _away(slug)


def _address(typed: str) -> str:
    """Read who buys. Raises BadInputError, also for whom the seller does not sell to."""
    email = normalise_email(typed)
    with the_shop().reading() as session:
        blocks.check(session, the_shop().keys, email)
    return email


def _dearer(offer: checkout.Offer) -> ConflictError | None:
    """Say so when the price has gone up since the page was opened.

    What the form says of the price is only compared, never charged.
    """
    shown = request.form.get("shown", "")
    if not shown or offer.chosen or offer.price <= shown_price(shown, offer.price):
        return None
    return ConflictError(
        f"The price is {price(offer.price)} now.",
        "It was lower when you opened this page.",
    )


def _offer(slug: str) -> checkout.Offer:
    shop = the_shop()
    if nobody := look_for_business():
        raise nobody
    with shop.reading() as session:
        return checkout.prepare(
            session, slug, wished(slug), units=shop.units, now=shop.now()
        )


def _away(slug: str) -> AnyResponse:
    """Tell a buyer what they can do; what is wrong is for the seller's log."""
    away = ProviderUnavailableError(
        "This shop cannot take payments at the moment.",
        "Please try again in a minute.",
    )
    response = product_page(slug, 503, away)
    response.headers["Retry-After"] = str(away.after)
    return response


def _press() -> str:
    """Name this press on Buy: the form's own word, and the browser it was sent to.

    Because a page can be copied: two people must never share a payment.
    """
    word = request.form.get("press", "")[:64] or secrets.token_urlsafe(16)
    return f"{word}\0{visitor_key()[0]}"


def _chosen() -> PaymentProvider:
    """Give the provider whose button was pressed; the first one if none is named."""
    shop = the_shop()
    if not shop.providers:
        raise ShopError(
            "This shop cannot take payments yet.", "Please come back another day."
        )
    wanted = request.form.get("provider", "") or next(iter(shop.providers))
    return shop.provider(wanted)


def _give(offer: checkout.Offer, press: str, email: str) -> AnyResponse:
    # Nobody has to prove an address here: it must not become a way to bother somebody.
    limits.hit("give", most=5, minutes=60, who=email_key(email))
    shop = the_shop()
    key = checkout.checkout_key(f"{press}\0{email}", offer, FREE)
    with shop.transaction() as session:
        order = placing.without_payment(
            session,
            shop.keys,
            offer,
            key=key,
            kind=FREE,
            test=shop.test_mode,
            email=email,
            now=shop.now(),
        )
    visits.note(EventKind.STARTED, purchase=order.public_id)
    return _to_purchase(order)


def _to_payment(
    offer: checkout.Offer, press: str, provider: PaymentProvider, email: str | None
) -> AnyResponse:
    """Send the buyer to pay. A second press with the same form is the same payment."""
    shop = the_shop()
    if offer.asks_email:  # who corrects the address begins anew, with the right one
        press = f"{press}\0{email}"
    key = checkout.checkout_key(press, offer, provider.name)
    with shop.reading() as session:
        before = checkout.begun(session, key)
    if before and before.payment_url and _still_open(before):
        return redirect(before.payment_url, 303)
    if before and before.paid_at and own_browser():
        return _to_purchase(before)
    if before:
        key = checkout.checkout_key(secrets.token_urlsafe(16), offer, provider.name)
    buyer = Buyer(email, own_browser(), network_country())
    held = beginning.held_before(shop, offer, provider, buyer)
    if held and held.payment_url:
        return redirect(held.payment_url, 303)
    if asked := checking.asked_first(offer, key):
        return asked
    started = beginning.begin(shop, offer, key, provider, buyer)
    begun = public_id(shop.keys, provider.name, started.session_id)
    visits.note(EventKind.STARTED, purchase=begun)
    return redirect(started.url, 303)


def _still_open(order: Order) -> bool:
    # A provider closes a session by the clock without telling us at once.
    in_time = the_shop().now() < order.expires_at
    return order.session_state is PaymentState.OPEN and in_time


@blueprint.get("/return/<provider>")
def come_back(provider: str) -> AnyResponse:
    """Receive a buyer from the payment page: their purchase, or what happened instead.

    Asks the provider itself, so that no web hook needs to have arrived.
    """
    session_id = _session_named()
    try:
        order = the_shop().hear(provider, session_id)
    except UnknownSessionError:
        raise NotFoundError(
            "There is no such payment here.",
            "If you have paid, the link to your purchase comes by mail.",
        ) from None
    except (ProviderUnavailableError, ConfigurationError) as error:
        log.error("A payment could not be looked up: %s", error)
        return _waiting("", "")
    if order.paid_at:
        return _just_paid(order)
    if order.session_state in (PaymentState.PROCESSING, PaymentState.COMPLETE):
        return _waiting(_name_of(order), order.email or "")
    return redirect(_not_paid(order), 303)


def _not_paid(order: Order) -> str:
    """Say where a buyer goes who did not pay, and may want to try in another way."""
    ours = f"{the_shop().settings.public_url}/pay/"
    if _still_open(order) and (order.payment_url or "").startswith(ours):
        return url_for("paying.pay_page", session=order.session_id, unfinished=1)
    with the_shop().reading() as session:
        offer = checkout.offered_before(session, order)
    return checkout.back_path(tested.again(offer, order))


def _session_named() -> str:
    """Give the payment a buyer comes back from; PayPal has a word of its own for it."""
    named = request.args.get("session") or request.args.get("token") or ""
    return named[:255].replace("\0", "")  # which PostgreSQL has no room for


def _just_paid(order: Order) -> AnyResponse:
    """Open a purchase to the browser that paid, and only while it is fresh.

    A payment session's name lies in the database and at the provider; it must not open
    for ever what only the link may open.
    """
    if not _is_fresh(order) and owned.find(order.product_id) is None:
        raise PaidBeforeError(
            "This payment was finished a while ago.",
            "The link to your purchase is in your mail; or use “Find my purchases”.",
        )
    return _to_purchase(order)


def _is_fresh(order: Order) -> bool:
    """Say whether the money came just now, however long ago the buyer sent it."""
    shop = the_shop()
    with shop.reading() as session:
        heard = orders.heard_at(session, order)
    return heard is not None and shop.now() - heard < FRESH


def _waiting(product_name: str, email: str) -> Response:
    again = f"{request.path}?{urlencode({'session': _session_named()})}"
    response = page(
        "processing.html",
        product_name=product_name,
        email=email,
        check_url=again,
        refresh_seconds=3,
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _name_of(order: Order) -> str:
    with the_shop().reading() as session:
        return session.get_one(Product, order.product_id).name


def _to_purchase(order: Order) -> AnyResponse:
    """Send the buyer to their own page, and remember that they come from paying."""
    shop = the_shop()
    response = redirect(purchase_path(shop.keys, order), 303)
    if _is_fresh(order):
        set_cookie(response, "fresh", order.public_id, seconds=FRESH.seconds)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return with_visitor(response)
