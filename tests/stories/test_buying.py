"""Buying, from the product page to the book, through the front door."""

import hashlib

from handsel import worker
from handsel.outbound.transports.folder import read_folder
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import BUYER


def test_four_fields_and_two_presses_lead_to_the_book_and_a_mail(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)

    payment_page = visitor.press_and_follow(visitor.get("/p/book"), "/buy/book")
    typed = form_of(payment_page, "/testpay/").typed
    bought = visitor.press(payment_page, "/testpay/", BUYER)
    purchase = visitor.go_on(bought)
    press = visitor.press(purchase, "/d/")
    book = visitor.get(press.headers["Location"])

    assert typed == ["email", "number", "expiry", "cvc"]
    assert purchase.status_code == 200
    assert purchase.request.path.startswith("/d/")
    assert "H-1001" in words(purchase)
    assert press.status_code == 303
    assert hashlib.sha256(book.data).digest() == hashlib.sha256(make.BOOK).digest()

    worker.turn(shop)
    [mail] = read_folder(shop.home / "mail")
    assert mail.to == "reader@example.com"
    assert f"{shop.settings.public_url}{purchase.request.path}" in mail.text


def test_the_link_works_five_times_and_then_says_so(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = visitor.press_and_follow(visitor.get("/p/book"), "/buy/book")
    link = visitor.press_and_follow(page, "/testpay/", BUYER).request.path

    devices = [Visitor(shop) for _ in range(6)]
    pages = [device.get(link) for device in devices]
    presses = [
        device.press(page, f"{link}/1")
        for device, page in zip(devices, pages, strict=True)
    ]
    used_up = visitor.get(link)

    assert [press.status_code for press in presses] == [303] * 5 + [410]
    for device, press in list(zip(devices, presses, strict=True))[:5]:
        assert device.get(press.headers["Location"]).data == make.BOOK
    assert "all 5 downloads are used up" in words(used_up)
    assert "5 times" in words(presses[5])
