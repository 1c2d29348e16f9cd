"""Pages of other sites than the shop, on ports of this machine: other origins, that is."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import FrameLocator, Locator, Page

from handsel.ops import sites
from tests.browser.conftest import Demo

BOOK = "the-first-coin"
HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A site</title>'


def script(demo: Demo) -> str:
    """The line that a seller copies."""
    return f'<script async src="{demo.url}/embed.js?v=1"></script>'


def link(demo: Demo, kind: str, *, slug: str = BOOK, more: str = "") -> str:
    """A marked link, as a seller copies it."""
    mark = f'data-handsel="{kind}" {more}'
    return f'<p><a href="{demo.url}/buy/{slug}" {mark}>Buy the book</a></p>'


@contextmanager
def site(body: str, port: int = 0) -> Iterator[str]:
    """A site with one page; gives its origin."""
    server = sites.listen(port)
    page = f"{HEAD}<h1>Somebody else</h1>{body}".encode()
    with sites.serving(server, {"/": ("text/html; charset=utf-8", page)}):
        yield sites.address_of(server)


WRITE = "html => { document.open(); document.write(html); document.close(); }"


def rewrite(page: Page, demo: Demo, body: str, *, query: str = "", **how: str) -> None:
    """Open a page of the listed site, which has none there, and write one into it.

    Not answered by the test itself: Chromium lets no page of nowhere in to this machine.
    """
    page.goto(f"{demo.site}/mine.html{query}", **how)  # type: ignore[arg-type]  # words
    page.evaluate(WRITE, HEAD + body)


def overlay(page: Page) -> Locator:
    """The overlay, where it is open."""
    return page.locator("dialog.handsel[open]")


def inside(page: Page) -> FrameLocator:
    """What the overlay shows."""
    return page.frame_locator("dialog.handsel iframe")


def opener(page: Page) -> Locator:
    """The link that opens it, of the sample site."""
    return page.locator("[data-handsel=overlay]")


def open_overlay(page: Page) -> None:
    """Press the link, and wait until the shop is there."""
    opener(page).click()
    inside(page).get_by_role("link", name="Buy now").wait_for()
