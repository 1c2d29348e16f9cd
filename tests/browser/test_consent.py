"""A real Chromium is asked before anything of Google's loads, and loads it after a Yes alone.

Google's part is played in the browser: its addresses are asked as they will be, so that the
page's policy is tried; what the policy forbids is a complaint, and fails the test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from handsel.shop import Shop
from handsel.web import create_app, visits
from tests import make
from tests.browser.test_pages import faults_of
from tests.browser.visits import fill_in, press_pay
from tests.ground.chromium import PHONE, visit
from tests.ground.waiting import wait_until
from tests.providers.fake_ga4 import ID, FakeGa4, telling
from tests.stories.buyers import with_settings
from tests.stories.hits import follow
from tests.stories.visiting import COMPUTER
from tests.web.serving import serving
from tests.web.test_look import TOO_SMALL

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TAG = "www.googletagmanager.com"
COLLECT = "region1.google-analytics.com"

# What Google's script does, as far as a page can tell: it reads what was pushed, sets its
# cookies, and calls home from a script, an image and by fetch.
SCRIPT = """
const said = Object.fromEntries([...dataLayer].filter((each) => each[0] == "config")
  .map((each) => [each[1], each[2]]));
const [id, config] = Object.entries(said)[0];
document.cookie = `_ga=GA1.1.${config.client_id}; path=/`;
document.cookie = `_ga_${id.slice(2)}=GS2.1.s1700000009$o1; path=/`;
const told = new URLSearchParams({
  cid: config.client_id, dl: config.page_location, dr: config.page_referrer,
});
fetch(`https://region1.google-analytics.com/g/collect?${told}`, {method: "POST"});
new Image().src = `https://www.google-analytics.com/g/collect?${told}`;
"""


@dataclass(frozen=True)
class Counted:
    """A shop that asks, open on a port, and the Google that its server tells."""

    shop: Shop
    url: str
    google: FakeGa4

    def tell(self) -> None:
        """Let the worker tell what was sold."""
        from handsel import worker

        follow(self.shop)
        worker.turn(self.shop)


@pytest.fixture
def counted(shop: Shop) -> Iterator[Counted]:
    """A shop with one book, whose visitors are asked."""
    make.product(shop)
    with FakeGa4() as google:
        telling_shop = telling(shop, google)
        app = create_app(telling_shop)
        with serving(app) as server:
            there = with_settings(telling_shop, "shop", url=server.url)
            app.extensions["handsel"] = there
            yield Counted(there, server.url, google)
        recorder = visits.recorder(app)
        assert recorder
        recorder.close()
        assert google.wrong == []


class Heard:
    """What Google hears of a browser; nothing if its script is blocked."""

    def __init__(self, context: BrowserContext, *, blocked: bool = False) -> None:
        self.asked: list[str] = []
        self._blocked = blocked
        for host in ("googletagmanager.com", "google-analytics.com"):
            context.route(f"https://*.{host}/**", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked.append(route.request.url)
        if self._blocked:
            route.abort()
        elif urlsplit(route.request.url).hostname == TAG:
            route.fulfill(body=SCRIPT, content_type="text/javascript")
        else:
            route.fulfill(status=204, headers={"Access-Control-Allow-Origin": "*"})

    def told(self) -> list[dict[str, str]]:
        """Give what was sent home."""
        return [
            {name: values[0] for name, values in parse_qs(parts.query).items()}
            for each in self.asked
            if (parts := urlsplit(each)).path == "/g/collect"
        ]


def wait_for(page: Page, heard: Heard, count: int) -> None:
    """Wait until Google was told so often; playwright listens only while it is asked."""
    wait_until(lambda: page.evaluate("1") and len(heard.told()) == count)


HOSTS = frozenset({TAG, COLLECT, "www.google-analytics.com"})


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of somebody for whom Google is within reach."""
    with visit(browser, played=HOSTS, user_agent=COMPUTER) as opened:
        yield opened


def say(page: Page, answer: str) -> None:
    """Press one of the two buttons of the bar, and wait for the page to come again."""
    bar = page.get_by_role("complementary", name="Privacy")
    bar.get_by_role("button", name=answer).click()
    expect(bar).to_have_count(0)


def pay(page: Page) -> None:
    """Buy the book whose page this is."""
    page.get_by_role("button", name="Buy now").click()
    page.wait_for_url("**/testpay/**")
    fill_in(page, email="ann@example.com")
    with page.expect_download():
        press_pay(page)
    page.wait_for_url("**/d/*")


