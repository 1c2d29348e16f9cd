"""What a page of the seller's own shows of an experiment: asked for by `variants.js`."""

from flask import Blueprint, Response, abort, jsonify, request

from handsel.web import tested
from handsel.web.guards import Policy, guard
from handsel.web.pages import the_shop

blueprint = Blueprint("variants", __name__)
guard(blueprint, Policy("pages of the listed sites; reads no cookie, counts nobody"))

MOST = 10


@blueprint.get("/embed/variants")
def variants() -> Response:
    """Say for each experiment that is named what this visitor is to see.

    `{"headline": "b.123.PROOF"}`: what follows the variant is our word for it, by which
    the page says that it was shown. Once a variant is shipped it stands alone, and
    counts for nothing. What is not there is shown as it was written.
    """
    origin = request.headers.get("Origin", "")
    if origin not in the_shop().settings.sites:
        abort(403)
    names = request.args.get("e", "")[:500].split(",")[:MOST]
    response = jsonify(tested.on_a_page(names))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Vary"] = "Origin"
    return response
