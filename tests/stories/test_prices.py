"""Prices of these days, and prices that the buyer names."""

from datetime import timedelta
from typing import Any

import pytest

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.catalogue import Changes
from tests import make
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import form_of, words
from tests.stories.buyers import download, facts
from tests.stories.test_coupons import coupon

ADA = "ada@example.com"


def euros(minor: int) -> Money:
    """Give so many cents."""
    return Money(minor, "EUR")


def charged(till: Till, answer: Any) -> int:
    """Give what the payment page asks for."""
    assert answer.status_code == 303, words(answer)
    name = str(answer.headers["Location"]).rpartition("/")[2].partition("?")[0]
    return int(till.stripe.bank.get("session", name)["amount_total"])


def test_a_sale_is_shown_with_the_old_price_and_ends_by_itself(till: Till) -> None:
    end = till.shop.now() + timedelta(days=3)
    asking = Asking(euros(1500), sale=euros(900), sale_ends_at=end)
    make.product(till.shop, asking=asking)
    visitor = till.visitor()

    page, window = visitor.get("/p/book"), visitor.get("/")
    during = charged(till, visitor.press(page, "/buy/book"))
    till.move(days=3)
    late = visitor.press(page, "/buy/book")

    for each in (page, window):
        assert "Usual price: €15.00 Now: €9.00" in words(each)
    assert f"Until {end:%B} {end.day}, {end.year}" in words(page)
    assert '"price": "9.00"' in page.get_data(as_text=True)
    assert during == 900
    assert late.status_code == 409
    assert "The price is €15.00 now." in words(late)
    assert charged(till, visitor.press(late, "/buy/book")) == 1500
    assert "€9.00" not in words(till.visitor().get("/p/book"))


@pytest.mark.parametrize("shown", ["", "900", "1 EUR", "x EUR", "-1 EUR", "900 USD"])
def test_what_a_form_says_of_the_price_is_never_charged(till: Till, shown: str) -> None:
    make.product(till.shop)
    visitor = till.visitor()
    page = visitor.get("/p/book")

    answer = visitor.press(page, "/buy/book", {"shown": shown})

    if answer.status_code == 409:
        answer = visitor.press(answer, "/buy/book")
    assert charged(till, answer) == 1500


def test_a_price_that_fell_meanwhile_is_simply_charged(till: Till) -> None:
    make.product(till.shop)
    visitor = till.visitor()
    page = visitor.get("/p/book")
    with till.shop.transaction() as session:
        changes = Changes(asking=Asking(euros(1000)))
        catalogue.edit(session, "book", changes, till.shop.now())

    assert charged(till, visitor.press(page, "/buy/book")) == 1000


def test_a_mistyped_amount_does_not_lose_the_coupon(open_book: Till) -> None:
    coupon(open_book.shop)
    visitor = open_book.visitor()
    page = visitor.get("/p/book?coupon=SPRING")

    wrong = visitor.press(page, "/buy/book", {"other": "2"})

    assert "The price is €5.00 or more." in words(wrong)
    assert charged(open_book, visitor.press(wrong, "/buy/book", {"other": "10"})) == 800


def test_a_coupon_comes_off_the_price_of_the_sale(till: Till) -> None:
    make.product(till.shop, asking=Asking(euros(1500), sale=euros(1000)))
    coupon(till.shop)
    visitor = till.visitor()

    page = visitor.get("/p/book?coupon=SPRING")

    assert "Usual price: €15.00 Now: €8.00" in words(page)
    assert charged(till, visitor.press(page, "/buy/book")) == 800


@pytest.fixture
def open_book(till: Till) -> Till:
    """A shop with a book for what it is worth to you, five euros at least."""
    asking = Asking(euros(500), open_price=True, suggestions=(euros(1000), euros(1500)))
    make.product(till.shop, asking=asking)
    return till


def test_the_first_suggestion_is_chosen_if_nothing_is(open_book: Till) -> None:
    visitor = open_book.visitor()
    page = visitor.get("/p/book")

    assert "€5.00 or more" in words(page)
    assert "€5.00 or more" in words(visitor.get("/"))
    assert charged(open_book, visitor.press(page, "/buy/book")) == 1000


