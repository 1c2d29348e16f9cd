"""A real Chromium buys with PayPal: two clicks in the shop, one there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from handsel.settings import load_settings
from handsel.shop import open_shop
from handsel.web import create_app
from tests import make
from tests.ground.chromium import axe
from tests.ground.till import set_paypal
from tests.providers.fake_paypal import FakePayPal
from tests.web.serving import serving


@dataclass(frozen=True)
class Counter:
    """A shop with one book that takes PayPal, as a browser finds it."""

    url: str
    paypal: FakePayPal

    def buy(self, page: Page) -> None:
        """Go from the shop to PayPal's page."""
        page.goto(self.url)
        page.get_by_role("link", name="The Book").first.click()
        page.get_by_role("button", name="Buy now").click()
        page.wait_for_url("**/checkoutnow?token=*")


@pytest.fixture
def counter(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """The counter, open on a port; it needs its own address before it opens."""
    made: list[Any] = []
    with (
        FakePayPal() as paypal,
        serving(lambda environ, start: made[0](environ, start)) as server,
    ):
        set_paypal(paypal, monkeypatch)
        monkeypatch.setenv("HANDSEL_SHOP__URL", server.url)
        shop = open_shop(home, load_settings(home))
        make.product(shop)
        made.append(create_app(shop))
        paypal.hooks.url = f"{server.url}/webhooks/paypal"
        yield Counter(server.url, paypal)
        shop.close()


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_two_clicks_here_and_one_there_and_the_book_comes_by_itself(
    page: Page, counter: Counter
) -> None:
    counter.buy(page)
    page.get_by_label("Email").fill("ann@example.com")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Pay now").click()

    page.wait_for_url("**/d/*")
    assert saved.value.path().read_bytes() == make.BOOK
    expect(page.get_by_text("Your download has started")).to_be_visible()
    assert len(counter.paypal.bank.kept["capture"]) == 1
    assert counter.paypal.hooks.failed == []
    assert axe(page) == []


def test_going_back_from_paypal_costs_nothing_and_a_second_try_works(
    page: Page, counter: Counter
) -> None:
    counter.buy(page)
    page.get_by_role("button", name="Cancel and return").click()
    expect(page.get_by_text("You were not charged")).to_be_visible()

    page.get_by_role("button", name="Buy now").click()
    with page.expect_download():
        page.get_by_role("button", name="Pay now").click()
    page.wait_for_url("**/d/*")
    assert len(counter.paypal.bank.kept["capture"]) == 1


def test_a_card_that_paypal_declines_is_not_charged(
    page: Page, counter: Counter
) -> None:
    counter.buy(page)
    page.get_by_role("button", name="declined").click()
    expect(page.get_by_text("You were not charged")).to_be_visible()
    assert counter.paypal.bank.kept["capture"] == {}
