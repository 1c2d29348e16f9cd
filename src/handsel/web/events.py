"""What other pages tell of their visitors: `embed.js`, and whatever the seller builds."""

import re

from flask import Blueprint, Response, abort, request

from handsel.kit import strictjson
from handsel.kit.errors import BadInputError
from handsel.models.words import EventKind
from handsel.web import carried, tested, visits
from handsel.web.guards import Policy, guard
from handsel.web.pages import the_shop

blueprint = Blueprint("events", __name__)
guard(
    blueprint,
    Policy(
        "pages of the seller's, by their origin; counts only",
        foreign_posts=True,
        lent=True,
    ),
)

MOST_BYTES = 4096
SLUG = re.compile(r"[\w-]{1,100}", re.ASCII)
TOLD = (EventKind.VIEWED, EventKind.CLICKED, EventKind.READ)
"""What other pages may tell; what is paid and delivered nobody need tell us."""
SHOWN = "shown"
"""What `variants.js` tells: the variant of an experiment is there to be seen."""


@blueprint.post("/e")
def event() -> Response:
    """Count what a page of the seller's tells, and say nothing (204).

    A JSON object: `kind` (viewed, clicked, read), `product` (its slug), and whatever
    `carried` knows; or `kind` shown, and `variant`, our own words for what an experiment
    has shown. Its type may be text/plain, as `navigator.sendBeacon` says, which
    browsers send to another site without asking first.
    """
    if not _is_known(request.headers.get("Origin", "")):
        abort(403)
    kind, slug, said = _told(request.get_data())
    if kind is None:
        tested.take(said.get("variant", ""))
    visits.keep(carried.of(said), kind, slug=slug)
    response = Response(status=204)
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_known(origin: str) -> bool:
    """Say whether a page is ours, or of a site that may show the shop."""
    settings = the_shop().settings
    ours = (settings.public_url.lower(), *settings.sites)
    return origin.rstrip("/").lower() in ours


def _told(body: bytes) -> tuple[EventKind | None, str, dict[str, str]]:
    if len(body) > MOST_BYTES:
        abort(413)
    try:
        told = strictjson.read_object(body)
        said = {name: value for name, value in told.items() if isinstance(value, str)}
        if said.get("kind") == SHOWN:
            return None, "", said
        kind = EventKind(told.get("kind", ""))
    except ValueError:
        raise _wrong() from None
    if kind not in TOLD or not SLUG.fullmatch(said.get("product", "")):
        raise _wrong()
    return kind, said["product"], said


def _wrong() -> BadInputError:
    kinds = ", ".join(TOLD)
    return BadInputError(
        "This event cannot be counted.",
        f"Send a JSON object with a kind ({kinds}) and a product.",
    )
