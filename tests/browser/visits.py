"""What buyers do in a browser."""

import re

from playwright.sync_api import Page

from tests.browser.conftest import Demo
from tests.ground.waiting import wait_until

CARD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
ASKS = "4000 0025 0000 3155"
PAYS_LATER = "4000 0000 0000 0077"
DISPUTED = "4000 0000 0000 0259"


def go_to_payment(page: Page, demo: Demo) -> None:
    """From the product page to the payment page."""
    page.goto(f"{demo.url}/p/the-first-coin")
    page.get_by_role("button", name="Buy now").click()
    page.wait_for_url("**/testpay/**")


def fill_in(page: Page, *, email: str = "", number: str = CARD) -> None:
    """Type what is asked for; an empty e-mail leaves that field as it is."""
    if email:
        page.get_by_label("E-mail").fill(email)
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12/34")
    page.get_by_label("CVC").fill("123")


def press_pay(page: Page) -> None:
    """Press the one big button."""
    page.get_by_role("button", name=re.compile("^Pay")).click()


def mail_for(page: Page, demo: Demo, email: str, subject: str = "") -> str:
    """Find the newest mail to an address in the demo's mailbox, and give its link."""

    def arrived() -> bool:
        page.goto(f"{demo.url}/mail")
        return page.locator("li", has_text=email).filter(has_text=subject).count() > 0

    wait_until(arrived, seconds=20)
    row = page.locator("li", has_text=email).filter(has_text=subject).first
    row.get_by_role("link").click()
    text = page.locator(".mail-text").inner_text()
    [link] = set(re.findall(r"http\S+/(?:d|find|checked)/[\w-]+(?![\w/-])", text))
    return str(link)
