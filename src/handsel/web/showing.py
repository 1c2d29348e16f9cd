"""What the pages of a product show, worked out for their templates."""

import secrets
from collections.abc import Mapping
from typing import Any

from flask import request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import ShopError
from handsel.kit.markdown import markdown_to_plain, render_markdown
from handsel.kit.money import Money, format_money
from handsel.kit.text import human_size, suggest_email
from handsel.models import Product
from handsel.sales import catalogue, releases
from handsel.sales.payments.units import can_charge
from handsel.shop import taken
from handsel.web import owned
from handsel.web.pages import page, the_shop, with_visitor


def product_page(
    slug: str, status: int = 200, error: ShopError | None = None
) -> AnyResponse:
    """Show one product with its button, and what went wrong before, if anything did."""
    with the_shop().reading() as session:
        found = catalogue.published(session, slug)
    response = page(
        "product.html",
        status,
        product=_details(found),
        buy_action=url_for("buying.buy", slug=slug),
        buttons=_buttons(catalogue.price_of(found)),
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


def buy_page(
    slug: str, values: Mapping[str, str], errors: Mapping[str, str]
) -> AnyResponse:
    """Sum up what is bought; a free product asks for the e-mail address here."""
    with the_shop().reading() as session:
        found = catalogue.published(session, slug)
    suggestion = suggest_email(values.get("email", "")) or ""
    response = page(
        "buy.html",
        422 if errors else 200,
        product=_details(found),
        form={"values": values, "errors": errors, "suggestion": suggestion},
        buy_action=url_for("buying.buy", slug=slug),
        buttons=_buttons(catalogue.price_of(found)),
        hidden={"press": secrets.token_urlsafe(16)},
        statement_text="",
    )
    return _with_press(response)


def _buttons(price: Money) -> list[dict[str, str]]:
    """Give a button for each provider that can charge exactly this price."""
    return [
        {"provider": each.name, "label": each.label}
        for each in the_shop().providers.values()
        if (units := taken(each, price.currency)) and can_charge(units, price)
    ]


def card(found: Product) -> dict[str, Any]:
    """Give what a list shows of a product."""
    files = found.files
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
        "formats": [releases.file_format(file.name) for file in files],
        "draft": False,
    }


def _details(found: Product) -> dict[str, Any]:
    return card(found) | {
        "description_html": Markup(render_markdown(found.description)),  # noqa: S704  # safe by kit.markdown
        "files": [
            {
                "format": releases.file_format(file.name),
                "name": file.name,
                "size": human_size(file.size),
            }
            for file in found.files
        ],
        "download_limit": found.download_limit,
        "seller": the_shop().settings.shop.name,
    }


def _price(price: Money) -> str:
    if not price.minor:
        return "Free"
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
