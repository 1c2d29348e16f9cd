"""A real Chromium looks at home, reports and experiments: wide, by phone, without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from handsel.kit.money import Money
from handsel.models import Exposure
from handsel.shop import Shop
from handsel.web import create_app
from tests import make
from tests.browser.test_desk_door import _overflow, faults_of
from tests.browser.test_desk_orders_seen import _UNFOLD, come_in
from tests.ground.chromium import PHONE, visit
from tests.ground.shops import Clock
from tests.stories.buyers import buy, with_settings
from tests.stories.desks import hire
from tests.stories.giving_back import give_back
from tests.stories.trying import begin, trial
from tests.stories.visiting import Reader, seen
from tests.web.serving import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

Desk = tuple[Shop, dict[str, str]]
PATHS = (
    *("", "?period=12m", "?from=2026-11-01&to=2026-11-23", "?period=nonsense"),
    *("reports/sales?by=product", "reports/funnel", "reports/funnel?by=source"),
    *("reports/sources", "reports/payouts", "reports/tax", "experiments"),
    *("experiments/headline", "experiments/button"),
)


@pytest.fixture
def desk(shop: Shop, clock: Clock) -> Iterator[Desk]:
    """A shop that has sold, has given back more than it sold, and tries two things."""
    make.product(shop, name="A very long history of everything 📚 " + "كتاب " * 12)
    make.product(shop, slug="maps", price=Money(900, "USD"))
    reader = Reader(shop)
    clock.move(days=-1)
    buy(reader)
    seen(reader)
    clock.move(days=1)
    reader.get(f"/p/book?utm_source={'long-' * 15}")
    buy(Reader(shop, address="198.51.100.2", of=reader), "maps")
    seen(reader)
    give_back(shop)
    seen(reader)
    reader.close()
    begin(shop, "headline", "a", "b=Other words", "c=أول كتاب")
    begin(shop, "button", "a", "b=Get it", begin=False)
    number = trial(shop, "headline").id
    with shop.transaction() as session:
        session.add_all(
            Exposure(
                experiment_id=number, visitor=each, variant="abc"[each % 3], at=clock()
            )
            for each in range(300)
        )
    kept = hire(shop).client._cookies
    assert kept
    cookies = {each.key: each.value for each in kept.values()}
    app = create_app(shop)
    with serving(app) as server:
        there = with_settings(shop, "shop", url=server.url)
        app.extensions["handsel"] = there
        yield there, cookies


def test_nothing_hinders_anybody_on_the_pages_of_figures(
    desk: Desk, page: Page
) -> None:
    there = come_in(page, desk)
    for path in PATHS:
        page.goto(f"{there}/{path}")
        page.locator("main").evaluate(_UNFOLD)
        assert faults_of(page) == [], path


def test_a_small_phone_without_scripts_shows_all_of_it(
    desk: Desk, browser: Browser
) -> None:
    narrow = PHONE | {"viewport": {"width": 320, "height": 568}}
    with visit(browser, java_script_enabled=False, **narrow) as page:
        there = come_in(page, desk)
        for path in PATHS:
            page.goto(f"{there}/{path}")
            assert _overflow(page) <= 0, path
        page.goto(f"{there}/")
        page.get_by_text("In figures").click()
        expect(page.get_by_role("row", name="22 Nov")).to_contain_text("€15.00")
        page.get_by_role("link", name="7 days").click()
        page.get_by_text("Other days").click()
        page.get_by_label("From").fill("2026-11-22")
        page.get_by_label("To", exact=True).fill("2026-11-22")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.get_by_text("22 Nov.", exact=False).first).to_be_visible()


def test_the_keyboard_alone_ends_an_experiment(desk: Desk, page: Page) -> None:
    there = come_in(page, desk)
    page.goto(f"{there}/experiments/headline")
    page.get_by_label("a, how it was before").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("everybody sees b from now on")
