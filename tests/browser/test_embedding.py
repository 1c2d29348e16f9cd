"""A real Chromium buys from the seller's own pages, which are of another origin."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import handsel
from handsel.web import carried
from tests.browser.conftest import Demo
from tests.browser.sites import (
    inside,
    link,
    open_overlay,
    opener,
    overlay,
    rewrite,
    script,
)
from tests.browser.test_pages import faults_of
from tests.browser.visits import fill_in, press_pay
from tests.ground.chromium import PHONE, visit

CAMPAIGN = "utm_source=letter&utm_campaign=spring"
SCREENS = ((320, 568), (600, 800), (844, 390))
"""A small phone, half of a tablet, and a phone that is held across."""


def told(page: Page) -> dict[str, str]:
    """What the Buy form of the shop knows of where its visitor comes from."""
    fields = page.locator("form[action^='/buy/'] input[type=hidden]")
    found = fields.evaluate_all("all => all.map(each => [each.name, each.value])")
    return carried.of(dict(found))


def buy_here(page: Page, email: str) -> None:
    """From the summary in the shop to the purchase."""
    page.wait_for_url("**/buy/the-first-coin?**")
    page.get_by_role("button", name="Pay €15.00").click()
    page.wait_for_url("**/testpay/**")
    fill_in(page, email=email)
    press_pay(page)
    page.wait_for_url("**/d/*")


def test_a_reader_opens_the_overlay_and_buys(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.site}/?{CAMPAIGN}")
    open_overlay(page)
    assert page.context.cookies() == []
    expect(inside(page).get_by_role("heading", level=1)).to_have_text("The First Coin")
    inside(page).get_by_role("link", name="Buy now").click()

    page.wait_for_url("**/buy/**")
    assert page.url.startswith(demo.url)
    host = demo.site.removeprefix("http://")
    campaign = {"utm_source": "letter", "utm_campaign": "spring"}
    assert told(page) == campaign | {"page": f"{host}/"}
    with page.expect_download():
        buy_here(page, "overlay@example.com")


def test_a_reader_buys_from_the_card(page: Page, demo: Demo) -> None:
    page.goto(demo.site)
    card = page.frame_locator(".handsel-card iframe")
    card.get_by_role("link", name="Buy now").click()
    with page.expect_download():
        buy_here(page, "card@example.com")


def test_without_scripts_the_links_lead_to_the_shop(
    no_scripts: Page, demo: Demo
) -> None:
    for kind in ("overlay", "card"):
        no_scripts.goto(demo.site)
        no_scripts.locator(f"[data-handsel={kind}]").click()
        no_scripts.wait_for_url(f"{demo.url}/buy/the-first-coin")
    no_scripts.get_by_role("button", name="Pay €15.00").click()
    no_scripts.wait_for_url("**/testpay/**")


def test_the_plain_button_leads_to_the_shop_and_tells_where_from(
    page: Page, demo: Demo
) -> None:
    page.goto(f"{demo.site}/index.html?{CAMPAIGN}&other=1")
    page.locator("[data-handsel=button]").click()
    page.wait_for_url("**/p/the-first-coin?**")
    assert told(page)["page"].endswith("/index.html")
    assert told(page)["utm_source"] == "letter"
    assert "other" not in page.url


def test_the_keyboard_is_enough(page: Page, demo: Demo) -> None:
    page.goto(demo.site)
    expect(opener(page)).to_have_attribute("aria-haspopup", "dialog")
    opener(page).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Buy The First Coin")).to_be_visible()
    expect(overlay(page).get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(overlay(page)).to_have_count(0)
    expect(opener(page)).to_be_focused()

    page.keyboard.press("Enter")
    buy = inside(page).get_by_role("link", name="Buy now")
    buy.wait_for()
    page.keyboard.press("Tab")
    expect(buy).to_be_focused()
    page.keyboard.press("Escape")  # which the frame hears, and not the page
    expect(overlay(page)).to_have_count(0)
    expect(opener(page)).to_be_focused()

    page.keyboard.press("Enter")
    buy.wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/buy/**")


def test_a_click_beside_it_or_on_the_cross_closes_it(page: Page, demo: Demo) -> None:
    page.goto(demo.site)
    open_overlay(page)
    page.mouse.click(5, 5)
    expect(overlay(page)).to_have_count(0)

    open_overlay(page)
    overlay(page).get_by_role("button", name="Close").click()
    expect(overlay(page)).to_have_count(0)
    expect(opener(page)).to_be_focused()


NOTE_PRESSES = """() => {
  window.pressed = [];
  for (const kind of ["click", "auxclick"])
    addEventListener(kind, (event) => {
      pressed.push([event.defaultPrevented, event.target.closest("a").href]);
      event.preventDefault();
    });
}"""
"""Keep what the browser would do next, and keep it from doing it: a tab in the background
of a browser without a screen may stay empty for as long as it likes."""


def test_who_wants_a_new_tab_gets_one(page: Page, demo: Demo) -> None:
    page.goto(demo.site)
    page.evaluate(NOTE_PRESSES)
    opener(page).click(modifiers=["ControlOrMeta"])
    opener(page).click(button="middle")

    expect(overlay(page)).to_have_count(0)
    pressed = page.evaluate("pressed")
    assert [prevented for prevented, _ in pressed] == [False, False]
    for _, leads in pressed:
        assert leads.startswith(f"{demo.url}/buy/the-first-coin?page=")


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_on_a_phone_it_fills_the_screen(
    browser: Browser, demo: Demo, width: int, height: int
) -> None:
    screen = {**PHONE, "viewport": {"width": width, "height": height}}
    with visit(browser, **screen) as phone:
        phone.goto(demo.site)
        opener(phone).tap()
        buy = inside(phone).get_by_role("link", name="Buy now")
        buy.wait_for()
        assert overlay(phone).bounding_box() == {
            "x": 0,
            "y": 0,
            "width": width,
            "height": height,
        }
        assert phone.evaluate("document.documentElement.scrollWidth") == width
        cross = overlay(phone).get_by_role("button", name="Close").bounding_box()
        assert cross
        assert min(cross["width"], cross["height"]) >= 44
        box = buy.bounding_box()
        assert box
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= height
        buy.tap()
        phone.wait_for_url("**/buy/**")


SHIFTS = """() => new Promise((done) => new PerformanceObserver((list) => done(
    list.getEntries().map((each) => each.value).reduce((a, b) => a + b, 0)
)).observe({ type: "layout-shift", buffered: true }) || setTimeout(() => done(0), 300))"""


def test_nothing_moves_when_the_card_comes(page: Page, demo: Demo) -> None:
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 1400})
        page.goto(demo.site)
        page.frame_locator(".handsel-card iframe").get_by_text("€15.00").wait_for()
        page.locator(".handsel-card.on").wait_for()
        # What is left is the link that becomes a button: a tenth of what counts as good.
        assert page.evaluate(SHIFTS) < 0.01


PICO = Path(handsel.__file__).parent / "static/vendor/pico-2.1.1/pico.css"
STYLE = """each => {
    const { outlineStyle, outlineOffset } = getComputedStyle(each);
    return [outlineStyle, outlineOffset];
}"""


def test_a_sheet_that_styles_whole_pages_changes_nothing_and_nothing_moves(
    page: Page, demo: Demo
) -> None:
    boxes = []
    for sheet in ("", f"<style>{PICO.read_text()}</style>"):
        rewrite(page, demo, sheet + script(demo) + link(demo, "overlay"))
        page.wait_for_function("window.handsel")
        before = opener(page).bounding_box()
        opener(page).focus()
        page.keyboard.press("Enter")
        inside(page).get_by_role("link", name="Buy now").wait_for()
        expect(overlay(page).get_by_role("status")).to_have_count(0)
        cross = overlay(page).get_by_role("button", name="Close")
        assert cross.evaluate(STYLE) == ["solid", "-4px"]
        cross.hover()
        box, corner = overlay(page).bounding_box(), cross.bounding_box()
        frame = page.locator("dialog.handsel iframe").bounding_box()
        assert box
        assert corner
        assert (box["x"], box["width"]) == (400, 480)
        assert corner == {"x": 832, "y": box["y"], "width": 48, "height": 48}
        assert frame == box
        assert opener(page).bounding_box() == before
        style = "getComputedStyle(document.documentElement).overflowY"
        assert page.evaluate(style) == "visible"  # or its scroll bar would go
        boxes.append(box)
        page.mouse.click(5, 5)
        expect(overlay(page)).to_have_count(0)
    assert boxes[0] == boxes[1]


def test_the_overlay_is_as_high_as_what_is_in_it(page: Page, demo: Demo) -> None:
    page.goto(demo.site)
    open_overlay(page)
    whole = inside(page).locator("main").evaluate("main => main.scrollHeight")
    box = overlay(page).bounding_box()
    assert box
    assert box["height"] == whole


def test_nothing_hinders_anybody_on_site_overlay_and_card(
    page: Page, demo: Demo
) -> None:
    page.emulate_media(reduced_motion="reduce")
    faults = {}
    for name, address in (
        ("site", demo.site),
        ("overlay", f"{demo.url}/embed/p/the-first-coin"),
        ("card", f"{demo.url}/embed/p/the-first-coin?card"),
        ("free", f"{demo.url}/embed/p/leaflet"),
    ):
        page.set_viewport_size({"width": 1280, "height": 700})
        page.goto(address)
        if name == "site":
            page.locator(".handsel-card.on").wait_for()
        faults[name] = faults_of(page)
        page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 700})
    page.goto(demo.site)
    open_overlay(page)
    faults["site with the overlay open"] = faults_of(page)
    assert not any(faults.values()), faults


def test_the_overlay_is_dark_in_the_dark(page: Page, demo: Demo) -> None:
    def light(scheme: str) -> int:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(demo.site)
        open_overlay(page)
        ways = {
            "frame": inside(page).locator("html"),
            "overlay": overlay(page),
        }
        seen = [
            way.evaluate("each => getComputedStyle(each).backgroundColor")
            for way in ways.values()
        ]
        numbers = [re.findall(r"\d+", each)[:3] for each in seen]
        sums = [sum(int(part) for part in each) for each in numbers]
        assert len({each > 380 for each in sums}) == 1, seen
        return sums[0]

    assert light("dark") < 200 < 600 < light("light")


def test_the_button_has_its_looks_under_a_strict_policy_and_a_class_keeps_its_own(
    page: Page, demo: Demo
) -> None:
    page.goto(demo.site)
    page.locator(".handsel-card.on").wait_for()
    color = "each => getComputedStyle(each).backgroundColor"
    assert opener(page).evaluate(color) == "rgb(20, 97, 79)"
    assert page.locator("a.plain").evaluate(color) == "rgba(0, 0, 0, 0)"


def test_it_may_be_there_twice_and_more_than_one_product_and_later(
    page: Page, demo: Demo
) -> None:
    many = link(demo, "card") + link(demo, "card", slug="leaflet")
    rewrite(page, demo, script(demo) * 2 + many)
    expect(page.locator(".handsel-card.on")).to_have_count(2)
    names = page.evaluate(
        """() => {
            const bare = document.body.appendChild(document.createElement("iframe"));
            const usual = new Set(Object.getOwnPropertyNames(bare.contentWindow));
            bare.remove();
            return Object.getOwnPropertyNames(window).filter((each) =>
                !usual.has(each) && !/^[0-9]+$|^__pw|playwright/i.test(each));
        }"""
    )
    assert names == ["handsel"]

    page.evaluate(
        "html => document.body.insertAdjacentHTML('beforeend', html)",
        link(demo, "card") + link(demo, "overlay"),
    )
    page.evaluate("handsel.scan()")
    expect(page.locator(".handsel-card.on")).to_have_count(3)
    open_overlay(page)


def test_a_link_of_somebody_elses_is_left_alone(page: Page, demo: Demo) -> None:
    rewrite(
        page,
        demo,
        script(demo)
        + f'<a href="{demo.url}/find" data-handsel="overlay">Find</a>'
        + f'<a href="{demo.site}/buy/x" data-handsel="card">Ours</a>',
    )
    page.wait_for_function("window.handsel")
    expect(page.locator(".handsel-card")).to_have_count(0)
    page.get_by_text("Find").click()
    page.wait_for_url(f"{demo.url}/find")
