"""Paying on a page of our own: Stripe's fields between our summary and our button.

The one page that loads anything from somebody else, so it has a policy to itself. What is
typed into Stripe's fields never comes here; `static/pay.js` is all that talks to Stripe's
script. Whether it was paid is asked of Stripe, by `/return/stripe` as ever.
"""

import logging
from typing import cast

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, ConfigurationError, NotFoundError
from handsel.kit.text import normalise_email, suggest_email
from handsel.models import Order, Product
from handsel.models.words import EventKind, PaymentState
from handsel.ops import beginning
from handsel.sales import blocks, checkout
from handsel.sales.checkout import Offer
from handsel.sales.payments.base import ProviderUnavailableError
from handsel.sales.payments.stripe import Fields, StripeProvider
from handsel.web import checking, limits, tested, visits
from handsel.web.guards import Policy, content_policy, guard
from handsel.web.pages import own_browser, page, the_shop
from handsel.web.pricetags import price, tax_note
from handsel.web.showing import cover_url, product_page

log = logging.getLogger("handsel.web")

blueprint = Blueprint("paying", __name__)
guard(blueprint, Policy("a buyer who was sent to pay here", secret=True))

STRIPE = {
    "script": "https://js.stripe.com https://*.js.stripe.com",
    "frame": "https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com "
    "https://link.com https://*.link.com",
    "connect": "https://api.stripe.com https://link.com https://*.link.com",
    "img": "https://*.link.com",
}
"""What Stripe says its fields, 3-D Secure and Link need: docs.stripe.com/security/guide.

Maps and Connect, which stand there too, are for fields that we do not show.
"""


@blueprint.get("/pay/<session>")
def pay_page(session: str) -> AnyResponse:
    """Show what is bought and the fields; if it is over, say what has become of it."""
    with the_shop().reading() as reading:
        order = _order(reading, session)
        offer = checkout.offered_before(reading, order)
        product = reading.get_one(Product, order.product_id)
    offer = tested.again(offer, order)
    fields = _fields(order)
    if fields is None:
        return _what_became(session)
    return _page(session, offer, product, fields)


@blueprint.get("/pay/<session>/open")
def is_open(session: str) -> Response:
    """Say whether nothing was paid yet, after Stripe's script could not say that it was."""
    with the_shop().reading() as reading:
        order = _order(reading, session)
    return jsonify(open=_fields(order) is not None)


@blueprint.post("/pay/<session>/hosted")
def pay_hosted(session: str) -> AnyResponse:
    """End this payment and begin it anew on Stripe's page, for whom this one fails."""
    limits.hit("buy", most=60, minutes=10)
    shop = the_shop()
    with shop.reading() as reading:
        order = _order(reading, session)
        offer = checkout.offered_before(reading, order)
    offer = tested.again(offer, order)
    if asked := checking.asked_to_move(offer, order):
        return asked
    try:
        url = beginning.begin_hosted(shop, order, holder=own_browser())
    except BadInputError as error:  # somebody else has got the coupon meanwhile
        return product_page(offer.slug, error.status, error)
    except (ProviderUnavailableError, ConfigurationError) as error:
        log.error("A payment could not be moved to Stripe's page: %s", error)
        raise _away() from error
    if not url:
        return _what_became(session)
    with shop.reading() as reading:
        moved = checkout.begun(reading, checkout.hosted_key(order))
    if moved:
        visits.note(
            EventKind.STARTED, purchase=moved.public_id, instead=order.public_id
        )
    return redirect(url, 303)


@blueprint.post("/pay/<session>/email")
def check_email(session: str) -> Response:
    """Say what is wrong with an address, or what was perhaps meant, while one types on."""
    limits.hit("typing", most=120, minutes=10)
    typed = request.form.get("email", "")[:300]
    try:
        email = normalise_email(typed)
        with the_shop().reading() as reading:
            blocks.check(reading, the_shop().keys, email)
        wrong = ""
    except BadInputError as error:
        wrong = str(error)
    return jsonify(error=wrong, suggestion=suggest_email(typed) or "")


def _order(session: Session, name: str) -> Order:
    found = checkout.of_session(session, "stripe", name[:255])
    if found is None:
        raise NotFoundError(
            "There is no such payment here.",
            "If you have paid, the link to your purchase comes by mail.",
        )
    return found


def _fields(order: Order) -> Fields | None:
    """Ask Stripe for what its fields need; None when the payment is over."""
    limits.hit("pay", most=100, minutes=10)
    if order.session_state is not PaymentState.OPEN or order.paid_at:
        return None
    stripe = cast(StripeProvider, the_shop().provider("stripe"))
    try:
        with the_shop().calling():
            return stripe.fields(order.session_id)
    except (ProviderUnavailableError, ConfigurationError) as error:
        log.error("The fields of a payment could not be shown: %s", error)
        raise _away() from error


def _what_became(session: str) -> AnyResponse:
    """Send the buyer where the truth is asked for: their purchase, or not charged."""
    back = url_for("buying.come_back", provider="stripe", session=session)
    return redirect(back, 303)


def _away() -> ProviderUnavailableError:
    return ProviderUnavailableError(
        "This shop cannot take payments at the moment. You were not charged.",
        "Please load this page again in a minute.",
    )


def _page(session: str, offer: Offer, product: Product, fields: Fields) -> Response:
    lowered = offer.quote.discount.minor > 0
    before = lowered or offer.business
    response = page(
        "pay.html",
        product={
            "name": product.name,
            "cover_url": cover_url(product),
            "cover_width": product.cover_width,
            "cover_height": product.cover_height,
        },
        seller=the_shop().settings.shop.name,
        coupon=offer.coupon.code if offer.coupon else "",
        sums={
            "before": price(offer.quote.before) if before else "",
            "discount": price(offer.quote.discount) if lowered else "",
            "relief": price(offer.quote.relief) if offer.business else "",
            "total": price(offer.price),
        },
        tax_name=the_shop().settings.tax.name,
        tax_note=tax_note(offer),
        email=fields.email or "",
        unfinished="unfinished" in request.args,
        stripe={
            "key": fields.publishable_key,
            "secret": fields.client_secret,
            "return_url": url_for(
                "buying.come_back", provider="stripe", session=session
            ),
            "open_url": url_for("paying.is_open", session=session),
            "email_url": url_for("paying.check_email", session=session),
        },
        hosted_action=url_for("paying.pay_hosted", session=session),
        cancel_url=checkout.back_path(offer),
    )
    response.headers["Content-Security-Policy"] = content_policy(**STRIPE)
    # Wallets open windows of their own, and answer the page that opened them.
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    return response
