"""A real Chromium looks at the orders: by hand, by phone, without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from handsel.ops import giving
from handsel.shop import Shop
from handsel.web import create_app
from tests import make
from tests.browser.test_desk_door import _overflow, faults_of
from tests.ground.chromium import PHONE, visit
from tests.ops import keeping
from tests.stories import buyers
from tests.stories.buyers import with_settings
from tests.stories.desks import hire
from tests.web.serving import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

LONG = f"{'long-' * 10}@{'department.' * 12}example"
PATHS = (
    *("orders", "orders?status=all&q=example&country=DE", "orders?q=nobody"),
    *("orders/H-1001", "orders/H-1001/refund", "orders/H-1001/evidence"),
    *("orders/give", "customers", "customers/1", "customers/blocked"),
)


_UNFOLD = "each => each.querySelectorAll('details').forEach(one => one.open = true)"


@pytest.fixture
def desk(shop: Shop) -> Iterator[tuple[Shop, dict[str, str]]]:
    """A shop that has sold, and the cookies of somebody who is signed in."""
    make.product(shop, name="A very long history of everything 📚 " + "كتاب " * 12)
    keeping.buy(shop, 2)
    giving.give(shop, "book", LONG)
    giving.note(shop, "H-1001", "اتصلت\n" + "long" * 60, press="one", by="ada")
    keeping.refund(shop, "H-1001", 500)
    kept = hire(shop).client._cookies
    assert kept
    cookies = {each.key: each.value for each in kept.values()}
    app = create_app(shop)
    with serving(app) as server:
        there = with_settings(shop, "shop", url=server.url)
        app.extensions["handsel"] = there
        yield there, cookies


def come_in(page: Page, desk: tuple[Shop, dict[str, str]]) -> str:
    """Be signed in; give the address of the desk."""
    url = desk[0].settings.public_url
    page.context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in desk[1].items()]
    )
    return f"{url}/admin"


def test_nothing_hinders_anybody_on_the_pages_of_orders(
    desk: tuple[Shop, dict[str, str]], page: Page
) -> None:
    there = come_in(page, desk)
    for path in PATHS:
        page.goto(f"{there}/{path}")
        page.locator("main").evaluate(_UNFOLD)
        assert faults_of(page) == [], path


def test_money_goes_back_on_a_small_phone_without_scripts(
    desk: tuple[Shop, dict[str, str]], browser: Browser
) -> None:
    narrow = PHONE | {"viewport": {"width": 320, "height": 568}}
    with visit(browser, java_script_enabled=False, **narrow) as page:
        there = come_in(page, desk)
        for path in PATHS:
            page.goto(f"{there}/{path}")
            assert _overflow(page) <= 0, path
        page.goto(f"{there}/orders?q=H-10+02")
        page.get_by_role("link", name="H-1002").click()
        page.get_by_text("Give money back").click()
        page.get_by_role("link", name="Say how much").click()
        page.get_by_label("How much, in EUR").fill("4.99")
        page.get_by_role("button", name="Look at what will happen").click()
        assert _overflow(page) <= 0
        page.get_by_role("button", name="Give €4.99 back").click()
        expect(page.get_by_role("status")).to_contain_text("€4.99 went back")
    assert buyers.facts(desk[0], "H-1002")["refunded_minor"] == 499
