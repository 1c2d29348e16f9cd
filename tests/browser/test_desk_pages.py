"""Every page of the desk in a real Chromium: nothing hinders anybody, and it is pictured.

The pictures are kept in `.pictures/desk`, wide and on a phone, light and dark, for people to
look at after the run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from handsel.shop import Shop
from handsel.web import create_app
from tests.browser.desk_pages import addresses
from tests.ground.chromium import axe, visit
from tests.stories.buyers import with_settings
from tests.stories.desks import Seller, hire
from tests.stories.full_shop import Filled, fill
from tests.web.serving import serving
from tests.web.test_look import TOO_SMALL

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PICTURES = Path(__file__).parents[2] / ".pictures" / "desk"
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 720}
NARROW = {"width": 320, "height": 640}


@dataclass(frozen=True)
class Desk:
    """The desk of a shop, open on a port, and somebody who is signed in."""

    url: str
    seller: Seller
    pages: list[str]


@pytest.fixture
def filled(shop: Shop) -> Filled:
    """What happened in the shop."""
    return fill(shop)


@pytest.fixture
def desk(shop: Shop, filled: Filled) -> Iterator[Desk]:
    """The desk of a shop in which everything has happened."""
    app = create_app(shop)
    with serving(app) as server:
        app.extensions["handsel"] = with_settings(shop, "shop", url=server.url)
        seller = hire(shop)
        yield Desk(server.url, seller, pages_of(seller, filled))


def pages_of(seller: Seller, filled: Filled) -> list[str]:
    """Give the address of every page there is something on; what is fetched is none."""
    return [
        path
        for path in addresses(seller.app, filled)
        if (answer := seller.get(path)).status_code == 200
        and answer.mimetype == "text/html"
    ]


def let_in(page: Page, desk: Desk) -> None:
    """Give a browser the cookies of somebody who is signed in."""
    cookies = [
        {"name": each.key, "value": each.value, "url": desk.url}
        for each in (desk.seller.client._cookies or {}).values()
    ]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]  # playwright's own names


def picture(page: Page, path: str, how: str) -> None:
    """Keep a picture of the page as it stands."""
    name = re.sub(r"\W+", "-", path.removeprefix("/admin")).strip("-") or "home"
    (PICTURES / f"{name}-{how}.png").write_bytes(page.screenshot(full_page=True))


def faults(page: Page, path: str) -> list[str]:
    """Look at a page as everybody does, and say what hinders somebody on it."""
    found = []
    for size, how in ((WIDE, "wide"), (PHONE, "phone")):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # playwright's own names
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            picture(page, path, f"{how}-{scheme}")
            if (how, scheme) in (("wide", "light"), ("phone", "dark")):
                found += [f"{path}, {how} {scheme}: {line}" for line in axe(page)]
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # as above
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > NARROW["width"]:
        found.append(f"{path} is {wide} pixels wide on a screen of {NARROW['width']}")
    small = page.evaluate(TOO_SMALL)
    found += [f"{path}: too small to press: {each}" for each in small]
    if page.locator("h1").count() != 1:
        found.append(f"{path} has not exactly one h1")
    return found


def test_nothing_hinders_anybody_on_any_page_of_the_desk(
    desk: Desk, browser: Browser
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = []
    with visit(browser) as page:
        let_in(page, desk)
        for path in desk.pages:
            answer = page.goto(f"{desk.url}{path}")
            assert answer
            assert answer.status == 200, path
            found += faults(page, path)
    assert not found, "\n".join(found)
