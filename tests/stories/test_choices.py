"""Editions of one thing to choose from, and prices in several currencies."""

from datetime import timedelta
from typing import Any

import pytest

from handsel.kit.money import Money
from handsel.models.words import ProductStatus
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.catalogue import Changes
from handsel.sales.prices import Price
from handsel.shop import Shop
from tests import make
from tests.ground.till import Till, untrue
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import buy, facts
from tests.stories.test_coupons import coupon, session_of

ADA = "ada@example.com"


def money(minor: int, currency: str = "EUR") -> Money:
    """Give an amount."""
    return Money(minor, currency)


def edition(shop: Shop, slug: str, name: str, minor: int) -> None:
    """Put an edition of the book up for sale."""
    make.product(shop, slug=slug, name=f"The Book, {name}", price=money(minor))
    with shop.transaction() as session:
        catalogue.edit(session, slug, Changes(edition=("the-book", name)), shop.now())


@pytest.fixture
def editions(shop: Shop) -> Shop:
    """A book in three editions, and something else."""
    edition(shop, "book", "text", 1500)
    make.product(shop, slug="other", name="Another")
    edition(shop, "book-code", "with the code", 2500)
    edition(shop, "book-team", "for a team", 9900)
    return shop


def test_the_window_shows_a_family_once(editions: Shop, visitor: Visitor) -> None:
    window = visitor.get("/")

    assert "The Book, text" in words(window)
    assert "from €15.00" in words(window)
    assert "for a team" not in words(window)
    assert window.get_data(as_text=True).count('class="cover') == 2


def test_each_edition_leads_to_the_others_and_is_bought_by_itself(
    editions: Shop, visitor: Visitor
) -> None:
    page = visitor.get("/p/book")
    html = page.get_data(as_text=True)
    buy(visitor, "book-code")

    assert "with the code €25.00" in words(page)
    assert 'href="/p/book-team"' in html
    assert html.count('aria-current="page"') == 1
    assert "with the code" not in words(visitor.get("/p/other"))
    assert facts(editions)["product"] == "book-code"
    assert facts(editions)["amount_minor"] == 2500


def test_an_edition_that_is_not_shown_is_not_offered(
    editions: Shop, visitor: Visitor
) -> None:
    with editions.transaction() as session:
        for slug in ("book-team", "book-code"):
            catalogue.get(session, slug).status = ProductStatus.DRAFT
    assert "for a team" not in words(visitor.get("/p/book"))
    assert 'aria-label="Editions"' not in visitor.get("/p/book").get_data(as_text=True)


@pytest.fixture
def abroad(till: Till) -> Till:
    """A shop with a book for 15 euros, 17 dollars or 2,500 yen; in euros a sale."""
    asking = Asking(
        money(1500),
        sale=money(1000),
        sale_ends_at=till.shop.now() + timedelta(days=2),
        also=(
            Price(money(1700, "USD"), money(1100, "USD")),
            Price(money(2500, "JPY")),
        ),
    )
    make.product(till.shop, asking=asking)
    return till


def charged(till: Till, answer: Any) -> tuple[int, str]:
    """Give what the payment page asks for."""
    asked = till.stripe.bank.get("session", session_of(answer))
    return asked["amount_total"], asked["currency"]


@pytest.mark.parametrize(
    ("currency", "price", "sent"),
    [
        ("", "€10.00", (1000, "eur")),
        ("EUR", "€10.00", (1000, "eur")),
        ("usd", "$11.00", (1100, "usd")),
        ("JPY", "¥2,500", (2500, "jpy")),
        ("CHF", "€10.00", (1000, "eur")),
        ("<b>", "€10.00", (1000, "eur")),
    ],
)
def test_a_buyer_pays_in_the_currency_of_the_link(
    abroad: Till, currency: str, price: str, sent: tuple[int, str]
) -> None:
    visitor = abroad.visitor()

    page = visitor.get(f"/p/book?currency={currency}")
    summary = visitor.get(f"/buy/book?currency={currency}")
    answer = visitor.press(page, "/buy/book")

    assert price in words(page)
    assert price in words(summary)
    assert charged(abroad, answer) == sent
    assert charged(abroad, visitor.press(summary, "/buy/book")) == sent


def test_the_currencies_are_there_to_choose_and_the_sale_ends_in_all(
    abroad: Till,
) -> None:
    visitor = abroad.visitor()
    page = visitor.get("/p/book")
    assert [code in words(page) for code in ("USD", "JPY")] == [True, True]
    assert 'href="/p/book?currency=USD"' in page.get_data(as_text=True)

    abroad.move(days=2)

    assert "$17.00" in words(visitor.get("/p/book?currency=USD"))
    assert "¥2,500" in words(visitor.get("/p/book?currency=JPY"))


def test_a_purchase_in_another_currency_is_whole(abroad: Till) -> None:
    coupon(abroad.shop)
    visitor = abroad.visitor()
    page = visitor.get("/p/book?currency=USD&coupon=SPRING")
    name = session_of(visitor.press(page, "/buy/book"))
    back = visitor.get(abroad.stripe.bank.get("session", name)["cancel_url"])
    abroad.stripe.bank.pay(name, email=ADA)
    abroad.reconcile()

    assert "$8.80" in words(back)
    assert form_of(back, "/buy/book").fields["currency"] == "USD"
    order = facts(abroad.shop)
    assert (order["amount_minor"], order["currency"]) == (880, "USD")
    assert (order["discount_minor"], order["status"]) == (220, "paid")
    assert untrue(abroad.shop) == {}


def test_an_amount_off_is_in_one_currency_and_said_so(abroad: Till) -> None:
    coupon(abroad.shop, amount="5 EUR")
    visitor = abroad.visitor()
    page = visitor.get("/p/book?currency=USD&coupon=SPRING")
    assert "The coupon SPRING is for prices in EUR." in words(page)
    assert "$11.00" in words(page)


def test_a_coupon_and_a_currency_are_taken_along_to_another_edition(
    abroad: Till,
) -> None:
    edition(abroad.shop, "book-code", "with the code", 2500)
    with abroad.shop.transaction() as session:
        changes = Changes(edition=("the-book", "text"))
        catalogue.edit(session, "book", changes, abroad.shop.now())
    coupon(abroad.shop)
    visitor = abroad.visitor()

    page = visitor.get("/p/book?coupon=SPRING&currency=USD").get_data(as_text=True)

    assert 'href="/p/book-code?coupon=SPRING&amp;currency=USD"' in page
    assert 'href="/p/book?coupon=SPRING&amp;currency=JPY"' in page
    assert 'href="/p/book?currency=USD">Without it' in page
