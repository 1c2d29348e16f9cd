"""Markdown as sellers write it, made into HTML that is safe to show, or plain words."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token


class _Markdown(MarkdownIt):
    """CommonMark with tables; raw HTML comes out as the text it is."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's own name
        """Let through web and mail addresses and places on our own site only."""
        scheme = re.match(r"[^/?#]*?:", url)
        return not scheme or scheme[0].lower() in ("http:", "https:", "mailto:")


_MARKDOWN = _Markdown("js-default", {"html": False})


def render_markdown(text: str, *, top: int = 2, pictures: bool = True) -> str:
    """Make safe HTML of Markdown.

    Headings start at `top`, h2, because the page has its own h1. Links to other sites
    carry `rel="noopener"`; those of unknown kinds (`javascript:`) stay text. Tables take
    the focus, because on a phone they scroll. Without `pictures` those become links: a
    mail must not fetch anything when it is opened.
    """
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.children and not pictures:
            token.children = list(_links_for_pictures(token.children))
    for token in _all(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + top - 1, 6)}"
        if token.type == "link_open" and _leads_away(str(token.attrGet("href"))):
            token.attrSet("rel", "noopener")
        if token.type == "table_open":
            token.attrSet("tabindex", "0")
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return html


def markdown_to_plain(text: str, limit: int = 160) -> str:
    """Give the running words of a text, without headings, for a page's description.

    At most `limit` characters, cut between words and ended with an ellipsis.
    """
    words: list[str] = []
    in_heading = False
    for token in _MARKDOWN.parse(text):
        in_heading = token.type == "heading_open" or (
            in_heading and token.type != "heading_close"
        )
        if token.type == "inline" and not in_heading:
            words += "".join(_said(token)).split()
    return _cut(" ".join(words), limit)


def links_of(text: str) -> list[str]:
    """Give where the links and pictures of a text lead, in their order."""
    found = _all(_MARKDOWN.parse(text))
    places = [token.attrGet("href") or token.attrGet("src") for token in found]
    return [str(place) for place in places if place]


def normalised(place: str) -> str:
    """Write the place a link leads to as it comes out in HTML."""
    return _MARKDOWN.normalizeLink(place)


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or []


def _links_for_pictures(tokens: list[Token]) -> Iterator[Token]:
    inside = False
    for token in tokens:
        inside = (inside or token.type == "link_open") and token.type != "link_close"
        if token.type != "image":
            yield token
            continue
        address = str(token.attrGet("src"))
        words = Token("text", "", 0, content=token.content or address)
        if inside:
            yield words
        else:
            yield Token("link_open", "a", 1, attrs={"href": address})
            yield words
            yield Token("link_close", "a", -1)


def _leads_away(url: str) -> bool:
    return url.lower().startswith(("http:", "https:", "//"))


def _said(token: Token) -> Iterator[str]:
    for child in token.children or []:
        yield child.content if child.content else " " * ("break" in child.type)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    kept = text[:limit].rpartition(" ")[0] or text[: limit - 1]
    return f"{kept.rstrip(' ,;:.-')}…"
