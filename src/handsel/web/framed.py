"""A product in a page of the seller's own: the one page that other sites may frame.

It knows nobody and changes nothing. Its button leads out of the frame, to `/buy` in the
whole window: what is bought and paid is never in a frame.
"""

from flask import Blueprint, Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.sales import catalogue
from handsel.web import carried, pricetags, tested, visits
from handsel.web.guards import Policy, guard
from handsel.web.pages import page, the_shop
from handsel.web.showing import buttons, card

blueprint = Blueprint("framed", __name__)
guard(blueprint, Policy("readers of the seller's own sites", framed=True))

MINUTE = "public, max-age=60"
OWN = "private, no-store"


@blueprint.get("/embed/p/<slug>")
def product(slug: str) -> AnyResponse:
    """Show a product as large as an overlay is, or as a card."""
    tried = tested.look(slug)
    with the_shop().reading() as session:
        found = catalogue.published(session, slug)
        shown = pricetags.tag(session, found)
    wish = shown.offer.wish
    place = "storefront.product" if found.open_price else "buying.buy"
    response: Response = page(
        "embed.html",
        product=card(found)
        | pricetags.described(found, shown)
        | {"seller": the_shop().settings.shop.name},
        as_card="card" in request.args,
        buy_url=carried.on(url_for(place, slug=slug), wish),
        product_url=carried.on(url_for("storefront.product", slug=slug), wish),
        sold=bool(buttons(shown.offer)) or not shown.offer.price.minor,
    )
    # A price that is this visitor's own must be nobody else's.
    response.headers["Cache-Control"] = OWN if tried.prices else MINUTE
    visits.note(None)
    return response
