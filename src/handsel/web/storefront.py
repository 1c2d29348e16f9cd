"""What anybody may see: the shop, a product, and a summary of what buying it means."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import NotFoundError
from handsel.models import Product
from handsel.models.words import EventKind
from handsel.sales import catalogue, covers
from handsel.web import carried, tested, visits
from handsel.web.guards import Policy, guard
from handsel.web.pages import page, the_shop
from handsel.web.showing import buy_page, card, product_page

blueprint = Blueprint("storefront", __name__)
guard(blueprint, Policy("anybody; looks and changes nothing"))


@blueprint.get("/")
def shop() -> AnyResponse:
    """Show everything for sale."""
    tested.look()
    with the_shop().reading() as session:
        found = catalogue.all_products(session)
        products = [_on_shelf(each, found) for each in _first_of(found)]
    visits.note(None)
    return tested.keep_promises(page("shop.html", products=products))


def _on_shelf(product: Product, found: Sequence[Product]) -> dict[str, Any]:
    shown = card(product, _others(product, found))
    return shown | {"url": carried.on(shown["url"])}


def _first_of(found: Sequence[Product]) -> list[Product]:
    """Give each family once: by its oldest edition, in the place of the newest."""
    chosen = {each.family or f"alone {each.id}": each for each in found}
    return list(chosen.values())


def _others(product: Product, found: Sequence[Product]) -> list[Product]:
    """Give the other editions of a product."""
    return [each for each in found if each.family and each.family == product.family]


@blueprint.get("/p/<slug>")
def product(slug: str) -> AnyResponse:
    """Show one product with its button."""
    response = product_page(slug)
    visits.note(EventKind.VIEWED, slug=slug)
    return response


@blueprint.get("/cover/<sha256>")
def cover(sha256: str) -> Response:
    """Give a cover image; its address is its content, so it may be kept for ever."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise NotFoundError("There is no such picture.")
    with the_shop().reading() as session:
        kind = covers.type_of(session, sha256)
    with the_shop().storage.open(sha256) as file:
        response = Response(file.read(), content_type=kind)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    # Readers and messengers show it beside a link, and so may the seller's own site.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/buy/<slug>")
def summary(slug: str) -> AnyResponse:
    """Sum up what is bought, for a link straight to it."""
    response = buy_page(slug, {}, {})
    for kind in (EventKind.VIEWED, EventKind.CLICKED):
        visits.note(kind, slug=slug)
    return response