@pytest.mark.parametrize(
    ("typed", "minor"), [("7", 700), ("7,50", 750), ("€99", 9900), ("5.00 EUR", 500)]
)
def test_a_buyer_names_the_price_and_pays_it(
    open_book: Till, typed: str, minor: int
) -> None:
    visitor = open_book.visitor()
    page = visitor.get("/p/book")
    answer = visitor.press(page, "/buy/book", {"amount": "15.00", "other": typed})
    name = answer.headers["Location"].rpartition("/")[2]

    assert charged(open_book, answer) == minor
    open_book.stripe.bank.pay(name, email=ADA)
    opened = visitor.go_on(open_book.come_back(visitor, name))

    assert download(visitor, opened).data == make.BOOK
    assert facts(open_book.shop)["amount_minor"] == minor
    assert untrue(open_book.shop) == {}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("4.99", "The price is €5.00 or more."),
        ("0", "The price is €5.00 or more."),
        ("-7", "cannot be below zero"),
        ("1e3", "is not a price"),
        ("7 USD", "The price is in EUR."),
        ("<b>", "is not a price"),
        ("٧", ""),
        ("1000000", "The highest price is"),
        ("7.001", "can be read as two prices"),
        ("nan", "is not a price"),
    ],
)
def test_an_amount_that_cannot_be_is_said_at_its_field_and_kept(
    open_book: Till, typed: str, sentence: str
) -> None:
    visitor = open_book.visitor()
    page = visitor.get("/p/book")

    answer = visitor.press(page, "/buy/book", {"other": typed})

    if not sentence:  # digits of any script are read
        assert charged(open_book, answer) == 700
        return
    assert answer.status_code == 422
    assert sentence in words(answer)
    html = answer.get_data(as_text=True)
    assert 'aria-invalid="true"' in html
    assert 'href="#amount"' in html  # on top, where a phone shows it
    assert "You were not charged" in words(answer)
    assert " checked" not in html
    again = visitor.press(answer, "/buy/book", {"other": "8"})
    assert charged(open_book, again) == 800
    assert rows(open_book.shop)["orders"] == 1


def test_nothing_is_an_amount_where_nothing_is_the_least(till: Till) -> None:
    make.product(till.shop, asking=Asking(euros(0), open_price=True))
    visitor = till.visitor()
    page = visitor.get("/p/book")

    form = visitor.press(page, "/buy/book", {"other": "0"})
    given = visitor.press_and_follow(form, "/buy/book", {"email": ADA})
    little = visitor.press(page, "/buy/book", {"other": "0.20"})

    assert "Pay what you want" in words(page)
    assert form_of(form, "/buy/book").typed == ["email"]
    assert download(visitor, given).data == make.BOOK
    assert little.status_code == 422
    assert "Choose 0.50 EUR or more, or nothing at all." in words(little)


def test_who_did_not_pay_after_all_finds_the_amount_again(open_book: Till) -> None:
    visitor = open_book.visitor()
    page = visitor.get("/p/book")
    answer = visitor.press(page, "/buy/book", {"other": "12.34"})
    name = answer.headers["Location"].rpartition("/")[2]

    back = visitor.get(open_book.stripe.bank.get("session", name)["cancel_url"])

    assert "You were not charged" in words(back)
    assert form_of(back, "/buy/book").fields["other"] == "12.34"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"sale": euros(1500)}, "is not below the usual price"),
        ({"sale": Money(900, "USD")}, "in USD"),
        ({"sale": euros(900), "open_price": True}, "there is no sale"),
        ({"suggestions": (euros(2000),)}, "only suggested where buyers name"),
        ({"open_price": True, "suggestions": (euros(900),)}, "less than the least"),
        (
            {"open_price": True, "suggestions": tuple(map(euros, range(1500, 1507)))},
            "too many",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    asked: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        Asking(euros(1500), **asked)
