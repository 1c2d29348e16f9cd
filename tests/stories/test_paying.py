"""Paying goes wrong in every way it can, and right in the end."""

import pytest

from handsel import worker
from handsel.sales.payments.test import BANK_FILE
from handsel.sales.payments.testcards import LATER
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, form_of, words
from tests.stories import buyers
from tests.stories.buyers import facts, mails, pay, payment_page


@pytest.mark.parametrize("card", [buyers.DECLINED, buyers.NO_MONEY])
def test_a_refused_card_is_not_charged_and_another_one_pays(
    shop: Shop, visitor: Visitor, card: str
) -> None:
    make.product(shop)

    refused = pay(visitor, payment_page(visitor), number=card)
    kept = form_of(refused, "/testpay/").fields
    paid = pay(visitor, refused)

    assert refused.status_code == 422
    assert words(refused).count("You were not charged") == 1
    assert (kept["email"], kept["expiry"]) == ("reader@example.com", "12/30")
    assert kept["number"].replace(" ", "") == card.replace(" ", "")
    assert kept["cvc"] == ""
    assert paid.request.path.startswith("/d/")
    assert [mail.to for mail in mails(shop)] == ["reader@example.com"]


def test_a_slip_in_any_field_keeps_the_others(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    page = payment_page(visitor)
    slips = {"email": "reader", "number": "4242", "expiry": "12/19", "cvc": "1"}

    for field, typed in slips.items():
        page = pay(visitor, page, **{field: typed})

        assert page.status_code == 422
        assert f'id="{field}-error"' in page.get_data(as_text=True)
        kept = form_of(page, "/testpay/").fields
        expected = buyers.BUYER | {field: typed, "cvc": ""}
        assert {name: kept[name] for name in expected} == expected


def test_the_bank_asks_and_only_a_yes_pays(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)

    asked = pay(visitor, payment_page(visitor), number=buyers.ASKS)
    refused = visitor.press_and_follow(asked, "/answer", {"answer": "refuse"})
    asked_again = pay(visitor, refused, number=buyers.ASKS)
    paid = visitor.press_and_follow(asked_again, "/answer", {"answer": "approve"})

    assert "Your bank asks (TEST)" in asked.get_data(as_text=True)
    assert "You were not charged" in words(refused)
    assert form_of(refused, "/testpay/").fields["email"] == "reader@example.com"
    assert paid.request.path.startswith("/d/")
    assert "H-1001" in words(paid)


def test_a_card_may_be_refused_after_the_bank_has_asked(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    asked = pay(visitor, payment_page(visitor), number=buyers.ASKS_THEN_DECLINED)

    refused = visitor.press_and_follow(asked, "/answer", {"answer": "approve"})

    assert "You were not charged" in words(refused)
    assert pay(visitor, refused).request.path.startswith("/d/")


def test_money_on_its_way_shows_a_page_that_looks_again_until_the_files_are_there(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)

    waiting = pay(visitor, payment_page(visitor), number=buyers.PAYS_LATER)
    clock.move(seconds=LATER.total_seconds() / 2)
    still = visitor.follow(waiting.request.url)
    clock.move(seconds=LATER.total_seconds())
    there = visitor.follow(waiting.request.url)

    for page in (waiting, still):
        assert "Your payment is being processed" in words(page)
        assert "reader@example.com" in words(page)
        assert "The Book" in words(page)
        html = page.get_data(as_text=True)
        assert f'data-check="{_path(waiting)}"' in html
        assert 'http-equiv="refresh"' in html
        assert page.headers["Cache-Control"] == "no-store"
    assert there.request.path.startswith("/d/")
    assert "data-autostart" in there.get_data(as_text=True)


def _path(page: object) -> str:
    request = page.request  # type: ignore[attr-defined]
    return f"{request.path}?{request.query_string.decode()}"


def test_who_closes_the_page_gets_the_link_by_mail_when_the_money_is_there(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    pay(visitor, payment_page(visitor), number=buyers.PAYS_LATER)
    assert mails(shop) == []

    clock.move(minutes=5)
    mails(shop)  # the duty finds the money,
    [mail] = mails(shop)  # and the mail goes with the next turn at the latest

    link = facts(shop)["link"]
    assert link in mail.text
    assert "Your files" in words(visitor.get(link))


def test_money_that_came_while_the_shop_was_shut_for_a_week_is_found(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    worker.turn(shop)
    page = payment_page(visitor)
    session_id = form_of(page, "/testpay/").action.rpartition("/")[2]
    bank = buyers.bank(shop)
    bank.submit(session_id, **buyers.BUYER, now=shop.now())
    clock.move(days=7)

    worker.turn(shop)

    assert facts(shop)["status"] == "paid"


def test_money_that_never_comes_is_said_to_be_not_charged(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    waiting = pay(visitor, payment_page(visitor), number=buyers.NEVER_PAYS)
    clock.move(minutes=1)

    told = visitor.follow(waiting.request.url)

    assert told.request.path == "/p/book"
    assert "You were not charged" in words(told)
    assert mails(shop) == []
    assert buyers.buy(visitor).request.path.startswith("/d/")


def test_who_cancels_is_back_on_the_product_page_and_not_charged(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = payment_page(visitor)
    cancel = page.get_data(as_text=True).split('href="')
    [address] = [part.split('"')[0] for part in cancel if "cancelled=1" in part]

    back = visitor.follow(address)

    assert back.request.path == "/p/book"
    assert "You were not charged" in words(back)
    assert visitor.press(back, "/buy/book").status_code == 303


@pytest.mark.parametrize("where", ["payment page", "press", "return"])
def test_a_payment_page_left_open_for_a_day_says_not_charged_and_a_new_one_works(
    shop: Shop, visitor: Visitor, clock: Clock, where: str
) -> None:
    make.product(shop)
    product = visitor.get("/p/book")
    page = visitor.press_and_follow(product, "/buy/book")
    clock.move(hours=24)

    if where == "payment page":
        ended = visitor.follow(page.request.url)
    elif where == "press":
        ended = pay(visitor, page)
    else:
        session = page.request.path.rpartition("/")[2]
        ended = visitor.follow(f"/return/test?session={session}")

    assert ended.request.path == "/p/book"
    assert "You were not charged" in words(ended)
    again = visitor.press_and_follow(product, "/buy/book")
    assert pay(visitor, again).request.path.startswith("/d/")


def test_the_payment_page_opened_after_paying_leads_to_the_files(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = payment_page(visitor)
    bought = pay(visitor, page)

    again = visitor.follow(page.request.url)
    pressed_again = pay(visitor, page)

    assert again.request.path == bought.request.path
    assert pressed_again.request.path == bought.request.path
    assert len(mails(shop)) == 1


def test_a_return_that_nobody_paid_for_leads_nowhere(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    for address in ("/return/test?session=tp_guess", "/return/test", "/return/cash"):
        assert visitor.get(address).status_code == 404


def test_a_buyer_who_returns_while_the_bank_is_away_waits_and_then_gets_the_files(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    coming_back = visitor.press(payment_page(visitor), "/testpay/", buyers.BUYER)
    books = shop.home / BANK_FILE
    books.rename(books.with_suffix(".away"))
    books.mkdir()

    waiting = visitor.follow(coming_back.location)

    assert "Your payment is being processed" in words(waiting)
    assert "we send the link by e-mail" in words(waiting)
    assert "noindex" in waiting.get_data(as_text=True)
    books.rmdir()
    books.with_suffix(".away").rename(books)
    assert visitor.follow(waiting.request.url).request.path.startswith("/d/")


def test_buying_while_the_bank_is_away_says_not_charged_and_works_later(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    books = shop.home / BANK_FILE
    books.mkdir()

    away = visitor.press(visitor.get("/p/book"), "/buy/book")

    assert away.status_code == 503
    assert words(away).count("You were not charged") == 1
    assert str(shop.home) not in words(away)
    assert away.headers["Retry-After"]
    books.rmdir()
    page = visitor.press_and_follow(away, "/buy/book")
    assert pay(visitor, page).request.path.startswith("/d/")


def test_a_page_that_waited_for_an_hour_still_turns_into_the_files(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    waiting = pay(visitor, payment_page(visitor), number=buyers.PAYS_LATER)
    clock.move(hours=1)

    there = visitor.follow(waiting.request.url)

    assert there.request.path.startswith("/d/")
    assert "data-autostart" in there.get_data(as_text=True)
