"""What anybody may see: the shop, a product, and buying it."""

import logging
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, NotFoundError, ShopError
from handsel.kit.markdown import markdown_to_plain, render_markdown
from handsel.kit.money import Money, format_money
from handsel.kit.text import human_size, normalise_email, suggest_email
from handsel.models import Order, Product
from handsel.models.words import OrderStatus, PaymentState
from handsel.sales import catalogue, checkout
from handsel.sales.payments.base import (
    PaymentProvider,
    ProviderUnavailableError,
    UnknownSessionError,
)
from handsel.web import limits, owned
from handsel.web.guards import Policy, guard
from handsel.web.links import purchase_path
from handsel.web.pages import page, set_cookie, the_shop, visitor_key, with_visitor

log = logging.getLogger("handsel.web")

blueprint = Blueprint("storefront", __name__)
guard(
    blueprint, Policy("anybody; other sites may send buyers here", foreign_posts=True)
)

FRESH_MINUTES = 15
"""How long after paying the first file may start by itself."""


@blueprint.get("/")
def shop() -> Response:
    """Show everything for sale."""
    with the_shop().reading() as session:
        products = [_card(each) for each in catalogue.all_products(session)]
    return page("shop.html", products=products)


@blueprint.get("/p/<slug>")
def product(slug: str) -> AnyResponse:
    """Show one product with its button."""
    return _product_page(slug)


def _product_page(
    slug: str, status: int = 200, error: ShopError | None = None
) -> AnyResponse:
    with the_shop().reading() as session:
        found = catalogue.published(session, slug)
        response = page(
            "product.html",
            status,
            product=_details(found),
            buy_action=url_for("storefront.buy", slug=slug),
            buttons=_buttons(),
            hidden={"press": secrets.token_urlsafe(16)},
            error=error and {"message": error.message, "hint": error.hint},
            cancelled="cancelled" in request.args,
            owned_url=owned.find(found.id),
            meta=_meta(found),
        )
    return _with_press(response)


def _with_press(response: AnyResponse) -> AnyResponse:
    """Send a page whose form is this browser's own: nobody else may be given it."""
    response.headers["Cache-Control"] = "private, no-cache"
    return with_visitor(response)


