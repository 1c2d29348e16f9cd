"""What a seller has the page of a product say: its button, and its template."""

import re

from jinja2 import TemplateSyntaxError

from handsel.kit.errors import BadInputError
from handsel.kit.text import shown
from handsel.outbound import letters
from handsel.shop import Shop

LONGEST_BUTTON = 40
USUAL_TEMPLATE = "product.html"


def button(shop: Shop, text: str) -> str:
    """Check the words of a button; "" for the usual ones. Raises BadInputError."""
    tidy = " ".join(shown(text).split())
    if len(tidy) > LONGEST_BUTTON:
        raise BadInputError(
            f"The words of a button have {LONGEST_BUTTON} letters at most.",
            "Say it shorter.",
        )
    if tidy and len(shop.providers) > 1 and "{provider}" not in tidy:
        raise BadInputError(
            "With several ways to pay there are several buttons: their words must differ.",
            'Put the way to pay into them: "Get it with {provider}".',
        )
    return tidy


def template(shop: Shop, name: str) -> str:
    """Check a template of the seller's for a product's page. Raises BadInputError."""
    if name == USUAL_TEMPLATE:
        return name
    if not re.fullmatch(r"[\w-][\w.-]{0,90}\.html", name):
        raise BadInputError(
            f"{name} is no name of a template.", "Take one like product.b.html."
        )
    try:
        text = (shop.home / "templates" / name).read_text("utf-8")
        letters.environment(shop.home).compile(text)
    except (OSError, UnicodeDecodeError):
        raise BadInputError(
            f"There is no readable templates/{name} in the folder of the shop.",
            'Begin it with {% extends "product.html" %}; see docs/theming.md.',
        ) from None
    except TemplateSyntaxError as error:
        raise BadInputError(
            f"templates/{name}, line {error.lineno}: {error.message}.",
            "Mend it; `handsel config check` finds more of the kind.",
        ) from None
    return name
