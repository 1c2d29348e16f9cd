"""A whole visit, from a variant on the seller's own page to the refund: one story for all
who count it, also where the browser lets no script of Google's through."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from handsel import worker
from handsel.analytics import assigning
from handsel.analytics.reports.visit import of_order
from handsel.ops import sites
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from tests import make
from tests.browser.visits import fill_in, press_pay
from tests.ground.chromium import visit
from tests.ground.shops import Clock
from tests.providers.fake_ga4 import ID, FakeGa4, telling
from tests.stories.giving_back import give_back
from tests.stories.hits import follow
from tests.stories.trying import begin, counted, trial
from tests.stories.visiting import Reader
from tests.web.serving import serving

GOOGLE = "www.googletagmanager.com"
CLIENT, SESSION = "1234567.7654321", "1700000009"
COOKIES = {"_ga": f"GA1.1.{CLIENT}", f"_ga_{ID[2:]}": f"GS2.1.s{SESSION}$o1"}
SCRIPT = ";".join(
    f"document.cookie = '{name}={word}'" for name, word in COOKIES.items()
)
"""What Google's script on the seller's page does, as far as anybody else can tell."""

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Ada</title>
<style>
[data-handsel-variant*=":"] {{ animation: handsel-hold 1ms 20s backwards }}
@keyframes handsel-hold {{ from {{ visibility: hidden }} }}
</style>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-TEST12345"></script>
<script async src="{shop}/embed/variants.js"></script>
<script async src="{shop}/embed.js?v=1"></script>
<h1 data-handsel-variant="headline:a">Old</h1>
<h1 data-handsel-variant="headline:b" hidden>New</h1>
<p><a href="{shop}/buy/book" data-handsel="overlay">Buy The Book</a></p>
"""


@dataclass(frozen=True)
class Street:
    """A shop, the page of its seller's at another host, and the Google that is told."""

    shop: Shop
    site: str
    google: FakeGa4
    reader: Reader

    def agent(self) -> str:
        """Give the name of a browser that is to see variant b."""
        tried = trial(self.shop, "headline")
        for number in range(200):
            agent = f"Mozilla/5.0 (X11; Linux x86_64) Chrome/153.0.{number}.0"
            found = assigning.assign(self.shop.keys, tried, "127.0.0.1", agent)
            if found.variant == "b":
                return agent
        raise AssertionError("nobody sees b")

    def settle(self) -> None:
        """Let what was seen and sold be written down and told."""
        self.reader.write()
        follow(self.shop)
        worker.turn(self.shop)


@pytest.fixture
def street(
    home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Street]:
    """All of them are open, and two headlines of the page are tried."""
    clock.time = datetime.now(UTC)  # the browser says when it had Google's names
    made: list[WSGIApplication] = []
    server = sites.listen(0)
    site = sites.address_of(server).replace("127.0.0.1", "localhost")
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", site)
    with ExitStack() as closing:
        google = closing.enter_context(FakeGa4())
        door = closing.enter_context(
            serving(lambda environ, start: made[0](environ, start))
        )
        monkeypatch.setenv("HANDSEL_SHOP__URL", door.url)
        opened = open_shop(home, load_settings(home), clock=clock)
        closing.callback(opened.close)
        reader = Reader(telling(opened, google))
        closing.callback(reader.close)
        made.append(reader.app)
        make.product(reader.shop)
        begin(reader.shop, "page", "a", "b", name="headline")
        page = ("text/html", PAGE.format(shop=door.url).encode())
        closing.enter_context(sites.serving(server, {"/": page}))
        yield Street(reader.shop, site, google, reader)


def buy(page: Page, street: Street) -> None:
    """From the seller's page to the page of the purchase."""
    page.goto(f"{street.site}/?utm_source=letter&utm_campaign=spring")
    expect(page.get_by_role("heading", level=1)).to_have_text("New")
    page.locator("[data-handsel=overlay]").click()
    frame = page.frame_locator("dialog.handsel iframe")
    frame.get_by_role("link", name="Buy now").click()
    page.get_by_role("button", name="Pay €15.00").click()
    page.wait_for_url("**/testpay/**")
    fill_in(page, email="reader@example.com")
    with page.expect_download():
        press_pay(page)


@pytest.mark.parametrize("blocked", [False, True], ids=["let through", "blocked"])
def test_a_sale_belongs_to_its_source_its_variant_and_its_visit_everywhere(
    browser: Browser, street: Street, blocked: bool
) -> None:
    def answer(route: Route) -> None:
        if blocked:
            route.abort()
        else:
            route.fulfill(body=SCRIPT, content_type="text/javascript")

    with visit(browser, played={GOOGLE}, user_agent=street.agent()) as page:
        page.route(f"https://{GOOGLE}/**", answer)
        if blocked:  # the visitor was here before, without the blocker
            page.context.add_cookies(
                [
                    {"name": name, "value": word, "url": street.site}
                    for name, word in COOKIES.items()
                ]
            )
        buy(page, street)
    street.settle()
    give_back(street.shop, "5")
    street.settle()

    with street.shop.reading() as session:
        seen = of_order(session, 1)
    assert seen
    host = street.site.removeprefix("http://")
    assert (seen["source"], seen["campaign"]) == ("letter", "spring")
    assert seen["page"] == f"{host}/"
    assert {event["kind"] for event in seen["events"]} == {
        *("started", "paid", "opened", "downloaded", "refunded"),
    }
    assert counted(street.reader, "headline") == [(0, 0, 0), (1, 1, 1000)]
    (sale,) = street.google.told("purchase")
    (back,) = street.google.told("refund")
    for told, value in ((sale, 15), (back, 5)):
        assert (told["client_id"], told["session_id"]) == (CLIENT, SESSION)
        assert (told["transaction_id"], told["value"]) == ("H-1001", value)
    assert street.google.wrong == []
