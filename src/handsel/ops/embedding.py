"""What a seller copies into their own pages, and a page to try it on."""

from dataclasses import dataclass
from html import escape

from handsel.kit.errors import ConflictError
from handsel.models.words import ProductStatus
from handsel.sales import catalogue
from handsel.settings import Settings
from handsel.shop import Shop

VERSION = 1
"""Of the marks in a page, which `embed.js` goes on understanding."""
TITLES = {
    "link": "A plain link",
    "button": "A button, which leads to the shop",
    "overlay": "An overlay on your page",
    "card": "A card with cover and price in your page",
    "feed": "In a feed (RSS)",
    "mail": "In a mail",
}


@dataclass(frozen=True)
class Snippets:
    """The pieces for one product. `script` belongs into a page once; `pieces` by kind."""

    name: str
    script: str
    pieces: dict[str, str]


def snippets(shop: Shop, slug: str) -> Snippets:
    """Give the pieces for a product. Raises NotFoundError, ConflictError for a draft."""
    with shop.reading() as session:
        product = catalogue.get(session, slug)
    if product.status is not ProductStatus.PUBLISHED:
        raise ConflictError(
            f"{product.name} is a draft: a button for it would lead nowhere.",
            f"Show it to buyers first: handsel product publish {slug}",
        )
    base = shop.settings.public_url
    buy, label = f"{base}/buy/{slug}", f"Buy {escape(product.name)}"
    marked = {
        kind: f'<a href="{buy}" data-handsel="{kind}">{label}</a>'
        for kind in ("button", "overlay", "card")
    }
    plain = {"link": f'<a href="{buy}">{label}</a>'}
    away = {
        "feed": f"{buy}?utm_medium=feed",
        "mail": f"{buy}?utm_medium=email",
    }
    return Snippets(product.name, script_of(shop.settings), plain | marked | away)


def script_of(settings: Settings) -> str:
    """Give the line that makes links into more."""
    return f'<script async src="{settings.public_url}/embed.js?v={VERSION}"></script>'


def origins_line(settings: Settings, more: str = "https://example.com") -> str:
    """Write the setting with another site in it, as it stands in handsel.toml."""
    every = dict.fromkeys([*settings.embed.origins, more])
    return f"origins = [{', '.join(f'{each!r}' for each in every)}]".replace("'", '"')


PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Buttons for {name}</title>
{script}
<h1>Buttons for {name}</h1>
<p>This page is no page of the shop, as yours will be.</p>
{parts}
"""
KINDS = {
    "link": "A link, as in a mail",
    "button": "A button",
    "overlay": "An overlay",
    "card": "A card",
}


def trial_page(found: Snippets) -> str:
    """Give a page with each of the buttons, as a seller would write it."""
    parts = "\n".join(
        f"<h2>{head}</h2>\n<p>{found.pieces[kind]}</p>" for kind, head in KINDS.items()
    )
    return PAGE.format(name=escape(found.name), script=found.script, parts=parts)