def test_google_hears_nothing_before_a_yes_and_then_of_the_pages_in_front_alone(
    page: Page, counted: Counted
) -> None:
    heard = Heard(page.context)
    start = f"{counted.url}/p/book?utm_source=news&coupon=SECRET"
    page.goto(start)
    page.goto(f"{counted.url}/")
    page.goto(start)
    assert heard.asked == []
    assert not [
        each
        for each in page.context.cookies()
        if each["name"] not in ("handsel_visitor",)
    ]

    say(page, "Yes")
    wait_for(page, heard, 2)
    assert page.url == start
    assert heard.asked[0] == f"https://{TAG}/gtag/js?id={ID}"
    [told] = {tuple(each.items()) for each in heard.told()}
    assert dict(told)["dl"] == f"{counted.url}/p/book?utm_source=news"
    assert not any("SECRET" in each for each in heard.asked)

    page.goto(f"{counted.url}/p/book")
    wait_for(page, heard, 4)
    before = len(heard.asked)
    pay(page)
    page.goto(f"{counted.url}/find")
    assert len(heard.asked) == before  # none of the pages behind the first two

    counted.tell()
    [sale] = counted.google.told("purchase")
    assert sale["client_id"] == dict(told)["cid"]
    assert sale["session_id"] == "1700000009"  # that of Google's own script


def test_a_no_is_kept_and_can_be_changed(page: Page, counted: Counted) -> None:
    heard = Heard(page.context)
    page.goto(f"{counted.url}/p/book")
    say(page, "No")
    for path in ("/", "/p/book", "/buy/book"):
        page.goto(counted.url + path)
        expect(page.get_by_role("complementary", name="Privacy")).to_have_count(0)
    assert heard.asked == []

    page.get_by_role("link", name="Privacy choices").click()
    expect(page.get_by_text("You have said No")).to_be_visible()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("You have said Yes")).to_be_visible()
    page.goto(f"{counted.url}/p/book")
    wait_for(page, heard, 2)
    assert "_ga" in {each["name"] for each in page.context.cookies()}

    page.goto(f"{counted.url}/consent")
    page.get_by_role("button", name="No").click()
    expect(page.get_by_text("You have said No")).to_be_visible()
    names = {each["name"] for each in page.context.cookies()}
    assert names == {"handsel_consent", "handsel_visitor"}


def test_where_every_script_of_googles_is_blocked_the_sale_is_told_all_the_same(
    page: Page, counted: Counted
) -> None:
    heard = Heard(page.context, blocked=True)
    page.goto(f"{counted.url}/p/book")
    say(page, "Yes")
    pay(page)
    assert heard.told() == []

    counted.tell()
    kept = {each["name"]: each["value"] for each in page.context.cookies()}
    [sale] = counted.google.told("purchase")
    assert sale["client_id"] == kept["handsel_counted"]
    assert "_ga" not in kept


def test_without_javascript_the_question_can_be_answered(
    browser: Browser, counted: Counted
) -> None:
    with visit(browser, java_script_enabled=False, user_agent=COMPUTER) as page:
        page.goto(f"{counted.url}/p/book")
        say(page, "Yes")
        assert page.url == f"{counted.url}/p/book"
        assert "handsel_counted" in {each["name"] for each in page.context.cookies()}


def test_the_question_hinders_nobody(page: Page, counted: Counted) -> None:
    page.emulate_media(reduced_motion="reduce")
    for path in ("/", "/p/book", "/buy/book", "/consent"):
        page.goto(counted.url + path)
        assert faults_of(page) == [], path
        assert page.evaluate(TOO_SMALL) == [], path

    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{counted.url}/p/book")
    bar = page.get_by_role("complementary", name="Privacy")
    no, yes = bar.get_by_role("button").all()
    first, second = no.bounding_box(), yes.bounding_box()
    assert first
    assert second
    assert (first["width"], first["height"]) == (second["width"], second["height"])
    style = "e => {const s = getComputedStyle(e); return s.color + s.backgroundColor}"
    assert no.evaluate(style) == yes.evaluate(style)


def test_by_keyboard_on_a_phone(browser: Browser, counted: Counted) -> None:
    with visit(browser, **PHONE) as page:
        page.goto(f"{counted.url}/p/book")
        no = page.get_by_role("button", name="No", exact=True)
        for _ in range(8):
            page.keyboard.press("Tab")
            if no.evaluate("e => e == document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(no).to_have_count(0)
        expect(page.get_by_role("heading", name="The Book")).to_be_visible()
