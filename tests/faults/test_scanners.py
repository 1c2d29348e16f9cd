"""P15: mail scanners open links, run scripts and press buttons; buyers lose nothing."""

import contextlib
import re

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from handsel import worker
from handsel.shop import Shop
from handsel.web import create_app
from tests import make
from tests.ground.cases import Say
from tests.ground.chromium import visit
from tests.ground.shops import Clock
from tests.ground.till import rows, untrue
from tests.ground.visitor import Visitor
from tests.ground.waiting import wait_until
from tests.stories.buyers import buy, facts
from tests.web.serving import Server, read_exactly, read_head, serving

SIZE = 32 * 1024 * 1024
AGENTS = {
    "10.1.1.1": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) SafeLinks",
    "10.2.2.2": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "10.3.3.3": "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
}


def test_scanners_that_only_look_take_nothing(shop: Shop, say: Say) -> None:
    make.product(shop)
    visitor = Visitor(shop)
    link = buy(visitor).request.path
    before = rows(shop)
    for address, agent in AGENTS.items():
        scanner = Visitor(shop, app=visitor.app, address=address)
        headers = {"User-Agent": agent, "Purpose": "prefetch"}
        assert scanner.head(link, headers=headers).status_code == 200
        for _ in range(3):
            page = scanner.get(link, headers=headers)
            assert "data-started" not in page.get_data(as_text=True)
            for address_of_form in re.findall(r'action="([^"]+)"', page.text):
                assert scanner.get(address_of_form, headers=headers).status_code in (
                    404,
                    405,
                )
    say("P15", scanners=len(AGENTS), used=facts(shop)["downloads_used"])
    assert rows(shop) == before
    assert facts(shop)["downloads_used"] == 0
    assert untrue(shop) == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_scanner_with_a_browser_that_presses_everything(
    shop: Shop, clock: Clock, browser: Browser, say: Say
) -> None:
    make.product(shop, files={"book.epub": bytes(SIZE)})
    visitor = Visitor(shop)
    link = buy(visitor).request.path
    with serving(create_app(shop)) as server:
        buttons = _look_then_press(shop, browser, server, link)
        for _ in range(3):
            _press_and_hang_up(visitor.device(), server, link)
        taken = facts(shop)["downloads_used"]
        wait_until(lambda: _nothing_is_running(shop))
    clock.move(hours=25)
    worker.turn(shop)
    say("P15", buttons=buttons, taken=taken, used_later=facts(shop)["downloads_used"])
    assert buttons >= 3
    assert taken == 4
    assert facts(shop)["downloads_used"] == 0
    assert untrue(shop) == {}


def _look_then_press(shop: Shop, browser: Browser, server: Server, link: str) -> int:
    """Open the page with scripts and look; then press all there is, and take nothing."""
    with visit(browser, accept_downloads=False) as page:
        page.goto(server.url + link)
        page.wait_for_load_state("networkidle")
        assert rows(shop)["grants"] == 0
        assert facts(shop)["downloads_used"] == 0
        for each in page.query_selector_all("details"):
            each.evaluate("each => each.open = true")
        count = page.locator("main button").count()
        for number in range(count):
            page.goto(server.url + link)
            for each in page.query_selector_all("details"):
                each.evaluate("each => each.open = true")
            with contextlib.suppress(PlaywrightError):  # a download is no page
                page.locator("main button").nth(number).click()
                page.wait_for_load_state("networkidle")
        wait_until(lambda: rows(shop)["grants"] == 1)
    return count


def _press_and_hang_up(device: Visitor, server: Server, link: str) -> None:
    place = device.press(device.get(link), f"{link}/1").headers["Location"]
    with server.connect(receive_buffer=4096) as client:
        client.sendall(f"GET {place} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert " 200 " in read_head(client)
        assert read_exactly(client, 64 * 1024) == bytes(64 * 1024)


def _nothing_is_running(shop: Shop) -> bool:
    """Say whether the server has noticed that all of them hung up."""
    with shop.reading() as session:
        sums = session.connection().exec_driver_sql("SELECT sum(bytes_out) FROM grants")
        return int(sums.scalar_one()) < 2 * SIZE
