"""What other sites load to sell from their own pages: the script, and oEmbed.

`static/embed.js` says itself what it does. What it is told here is which sites may show
the shop in theirs; `?v=` in its address is the version of the marks it understands, of
which there is one so far.
"""

import json
import re
from functools import cache
from importlib.resources import files

from flask import Blueprint, Response, jsonify, request

from handsel.kit.errors import NotFoundError
from handsel.models import Product
from handsel.sales import catalogue
from handsel.web.guards import Policy, guard
from handsel.web.pages import the_shop
from handsel.web.showing import cover_url

blueprint = Blueprint("embed", __name__)
guard(blueprint, Policy("any site, and whoever reads it; nothing is kept", lent=True))

HOUR = "public, max-age=3600"
OPEN = "/* origins */"
"""The place in the script where the listed sites are written."""
STREAM = r"_ga_\w+="
"""Google's cookie of any stream; a shop that has one looks for that of its own."""
SPACE = re.compile(
    r"\s*(=>|[!=]==|&&|\|\||[+=,:;{}?>])\s+|\s+(?=})|(?<=if|or)\s(?=\()|(?<=\))\s+(?=\w)"
)
"""What browsers do not need. No words in the scripts have such a sign and a space."""


@blueprint.get("/embed.js")
def script() -> Response:
    """Give the script, which knows the sites that may open an overlay."""
    return _lend("embed.js")


@blueprint.get("/embed/variants.js")
def variants() -> Response:
    """Give the script of pages with an experiment; apart, as the others need not wait
    for it."""
    return _lend("variants.js")


def _lend(name: str) -> Response:
    settings = the_shop().settings
    listed = ",".join(json.dumps(each) for each in settings.sites)
    script = _script(name).replace(OPEN, listed)
    if stream := settings.analytics.ga4_id.removeprefix("G-"):
        script = script.replace(STREAM, f"_ga_{stream}=")
    response = Response(script, mimetype="text/javascript")
    response.headers["Cache-Control"] = HOUR
    response.add_etag()
    response.make_conditional(request)
    return response


@cache
def _script(name: str) -> str:
    """Give a script without its space and comments: readers pay for each letter."""
    text = (files("handsel") / "static" / name).read_text("utf-8")
    lines = (line.strip() for line in text.splitlines())
    kept = "\n".join(line for line in lines if line and not line.startswith("//"))
    return re.sub("[,;]+}", "}", SPACE.sub(r"\1", kept))


@blueprint.get("/oembed")
def oembed() -> Response:
    """Describe a product to programs that show links as more than links: oembed.com.

    As a link with a picture. Frames are for listed sites alone, and a piece of HTML
    would be shown or thrown away as each program likes.
    """
    if request.args.get("format", "json") != "json":
        return Response("Only JSON is spoken here.\n", 501, mimetype="text/plain")
    slug = _slug_of(request.args.get("url", ""))
    with the_shop().reading() as session:
        found = catalogue.published(session, slug)
    response = jsonify(_as_link(found) | _thumbnail(found))
    response.headers["Cache-Control"] = HOUR
    return response


def _slug_of(address: str) -> str:
    ours = re.escape(the_shop().settings.public_url)
    match = re.fullmatch(rf"{ours}/(?:p|buy)/([\w-]+)/?([?#].*)?", address, re.ASCII)
    if not match:
        raise NotFoundError("There is no such product in this shop.")
    return match[1]


def _as_link(found: Product) -> dict[str, str | int]:
    shop = the_shop().settings
    return {
        "version": "1.0",
        "type": "link",
        "title": found.name,
        "author_name": shop.shop.name,
        "author_url": shop.public_url,
        "provider_name": shop.shop.name,
        "provider_url": shop.public_url,
        "cache_age": 3600,
    }


def _thumbnail(found: Product) -> dict[str, str | int]:
    """Give the cover, where it is not larger than was asked for."""
    path, width, height = cover_url(found), found.cover_width, found.cover_height
    if not path or not width or not height:
        return {}
    if width > _most("maxwidth") or height > _most("maxheight"):
        return {}
    return {
        "thumbnail_url": f"{the_shop().settings.public_url}{path}",
        "thumbnail_width": width,
        "thumbnail_height": height,
    }


def _most(name: str) -> int:
    return request.args.get(name, 100_000, type=int)
