"""Stripe's part in a browser: its script, its frames and its API, without the internet.

The browser asks Stripe's own addresses, so that a page's policy is tried as it will be;
`set_the_stage` answers them with the files in `stripe/` and with a `FakeStripe`.
"""

from pathlib import Path
from urllib.parse import urlsplit

import requests
from playwright.sync_api import BrowserContext, FrameLocator, Page, Route

from tests.providers.fake_stripe import FakeStripe

FILES = Path(__file__).with_name("stripe")
HOSTS = frozenset({"js.stripe.com", "hooks.stripe.com", "api.stripe.com"})
KINDS = {".js": "text/javascript", ".html": "text/html; charset=utf-8"}


def set_the_stage(
    context: BrowserContext, stripe: FakeStripe, *, wallets: bool = False
) -> None:
    """Let everything that is asked of Stripe be answered here.

    `wallets`: this browser can pay with one.
    """

    def give_file(route: Route) -> None:
        file = FILES / Path(urlsplit(route.request.url).path).name
        text = file.read_text("utf-8")
        text = text.replace("__WALLETS__", "yes" if wallets else "no")
        route.fulfill(body=text, content_type=KINDS[file.suffix])

    def ask(route: Route) -> None:
        path = urlsplit(route.request.url).path
        body = route.request.post_data or ""
        found = requests.post(stripe.origin + path, body, timeout=10)
        route.fulfill(
            status=found.status_code,
            body=found.text,
            content_type="application/json",
            headers={"Access-Control-Allow-Origin": "*"},
        )

    context.route("https://js.stripe.com/**", give_file)
    context.route("https://hooks.stripe.com/**", give_file)
    context.route("https://api.stripe.com/**", ask)


def card_fields(page: Page) -> FrameLocator:
    """Give the frame with number, expiry and CVC in it."""
    return page.frame_locator("#card iframe")


def type_card(page: Page, number: str) -> None:
    """Type the three fields of a card."""
    fields = card_fields(page)
    fields.get_by_label("Card number").fill(number)
    fields.get_by_label("Expiration date").fill("12/34")
    fields.get_by_label("Security code").fill("123")
