"""What a visitor's address says of where they come from, carried on to the press on Buy.

`embed.js` puts it there, and so may any link. The pages say it again in their links and
forms, so that no cookie is needed; `of(request.form)` is what a POST has brought along.
It is the visitor's word: counted, never trusted.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask import request

_HOST = r"[\w.-]+(:\d{1,5})?"

KEPT: dict[str, tuple[int, str]] = {
    "utm_source": (100, r".+"),
    "utm_medium": (100, r".+"),
    "utm_campaign": (100, r".+"),
    "utm_term": (100, r".+"),
    "utm_content": (100, r".+"),
    "ref": (260, _HOST),
    "page": (300, _HOST + r"(/.*)?"),
    "ga": (41, r"\d{1,10}\.\d{1,10}"),
    "gas": (20, r"\d+"),
    "gat": (12, r"\d+"),
    "variant": (500, r"[\w.,-]+"),
}
"""Every name that is carried, its most letters and its shape; all else is left behind.

`ref`: the site that led to the seller's page; `page`: that page, its host and path;
`ga`, `gas`, `gat`: Google Analytics' client and session there, and when that was written,
in seconds since 1970; `variant`: what an experiment of
the page has shown, as `experiment.variant`, several with commas between.
"""

FRESH = timedelta(hours=1)
"""How long Google's names are believed: an address is copied and sent to others, who must
not become one person by it."""
_AHEAD = timedelta(minutes=5)
"""How far the clock of a visitor may be ahead of ours."""


def of(said: Mapping[str, str]) -> dict[str, str]:
    """Give what is kept of an address or a form; what is too long is cut off."""
    found = {name: _cleaned(name, said.get(name, "")) for name in KEPT}
    return {name: text for name, text in found.items() if text}


def _cleaned(name: str, text: str) -> str:
    longest, shape = KEPT[name]
    if name == "variant" and len(text) > longest:  # a part of our word is none
        text = text[:longest].rpartition(",")[0]
    # No control letters: nobody types them, and PostgreSQL refuses NUL.
    plain = "".join(each for each in text[:longest] if each.isprintable()).strip()
    return plain if re.fullmatch(shape, plain, re.ASCII) else ""


def at_google(said: Mapping[str, str], now: datetime) -> tuple[str, str]:
    """Give Google's client and session on the page that was left; nothing for those that
    are of long ago, or of no time at all."""
    age = timedelta(seconds=now.timestamp() - int(said.get("gat") or 0))
    if not -_AHEAD <= age <= FRESH:
        return "", ""
    return said.get("ga", ""), said.get("gas", "")


def here() -> dict[str, str]:
    """Give what the present request carries, in its form or its address."""
    return of(request.form if request.method == "POST" else request.args)


def on(path: str, more: Mapping[str, str] | None = None) -> str:
    """Add what is carried to a path of ours, behind what else its query should say."""
    query = urlencode({**(more or {}), **here()})
    return f"{path}?{query}" if query else path
