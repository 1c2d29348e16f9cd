"""Two headlines on the seller's own page: a real Chromium paints one of them, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from handsel.analytics import assigning
from handsel.ops import sites
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from tests import make
from tests.browser.visits import fill_in, press_pay
from tests.ground.chromium import visit
from tests.ground.shops import Clock
from tests.ground.waiting import wait_until
from tests.stories.trying import begin, counted, trial
from tests.stories.visiting import Reader
from tests.web.serving import serving

SEEN = """
const seen = window.seen = [];
const look = () => {
  const found = [...document.querySelectorAll("h1")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }))
    .map((each) => each.textContent).join("+");
  if (seen[seen.length - 1] !== found) seen.push(found);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Remembers what is there to be seen whenever the page is painted."""

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Ada</title>
<style>
[data-handsel-variant*=":"] {{ animation: handsel-hold 1ms {hold} backwards }}
@keyframes handsel-hold {{ from {{ visibility: hidden }} }}
</style>
<script async src="{shop}/embed/variants.js"></script>
<script async src="{shop}/embed.js?v=1"></script>
<h1 data-handsel-variant="headline:a">Old</h1>
<h1 data-handsel-variant="headline:b" hidden>New</h1>
<p><a href="{shop}/buy/book" data-handsel="button">Buy The Book</a></p>
"""


@dataclass(frozen=True)
class Street:
    """A shop, and a page of its seller's on another port of the machine."""

    shop: Shop
    site: str
    reader: Reader

    def agent(self, variant: str) -> str:
        """Give the name of a browser that is to see this variant."""
        tried = trial(self.shop, "headline")
        for number in range(200):
            agent = f"Mozilla/5.0 (X11; Linux x86_64) Chrome/153.0.{number}.0"
            found = assigning.assign(self.shop.keys, tried, "127.0.0.1", agent)
            if found.variant == variant:
                return agent
        raise AssertionError(variant)

    def counted(self) -> list[tuple[int, int, int]]:
        """Give visitors, buyers and money of each variant."""
        return counted(self.reader, "headline")


@pytest.fixture
def street(
    home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Street]:
    """Both are open, and two headlines of the page are tried."""
    made: list[WSGIApplication] = []
    server = sites.listen(0)
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", sites.address_of(server))
    with serving(lambda environ, start: made[0](environ, start)) as door:
        monkeypatch.setenv("HANDSEL_SHOP__URL", door.url)
        # A machine that is busy may need longer to answer than people should wait.
        pages = {"/": "20s", "/hasty": ".3s"}
        shop = open_shop(home, load_settings(home), clock=clock)
        reader = Reader(shop)
        made.append(reader.app)
        make.product(shop)
        begin(shop, "page", "a", "b", name="headline")
        files = {
            path: ("text/html", PAGE.format(shop=door.url, hold=hold).encode())
            for path, hold in pages.items()
        }
        with sites.serving(server, files):
            yield Street(shop, sites.address_of(server), reader)
        reader.close()
        shop.close()


@contextmanager
def arrived(browser: Browser, street: Street, variant: str) -> Iterator[Page]:
    """Open the page as somebody who is to see this variant."""
    with visit(browser, user_agent=street.agent(variant)) as page:
        page.add_init_script(SEEN)
        page.goto(street.site)
        yield page


def painted(page: Page) -> list[str]:
    """Give what was seen, one thing after the other; nothing is left out."""
    found: list[str] = page.evaluate("seen")
    return [each for each in found if each]


ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@ON_SQLITE
@pytest.mark.parametrize(("variant", "words"), [("a", "Old"), ("b", "New")])
def test_one_headline_is_painted_and_its_reader_buys(
    street: Street, browser: Browser, variant: str, words: str
) -> None:
    with arrived(browser, street, variant) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text(words)
        page.wait_for_function("document.documentElement.dataset.handselVariant")
        assert painted(page) == [words]
        place = "ab".index(variant)
        wait_until(lambda: street.counted()[place][0] == 1)

        page.get_by_role("link", name="Buy The Book").click()
        page.wait_for_url("**/buy/book?**")
        assert f"variant=headline.{variant}." in page.url
        page.get_by_role("button", name="Pay €15.00").click()
        page.wait_for_url("**/testpay/**")
        fill_in(page, email="reader@example.com")
        press_pay(page)
        page.wait_for_url("**/d/*")

    expected = [(0, 0, 0), (0, 0, 0)]
    expected[place] = (1, 1, 1500)
    assert street.counted() == expected


@ON_SQLITE
def test_an_answer_that_comes_late_changes_nothing_before_anybodys_eyes(
    street: Street, browser: Browser
) -> None:
    def slowly(route: Route) -> None:
        page.wait_for_function("seen.includes('Old')")
        route.continue_()

    with visit(browser, user_agent=street.agent("b")) as page:
        page.add_init_script(SEEN)
        page.route("**/embed/variants?*", slowly)
        with page.expect_response("**/embed/variants?*"):
            page.goto(f"{street.site}/hasty", wait_until="commit")
        page.wait_for_load_state()
        assert painted(page) == ["Old"]
        assert page.locator("html").get_attribute("data-handsel-variant") is None
        page.get_by_role("link", name="Buy The Book").click()
        page.wait_for_url("**/buy/book?**")
        assert "variant=" not in page.url

    assert street.counted() == [(0, 0, 0), (0, 0, 0)]


@ON_SQLITE
def test_without_scripts_and_without_the_shop_the_page_is_as_it_was_written(
    street: Street, browser: Browser
) -> None:
    with visit(browser, java_script_enabled=False) as page:
        page.goto(f"{street.site}/hasty")
        expect(page.get_by_role("heading", level=1)).to_have_text("Old")
    context = browser.new_context(user_agent=street.agent("b"))
    page = context.new_page()
    page.route("**/embed/**", lambda route: route.abort())
    page.goto(f"{street.site}/hasty")
    expect(page.get_by_role("heading", level=1)).to_have_text("Old")
    context.close()

    assert street.counted() == [(0, 0, 0), (0, 0, 0)]


@ON_SQLITE
def test_a_reader_who_asks_not_to_be_counted_sees_the_page_as_it_was_written(
    street: Street, browser: Browser
) -> None:
    quiet = {"user_agent": street.agent("b"), "extra_http_headers": {"DNT": "1"}}
    with visit(browser, **quiet) as page:
        with page.expect_response("**/embed/variants?*") as answer:
            page.goto(street.site)
        assert answer.value.json() == {}
        expect(page.get_by_role("heading", level=1)).to_have_text("Old")

    assert street.counted() == [(0, 0, 0), (0, 0, 0)]