@blueprint.get("/cover/<sha256>")
def cover(sha256: str) -> Response:
    """Give a cover image; its address is its content, so it may be kept for ever."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise NotFoundError("There is no such picture.")
    with the_shop().reading() as session:
        kind = catalogue.cover_type(session, sha256)
    with the_shop().storage.open(sha256) as file:
        response = Response(file.read(), content_type=kind)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@blueprint.get("/buy/<slug>")
def summary(slug: str) -> AnyResponse:
    """Sum up what is bought, for a link straight to it."""
    return _buy_page(slug, {}, {})


def _buy_page(
    slug: str, values: Mapping[str, str], errors: Mapping[str, str]
) -> AnyResponse:
    with the_shop().reading() as session:
        found = catalogue.published(session, slug)
        suggestion = suggest_email(values.get("email", "")) or ""
        response = page(
            "buy.html",
            422 if errors else 200,
            product=_details(found),
            form={"values": values, "errors": errors, "suggestion": suggestion},
            buy_action=url_for("storefront.buy", slug=slug),
            buttons=_buttons(),
            hidden={"press": secrets.token_urlsafe(16)},
            statement_text="",
        )
    return _with_press(response)


@blueprint.post("/buy/<slug>")
def buy(slug: str) -> AnyResponse:
    """Open a payment session and send the buyer there; a free product is given."""
    limits.hit("buy", most=30, minutes=10)
    shop = the_shop()
    with shop.reading() as session:
        offer = checkout.prepare(session, slug)
    press = _press()
    typed = request.form.get("email", "").strip()
    try:
        email = normalise_email(typed) if typed or not offer.price.minor else None
    except BadInputError as error:
        return _buy_page(slug, {"email": typed}, {"email": str(error)})
    if not offer.price.minor:
        assert email
        return _give(offer, press, email)
    try:
        return _to_payment(offer, press, _chosen(), email)
    except ProviderUnavailableError as error:
        log.warning("A payment could not be started: %s", error)
        response = _product_page(slug, 503, error)
        response.headers["Retry-After"] = str(error.after)
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
    shop = the_shop()
    key = checkout.checkout_key(f"{press}\0{email}", offer, checkout.FREE)
    with shop.transaction() as session:
        order = checkout.without_payment(
            session,
            shop.keys,
            offer,
            key=key,
            kind=checkout.FREE,
            test=shop.test_mode,
            email=email,
            now=shop.now(),
        )
    return _to_purchase(order)


def _to_payment(
    offer: checkout.Offer, press: str, provider: PaymentProvider, email: str | None
) -> AnyResponse:
    """Send the buyer to pay. A second press with the same form is the same payment."""
    shop = the_shop()
    key = checkout.checkout_key(press, offer, provider.name)
    with shop.reading() as session:
        before = checkout.begun(session, key)
    if before and before.payment_url and _still_open(before):
        return redirect(before.payment_url, 303)
    if before and before.paid_at and visitor_key()[1]:
        return _to_purchase(before)
    if before:
        key = checkout.checkout_key(secrets.token_urlsafe(16), offer, provider.name)
    wanted = checkout.purchase(
        offer,
        key,
        keys=shop.keys,
        shop_url=shop.settings.public_url,
        provider=provider.name,
        email=email,
        now=shop.now(),
    )
    with shop.calling():
        started = provider.start(wanted, shop.now())
    with shop.transaction() as session:
        checkout.place(
            session,
            shop.keys,
            offer,
            started,
            key=key,
            provider=provider.name,
            test=provider.test,
            email=email,
            now=shop.now(),
        )
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
    session_id = request.args.get("session", "")[:255]
    try:
        order = the_shop().hear(provider, session_id)
    except UnknownSessionError:
        raise NotFoundError(
            "There is no such payment here.",
            "If you have paid, the link to your purchase comes by mail.",
        ) from None
    except ProviderUnavailableError:
        return _waiting("", "")
    if order.paid_at or order.status is OrderStatus.NEEDS_REVIEW:
        return _to_purchase(order)
    if order.session_state in (PaymentState.PROCESSING, PaymentState.COMPLETE):
        return _waiting(_name_of(order), order.email or "")
    slug = _slug_of(order)
    return redirect(url_for("storefront.product", slug=slug, cancelled=1), 303)


def _waiting(product_name: str, email: str) -> Response:
    again = f"{request.path}?{urlencode({'session': request.args.get('session', '')})}"
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


def _slug_of(order: Order) -> str:
    with the_shop().reading() as session:
        return session.get_one(Product, order.product_id).slug


def _to_purchase(order: Order) -> AnyResponse:
    """Send the buyer to their own page, and remember that they come from paying."""
    shop = the_shop()
    response = redirect(purchase_path(shop.keys, order), 303)
    age = shop.now() - order.paid_at if order.paid_at else None
    if age is not None and age.total_seconds() < FRESH_MINUTES * 60:
        set_cookie(response, "fresh", order.public_id, seconds=FRESH_MINUTES * 60)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return with_visitor(response)


def _buttons() -> list[dict[str, str]]:
    providers = the_shop().providers.values()
    return [{"provider": each.name, "label": each.label} for each in providers]


def _card(found: Product) -> dict[str, Any]:
    files = found.releases[-1].files
    return {
        "name": found.name,
        "slug": found.slug,
        "url": url_for("storefront.product", slug=found.slug),
        "summary": markdown_to_plain(found.description, limit=160),
        "price": _price(catalogue.price_of(found)),
        "free": found.price_minor == 0,
        "cover_url": cover_url(found),
        "cover_width": found.cover_width,
        "cover_height": found.cover_height,
        "formats": [catalogue.file_format(file.name) for file in files],
        "draft": False,
    }


def _details(found: Product) -> dict[str, Any]:
    return _card(found) | {
        "description_html": Markup(render_markdown(found.description)),  # noqa: S704  # safe by kit.markdown
        "files": [
            {
                "format": catalogue.file_format(file.name),
                "name": file.name,
                "size": human_size(file.size),
            }
            for file in found.releases[-1].files
        ],
        "download_limit": found.download_limit,
        "seller": the_shop().settings.shop.name,
    }


def _price(price: Money) -> str:
    return format_money(price, the_shop().settings.shop.locale)


def cover_url(found: Product) -> str | None:
    """Give the address of a product's cover."""
    return url_for("storefront.cover", sha256=found.cover) if found.cover else None


def _meta(found: Product) -> dict[str, Any]:
    """Say to search engines and messengers what the page is about."""
    base = the_shop().settings.public_url
    url = f"{base}{url_for('storefront.product', slug=found.slug)}"
    picture = cover_url(found)
    image = f"{base}{picture}" if picture else None
    amount = catalogue.price_of(found).amount
    description = markdown_to_plain(found.description, limit=160)
    offer = {
        "@type": "Offer",
        "price": amount,
        "priceCurrency": found.currency,
        "availability": "https://schema.org/InStock",
        "url": url,
    }
    return {
        "url": url,
        "description": description,
        "image": image,
        "amount": amount,
        "currency": found.currency,
        "json_ld": {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": found.name,
            "description": description,
            "offers": offer,
            **({"image": image} if image else {}),
        },
    }
