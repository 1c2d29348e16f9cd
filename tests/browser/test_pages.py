"""Every page of the shop: nothing hinders anybody, on any screen, by day and by night."""

import re
from collections.abc import Iterator

from playwright.sync_api import Browser, Locator, Page

from tests.browser import visits
from tests.browser.conftest import Demo
from tests.browser.visits import fill_in, go_to_payment, mail_for, press_pay
from tests.ground.chromium import axe, visit

WIDTHS = (320, 375, 1280)
BUYER = "walker@example.com"


def every_page(page: Page, demo: Demo) -> Iterator[str]:
    """Walk through the whole shop; stop at each page and say which it is."""
    for name, path in (
        ("shop", "/"),
        ("product", "/p/the-first-coin"),
        ("not charged", "/p/the-first-coin?cancelled=1"),
        ("summary", "/buy/the-first-coin"),
        ("free form", "/buy/leaflet"),
        ("find", "/find"),
        ("error", "/nowhere"),
    ):
        page.goto(f"{demo.url}{path}")
        yield name
    yield from _buying(page, demo)
    yield from _finding(page, demo)


def _buying(page: Page, demo: Demo) -> Iterator[str]:
    go_to_payment(page, demo)
    yield "payment"
    press_pay(page)
    yield "payment, errors in the fields"
    fill_in(page, email=BUYER, number=visits.DECLINED)
    press_pay(page)
    yield "payment, declined"
    fill_in(page, number=visits.ASKS)
    press_pay(page)
    page.get_by_role("button", name="Approve").wait_for()
    yield "the bank asks"
    with page.expect_download():
        page.get_by_role("button", name="Approve").click()
    page.wait_for_url("**/d/*")
    page.get_by_text("Is my copy whole?").first.click()
    page.get_by_text("Wrong address? Fix it").click()
    yield "purchase"
    page.get_by_role("button", name="Save and send").click()
    yield "purchase, address wrong"

    go_to_payment(page, demo)
    fill_in(page, email=BUYER, number=visits.DISPUTED)
    press_pay(page)
    page.wait_for_url("**/d/*")
    yield "disputed"

    go_to_payment(page, demo)
    fill_in(page, email=BUYER, number=visits.PAYS_LATER)
    press_pay(page)
    page.get_by_role("heading", name="being processed").wait_for()
    page.evaluate("for (let id = 0; id < 99; id++) clearTimeout(id)")
    yield "processing"


def _finding(page: Page, demo: Demo) -> Iterator[str]:
    page.goto(f"{demo.url}/find")
    page.get_by_role("button", name="Send me the link").click()
    yield "find, nothing typed"
    page.get_by_label("E-mail").fill(BUYER)
    page.get_by_role("button", name="Send me the link").click()
    yield "look into your mail"
    link = mail_for(page, demo, BUYER, "Your purchases")
    yield "mail"
    page.goto(f"{demo.url}/mail")
    yield "mailbox"
    page.goto(link)
    yield "open the list"
    page.get_by_role("button", name="Show my purchases").click()
    yield "list"
    page.context.clear_cookies()
    page.goto(link)
    page.get_by_role("button", name="Show my purchases").click()
    yield "link spent"


def used_up(page: Page, browser: Browser, demo: Demo) -> Iterator[str]:
    """The free leaflet may be taken once; a second device comes too late."""
    page.goto(f"{demo.url}/buy/leaflet")
    page.get_by_label("Your e-mail").fill("leaf@example.com")
    with page.expect_download():
        page.get_by_role("button", name="Send me").click()
    page.wait_for_url("**/d/*")
    with visit(browser) as late:
        late.goto(page.url)
        late.get_by_text("the one download is used up").wait_for()
    page.reload()
    yield "purchase, used up"


def faults_of(page: Page) -> list[str]:
    """Everything that hinders somebody on the page as it stands."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {line}" for line in axe(page)]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 700})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{wide} pixels wide on a screen of {width}")
    if page.locator("h1").count() != 1:
        found.append("not exactly one h1")
    return found


def test_nothing_hinders_anybody_on_any_page(
    page: Page, browser: Browser, demo: Demo
) -> None:
    page.emulate_media(reduced_motion="reduce")
    faults: dict[str, list[str]] = {}
    seen = []
    for stops in (every_page(page, demo), used_up(page, browser, demo)):
        for name in stops:
            seen.append(name)
            if found := faults_of(page):
                faults[name] = found
            page.emulate_media(color_scheme="light")

    assert faults == {}
    assert len(seen) == len(set(seen)) > 20


RICH = """
| Chapter | Pages | Level | Exercises | Solutions | Audio |
|---|---|---|---|---|---|
| Introduction | twenty-four | beginners | fifteen | included | included |

```python
print("a line of code that is far too long for any phone of three hundred pixels")
```
"""
ARABIC = "هذا كتاب عن أول قرش في اليوم!\n\n- فصل أول"


def test_a_rich_description_hinders_nobody(page: Page, demo: Demo) -> None:
    page.emulate_media(reduced_motion="reduce")
    describe(demo, "rich", RICH)
    page.goto(f"{demo.url}/p/rich")
    assert faults_of(page) == []


def test_a_description_runs_the_way_its_language_does(page: Page, demo: Demo) -> None:
    describe(demo, "arabic", ARABIC)
    page.goto(f"{demo.url}/p/arabic")
    way = "element => getComputedStyle(element).direction"
    assert page.locator(".prose li").evaluate(way) == "rtl"
    assert page.get_by_text("What you get").evaluate(way) == "ltr"


LONG = "A History of Everything That Was Ever Sold, Bought, Bartered or Given Away in "


def test_a_title_that_stands_for_a_cover_stays_inside_it(
    page: Page, demo: Demo
) -> None:
    text = demo.home.with_name("history.txt")
    text.write_text("Once.")
    name = ("--name", LONG * 2, "--slug", "history")
    demo.handsel("product", "add", str(text), "--price", "5", *name)

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 700})
        for path in ("/", "/p/history", "/buy/history"):
            page.goto(f"{demo.url}{path}")
            title = page.locator(".cover.blank span").filter(has_text="History")
            assert inside_its_cover(title), (width, path)


def inside_its_cover(title: Locator) -> bool:
    """Whether nothing of a title is cut off by the edge of its cover."""
    return bool(
        title.evaluate(
            """title => {
                const [inner, outer] = [title, title.parentElement].map(
                    (each) => each.getBoundingClientRect());
                return inner.top >= outer.top && inner.bottom <= outer.bottom;
            }"""
        )
    )


def describe(demo: Demo, slug: str, description: str) -> None:
    """Put a product with this description on the shelf."""
    text = demo.home.with_name(f"{slug}.md")
    text.write_text(description)
    added = ("product", "add", str(text), "--slug", slug, "--price", "5")
    demo.handsel(*added, "--description", str(text))


def test_dark_is_dark(page: Page, demo: Demo) -> None:
    def background(scheme: str) -> int:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(demo.url)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        html = page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        shown = color if not re.search(r", 0\)$", color) else html
        return sum(int(part) for part in re.findall(r"\d+", shown)[:3])

    assert background("dark") < 200 < 600 < background("light")
