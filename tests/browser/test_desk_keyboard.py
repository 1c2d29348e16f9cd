"""By keyboard alone: every control of every page of the desk is reached, seen, and left."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from handsel.shop import Shop
from tests.browser.test_desk_pages import Desk, desk, filled, let_in
from tests.ground.chromium import visit

__all__ = ["desk", "filled"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MOST = 400
"""Presses of Tab after which somebody has lost patience, and the test."""

# All that can be pressed or typed into; of several to choose from, one is in the way of Tab.
MARK = """() => {
  const all = [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((e) => e.checkVisibility() && !e.matches(":disabled") && e.type != "hidden");
  const seen = new Set();
  const counted = all.filter((e) => {
    if (e.type != "radio") return true;
    if (seen.has(e.name)) return false;
    return seen.add(e.name);
  });
  counted.forEach((e, i) => { e.dataset.stop = e.type == "radio" ? `radio ${e.name}` : i; });
  return counted.map((e) => [e.dataset.stop, e.outerHTML.slice(0, 120)]);
}"""

# What has the focus, and whether that can be seen.
HERE = """() => {
  const e = document.activeElement;
  if (!e || e == document.body) return null;
  const look = getComputedStyle(e);
  // Inside of a frame is a mail, whose links have the browser's own ring.
  const ring = e.tagName == "IFRAME" || look.outlineStyle != "none" && parseFloat(look.outlineWidth) >= 2;
  const name = e.type == "radio" ? `radio ${e.name}` : e.dataset.stop;
  return [name, ring, e.outerHTML.slice(0, 120)];
}"""


def stops(page: Page) -> Iterator[tuple[str, bool, str]]:
    """Press Tab until the page is left, and give what had the focus."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here is None:
            return
        yield tuple(here)
    raise AssertionError("Tab leads round in circles and never out of the page.")


def faults(page: Page, path: str) -> list[str]:
    """Walk through a page, and say what was not reached or not seen."""
    # What is only there without scripts is gone once theirs have come.
    page.locator(".send:not([data-ready])").wait_for(state="detached")
    wanted = {str(name): what for name, what in page.evaluate(MARK)}
    walked = list(stops(page))
    reached = {str(name) for name, _, _ in walked}
    missed = [what for name, what in wanted.items() if name not in reached]
    unseen = [what for _, ring, what in walked if not ring]
    return [f"{path}: not reached: {what}" for what in missed] + [
        f"{path}: focus not seen: {what}" for what in unseen
    ]


def test_every_control_of_the_desk_is_reached_by_tab_and_seen(
    desk: Desk, browser: Browser
) -> None:
    found = []
    with visit(browser) as page:
        let_in(page, desk)
        for path in desk.pages:
            page.goto(f"{desk.url}{path}")
            found += faults(page, path)
    assert not found, "\n".join(found)


def test_the_menu_of_a_telephone_and_a_list_are_walked_by_enter(
    desk: Desk, browser: Browser, shop: Shop
) -> None:
    with visit(browser, viewport={"width": 375, "height": 700}) as page:
        let_in(page, desk)
        page.goto(f"{desk.url}/admin/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator("summary", has_text="Menu").focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Orders", exact=True).focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/orders")
        page.get_by_role("link", name="H-1001").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/H-1001")
        page.locator("summary", has_text="Send the link again").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/H-1001?said=*")
        page.get_by_role("status").first.wait_for()
        assert shop.settings.shop.name in page.title()
