"""Impatient hands: double presses, the back button, two tabs, several purchases."""

import threading

from sqlalchemy import func, select

from handsel.models import Order
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, form_of
from tests.stories.buyers import buy, facts, mails, pay


def orders_in(shop: Shop) -> int:
    """Count orders, paid or not."""
    with shop.reading() as session:
        return session.scalar(select(func.count(Order.id))) or 0


def test_two_presses_on_one_button_are_one_payment(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = visitor.get("/p/book")

    first = visitor.press(page, "/buy/book").headers["Location"]
    second = visitor.press(page, "/buy/book").headers["Location"]

    assert first == second
    assert orders_in(shop) == 1


def test_two_presses_at_one_instant_are_one_payment(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = visitor.get("/p/book")
    places: list[str] = []
    start = threading.Barrier(4)

    def press(tab: Visitor) -> None:
        start.wait()
        places.append(tab.press(page, "/buy/book").headers["Location"])

    threads = [threading.Thread(target=press, args=[visitor.tab()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(places) == 4
    assert len(set(places)) == 1
    assert orders_in(shop) == 1


def test_the_back_button_after_paying_leads_to_the_purchase_not_to_a_second_one(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    product = visitor.get("/p/book")
    bought = pay(visitor, visitor.press_and_follow(product, "/buy/book"))

    again = visitor.press_and_follow(product, "/buy/book")

    assert again.request.path == bought.request.path
    assert orders_in(shop) == 1
    assert len(mails(shop)) == 1


def test_paying_the_same_payment_in_two_tabs_charges_once(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    product = visitor.get("/p/book")
    tabs = [visitor.tab(), visitor.tab()]
    pages = [tab.press_and_follow(product, "/buy/book") for tab in tabs]

    bought = [pay(tab, page) for tab, page in zip(tabs, pages, strict=True)]

    assert bought[0].request.path == bought[1].request.path
    assert orders_in(shop) == 1


def test_a_form_copied_to_another_browser_never_opens_somebody_elses_purchase(
    shop: Shop, visitor: Visitor
) -> None:
    """A seller may paste the page's form elsewhere, a proxy may keep the page."""
    make.product(shop)
    product = visitor.get("/p/book")
    pay(visitor, visitor.press_and_follow(product, "/buy/book"))
    stranger = visitor.device()
    stranger.get("/p/book")

    theirs = stranger.press_and_follow(product, "/buy/book")

    assert form_of(theirs, "/testpay/").fields["email"] == ""
    assert pay(stranger, theirs, email="other@example.com").status_code == 200
    assert facts(shop, "H-1002")["email"] == "other@example.com"


def test_the_same_buyer_can_buy_again_and_gets_an_order_of_its_own(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    first, second = buy(visitor), buy(visitor)

    assert first.request.path != second.request.path
    assert facts(shop, "H-1001")["link"] != facts(shop, "H-1002")["link"]
    assert {mail.subject for mail in mails(shop)} == {
        "[TEST] Your copy of The Book (order H-1001)",
        "[TEST] Your copy of The Book (order H-1002)",
    }


def test_a_price_changed_in_between_is_a_new_payment_at_the_new_price(
    shop: Shop, visitor: Visitor
) -> None:
    product = make.product(shop)
    page = visitor.get("/p/book")
    visitor.press(page, "/buy/book")
    with shop.transaction() as session:
        session.merge(product).price_minor = 990

    bought = pay(visitor, visitor.press_and_follow(page, "/buy/book"))

    assert "9.90" in bought.get_data(as_text=True)
    assert facts(shop, "H-1002")["amount_minor"] == 990
