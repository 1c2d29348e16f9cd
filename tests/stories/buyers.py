"""What buyers do in many stories, and what a story looks up behind the counter."""

import dataclasses
from typing import Any

from werkzeug.test import TestResponse

from handsel import worker
from handsel.models import Order
from handsel.outbound.transports.folder import StoredMail, read_folder
from handsel.sales import orders, report
from handsel.sales.payments.test import TestProvider
from handsel.shop import Shop
from tests.ground.visitor import Visitor

CARD = {"number": "4242 4242 4242 4242", "expiry": "12/30", "cvc": "123"}
BUYER = {"email": "reader@example.com", **CARD}

DECLINED = "4000 0000 0000 0002"
NO_MONEY = "4000 0000 0000 9995"
ASKS = "4000 0025 0000 3155"
ASKS_THEN_DECLINED = "4000 0084 0000 1629"
PAYS_LATER = "4000 0000 0000 0077"
NEVER_PAYS = "4000 0000 0000 0341"
DISPUTED = "4000 0000 0000 0259"


def payment_page(visitor: Visitor, slug: str = "book") -> TestResponse:
    """Press Buy on the product page."""
    return visitor.press_and_follow(visitor.get(f"/p/{slug}"), f"/buy/{slug}")


def pay(visitor: Visitor, page: TestResponse, **typed: str) -> TestResponse:
    """Fill in the payment page and press Pay; follow where that leads."""
    return visitor.press_and_follow(page, "/testpay/", BUYER | typed)


def buy(visitor: Visitor, slug: str = "book", **typed: str) -> TestResponse:
    """Buy a product and give the page of the purchase."""
    page = pay(visitor, payment_page(visitor, slug), **typed)
    assert page.request.path.startswith("/d/"), page.get_data(as_text=True)
    return page


def download(visitor: Visitor, page: TestResponse, file_id: int = 1) -> TestResponse:
    """Press Download on the page of a purchase, and fetch the file."""
    pressed = visitor.press(page, f"{page.request.path}/{file_id}")
    assert pressed.status_code == 303, pressed.get_data(as_text=True)
    return visitor.get(pressed.headers["Location"])


def misread(secret: str) -> str:
    """Give a secret with another last letter, whichever that is."""
    return secret[:-1] + ("8" if secret.endswith("9") else "9")


def mails(shop: Shop) -> list[StoredMail]:
    """Let the worker do what is due, and give every mail there is, the newest first."""
    worker.turn(shop)
    return read_folder(shop.home / "mail")


def order(shop: Shop, number: str = "H-1001") -> Order:
    """Look an order up."""
    with shop.reading() as session:
        return orders.by_number(session, number)


def facts(shop: Shop, number: str = "H-1001") -> dict[str, Any]:
    """Give what `order show --json` would say."""
    with shop.reading() as session:
        found = orders.by_number(session, number)
        return report.facts(session, shop.keys, shop.settings.public_url, found)


def bank(shop: Shop) -> TestProvider:
    """The bank behind the test provider, for what a seller or another bank would do."""
    provider = shop.provider("test")
    assert isinstance(provider, TestProvider)
    return provider


def with_settings(shop: Shop, section: str, **values: object) -> Shop:
    """The same shop with some settings changed."""
    changed = getattr(shop.settings, section).model_copy(update=values)
    settings = shop.settings.model_copy(update={section: changed})
    return dataclasses.replace(shop, settings=settings)
