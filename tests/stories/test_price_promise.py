"""While prices are tried, every visitor is asked one price, and never more than shown."""

import re
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete
from werkzeug.test import TestResponse

from handsel.analytics import assigning
from handsel.analytics.assigning import Ticket, Trial
from handsel.kit.errors import BadInputError
from handsel.kit.money import Money
from handsel.kit.signing import Keys
from handsel.models import Order, OrderVariant
from handsel.models.words import Part
from handsel.ops import experimenting, shelving
from handsel.sales import brake, catalogue
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import Till, untrue
from tests.ground.visitor import form_of, words
from tests.stories.buyers import buy, facts, order, pay, payment_page
from tests.stories.test_brake import ask_for_mail, attack, is_asked, link_in_mail
from tests.stories.test_coupons import coupon
from tests.stories.test_paying_here import move, pay_page
from tests.stories.trying import begin, counted, figures, forget, one, people, trial
from tests.stories.visiting import COMPUTER, PHONE, Reader

A, B = "€15.00", "€19.00"


@pytest.fixture
def reader(shop: Shop) -> Iterator[Reader]:
    """Somebody at the door of a shop where two prices of the book are tried."""
    make.product(shop)
    make.product(shop, slug="other", name="Another", price=Money(700, "EUR"))
    begin(shop, "price", "a", "b=19")
    reader = Reader(shop)
    yield reader
    reader.close()


@pytest.fixture
def market(till: Till) -> Iterator[tuple[Till, Reader]]:
    """The same where cards are paid at Stripe."""
    make.product(till.shop)
    begin(till.shop, "price", "a", "b=19")
    reader = Reader(till.shop, of=till.visitor())
    yield till, reader
    reader.close()


def price_on(page: TestResponse) -> str:
    """Give the price that a page says of the book."""
    assert page.status_code in (200, 409), page.status_code
    [found] = set(re.findall(r"€1[59]\.00", words(page)))
    return str(found)


def elsewhere(before: Reader, variant: str, *, cookies: bool = True) -> Reader:
    """Give the same browser at an address that would be shown this variant."""
    other = one(before.shop, "price", variant, before)
    if cookies:
        other.client._cookies = before.client._cookies
    return other


@pytest.mark.parametrize(("variant", "price"), [("a", A), ("b", B)])
def test_a_price_is_the_same_on_every_page_and_is_what_is_paid(
    shop: Shop, reader: Reader, variant: str, price: str
) -> None:
    visitor = one(shop, "price", variant, reader)
    pages = [visitor.get(path) for path in ("/", "/p/book", "/buy/book")]
    paid = buy(visitor)

    assert [price_on(page) for page in pages] == [price] * 3
    assert all("private" in page.headers["Cache-Control"] for page in pages)
    assert "€7.00" in words(pages[0])
    assert facts(shop)["amount_minor"] == int(price[1:3]) * 100
    assert price in words(paid)
    assert counted(reader, "price")["ab".index(variant)][1:] == (
        1,
        facts(shop)["amount_minor"],
    )


def test_machines_and_messengers_are_told_the_price_as_it_is(
    shop: Shop, reader: Reader
) -> None:
    page = one(shop, "price", "b", reader).get("/p/book").get_data(as_text=True)

    assert '"price": "15.00"' in page
    assert '<meta property="product:price:amount" content="15.00">' in page


def test_whoever_sees_a_price_is_counted_on_the_first_page_already(
    shop: Shop, reader: Reader
) -> None:
    one(shop, "price", "b", reader).get("/")
    assert figures(reader, "price") == [0, 1]
    one(shop, "price", "a", reader).get("/buy/book")
    assert figures(reader, "price") == [1, 1]

    with shop.transaction() as session:
        catalogue.show(session, "book", published=False)
    away = reader.get("/")
    assert "Set-Cookie" not in away.headers
    assert figures(reader, "price") == [1, 1]


# From one address to another


@pytest.mark.parametrize("cookies", [True, False])
@pytest.mark.parametrize(("variant", "other", "price"), [("a", "b", A), ("b", "a", B)])
def test_an_address_that_changes_between_page_and_press_changes_no_price(
    shop: Shop, reader: Reader, variant: str, other: str, price: str, cookies: bool
) -> None:
    at_home = one(shop, "price", variant, reader)
    page = at_home.get("/p/book")
    on_the_train = elsewhere(at_home, other, cookies=cookies)
    pay(on_the_train, on_the_train.press_and_follow(page, "/buy/book"))

    assert order(shop).price_minor == int(price[1:3]) * 100
    assert [each[:2] for each in counted(reader, "price")] == (
        [(1, 1), (0, 0)] if variant == "a" else [(0, 0), (1, 1)]
    )


def test_a_browser_that_comes_back_from_elsewhere_sees_its_price_again(
    shop: Shop, reader: Reader, clock: Clock
) -> None:
    at_home = one(shop, "price", "b", reader)
    at_home.get("/")
    clock.move(days=60)
    away = elsewhere(at_home, "a")

    assert [price_on(away.get(path)) for path in ("/", "/p/book", "/buy/book")] == [
        B
    ] * 3
    assert figures(reader, "price") == [0, 1]


def test_two_tabs_are_each_paid_as_they_were_shown(shop: Shop, reader: Reader) -> None:
    first = one(shop, "price", "b", reader)
    shown_b = first.get("/p/book")
    second = elsewhere(first, "a", cookies=False)  # that keeps no cookies, and went on
    shown_a = second.get("/p/book")
    assert (price_on(shown_b), price_on(shown_a)) == (B, A)

    forget(second)
    pay(second, second.press_and_follow(shown_b, "/buy/book"), email="1@example.com")
    forget(second)
    pay(second, second.press_and_follow(shown_a, "/buy/book"), email="2@example.com")
    assert [order(shop, f"H-{n}").price_minor for n in (1001, 1002)] == [1900, 1500]


def test_of_two_prices_that_were_promised_the_lower_one_counts(
    shop: Shop, reader: Reader
) -> None:
    dear = one(shop, "price", "b", reader).get("/p/book")
    browser = one(shop, "price", "a", reader)
    assert price_on(browser.get("/p/book")) == A
    link = form_of(dear, "/buy/book").fields["tried"]

    assert price_on(browser.get(f"/buy/book?tried={link}")) == A
    pay(browser, browser.press_and_follow(dear, "/buy/book"))
    assert order(shop).price_minor == 1500


def test_a_link_that_carries_a_price_brings_it_to_a_browser_without_one(
    shop: Shop, reader: Reader
) -> None:
    word = form_of(one(shop, "price", "a", reader).get("/p/book"), "/buy/book")
    other = one(shop, "price", "b", reader)
    page = other.get(f"/buy/book?tried={word.fields['tried']}")

    assert price_on(page) == A
    assert price_on(other.get("/p/book")) == A  # and stays


def test_a_link_that_is_copied_brings_its_price_and_nobody_elses_purchases(
    shop: Shop, reader: Reader
) -> None:
    sender = one(shop, "price", "b", reader)
    word = form_of(sender.get("/p/book"), "/buy/book").fields["tried"]
    cheap, dear = people(shop, "price", "a", reader), people(shop, "price", "b", reader)
    next(dear)  # who has sent it
    for other in (*islice(cheap, 2), *islice(dear, 2)):
        page = other.get(f"/p/book?tried={word}")
        assert price_on(page) == B
        pay(other, other.press_and_follow(page, "/buy/book"))
        forget(other)

    assert counted(reader, "price") == [(0, 0, 0), (3, 2, 3800)]


def test_an_order_from_before_that_is_gone_on_with_counts_for_no_other_price(
    shop: Shop,
) -> None:
    make.product(shop)
    first = Reader(shop)
    session = payment_page(first).request.path.rpartition("/")[2]
    begin(shop, "price", "a", "b=19")
    buyer = one(shop, "price", "b", first)
    buyer.get("/p/book")
    forget(buyer)
    back = buyer.follow(f"/return/test?session={session}")
    assert price_on(back) == A
    pay(buyer, buyer.press_and_follow(back, "/buy/book"))

    assert counted(first, "price") == [(0, 0, 0), (1, 0, 0)]
    first.close()


# Payments that are begun and not finished


def test_a_buyer_who_opens_the_mail_on_another_device_pays_what_was_shown(
    market: tuple[Till, Reader],
) -> None:
    till, reader = market
    attack(till, each=brake.LEAST)
    computer = one(till.shop, "price", "a", reader)
    asked = computer.press(computer.get("/p/book"), "/buy/book")
    assert is_asked(asked)
    ask_for_mail(computer, asked)
    phone = one(till.shop, "price", "b", reader)
    paying = phone.press(phone.get(link_in_mail(till)), "/buy/book")

    name = till.stripe.named(paying.location)
    till.stripe.bank.pay(name)
    till.come_back(phone, name)
    sold = till.order(name)
    assert sold
    assert sold.price_minor == 1500
    assert [each[:2] for each in counted(reader, "price")] == [(1, 1), (0, 0)]
    assert untrue(till.shop) == {}


@pytest.mark.parametrize(("variant", "other", "price"), [("a", "b", A), ("b", "a", B)])
def test_a_buyer_who_comes_back_from_stripe_without_paying_sees_the_same_price(
    market: tuple[Till, Reader], variant: str, other: str, price: str
) -> None:
    till, reader = market
    buyer = one(till.shop, "price", variant, reader)
    name = till.begin(buyer)
    away = elsewhere(buyer, other, cookies=False)
    back = till.change_mind(away, name)

    assert "not charged" in words(back)
    assert price_on(back) == price
    till.begin(away)
    assert {o.price_minor for o in _orders(till.shop)} == {int(price[1:3]) * 100}


def _orders(shop: Shop) -> list[Order]:
    with shop.reading() as session:
        return list(session.query(Order))


def test_a_buyer_who_comes_back_from_the_test_page_sees_the_same_price(
    shop: Shop, reader: Reader
) -> None:
    buyer = one(shop, "price", "b", reader)
    page = payment_page(buyer)
    session = page.request.path.rpartition("/")[2]
    away = elsewhere(buyer, "a", cookies=False)

    back = away.follow(f"/return/test?session={session}")
    assert price_on(back) == B


@pytest.mark.usefixtures("pays_here")
def test_the_shops_own_payment_page_leads_back_to_the_same_price_and_on_to_stripes(
    market_here: tuple[Till, Reader],
) -> None:
    till, reader = market_here
    buyer = one(till.shop, "price", "b", reader)
    name = till.begin(buyer)
    reader.write()
    away = elsewhere(buyer, "a", cookies=False)
    page = pay_page(away, name)
    [back] = set(re.findall(r'href="(/p/book\?[^"]+)"', page.get_data(as_text=True)))

    assert price_on(away.get(back.replace("&amp;", "&"))) == B
    moved = till.stripe.named(move(away, name).location)
    assert till.stripe.bank.get("session", moved)["amount_total"] == 1900
    till.stripe.bank.pay(moved)
    till.come_back(away, moved)
    assert [each[:2] for each in counted(reader, "price")] == [(0, 0), (1, 1)]


@pytest.fixture
def market_here(pays_here: None, till: Till) -> Iterator[tuple[Till, Reader]]:
    """A shop where two prices are tried, and buyers pay on its own page."""
    make.product(till.shop)
    begin(till.shop, "price", "a", "b=19")
    reader = Reader(till.shop, of=till.visitor())
    yield till, reader
    reader.close()


@pytest.mark.usefixtures("pays_here")
def test_a_price_that_rose_before_the_mail_was_opened_is_said_first(
    market_here: tuple[Till, Reader],
) -> None:
    till, reader = market_here
    buyer = one(till.shop, "price", "a", reader)
    name = till.begin(buyer)
    reader.write()
    attack(till, each=brake.LEAST)
    ask_for_mail(buyer, move(buyer, name))
    experimenting.stop(till.shop, "price", "b")
    answer = buyer.press(buyer.get(link_in_mail(till)), "/buy/book")

    assert (answer.status_code, price_on(answer)) == (409, B)


# Words that are none of ours, and those that are over


def test_prices_in_a_currency_that_is_the_products_no_more_are_not_tried(
    shop: Shop,
) -> None:
    make.product(shop)
    begin(shop, "price", "a", "b=19", begin=False)
    shelving.edit_product(shop, "book", price="30 USD")

    with pytest.raises(BadInputError, match="are in EUR, and book is sold in USD now"):
        experimenting.start(shop, "price")


def test_what_nobody_signed_is_no_price(shop: Shop, reader: Reader) -> None:
    begin(shop, "price", "a", "b=2", name="cheap", slug="other")
    page = one(shop, "price", "b", reader).get("/p/book")
    good = form_of(page, "/buy/book").fields["tried"]
    name, variant, number, proof = good.split(".")
    forged = [
        f"{name}.a.{number}.{proof}",
        f"{name}.b.{int(number) + 2}.{proof}",
        f"{name}.c.{number}.{proof}",
        f"cheap.{variant}.{number}.{proof}",
        good[:-1],
        good + "x",
        f"{name}.a.{number}",
        "a",
        "",
    ]
    visitor = one(shop, "price", "b", reader)
    for word in forged:
        forget(visitor)
        assert price_on(visitor.get(f"/buy/book?tried={word}")) == B
        forget(visitor)
        typed = {"tried": word, "shown": "100 EUR", "press": "x"}
        answer = visitor.post("/buy/book", typed)
        assert (answer.status_code, price_on(answer)) == (409, A), word
    assert _orders(shop) == []


def test_a_cookie_that_nobody_signed_is_no_price(shop: Shop, reader: Reader) -> None:
    visitor = one(shop, "price", "b", reader)
    visitor.client.set_cookie("handsel_price-1", "price.a.5.x", domain="127.0.0.1")

    assert price_on(visitor.get("/p/book")) == B


def test_a_form_from_before_the_experiment_keeps_its_price_and_counts_for_nothing(
    shop: Shop,
) -> None:
    make.product(shop)
    first = Reader(shop)
    page = first.get("/p/book")
    begin(shop, "price", "a", "b=19")
    late = one(shop, "price", "b", first)
    pay(late, late.press_and_follow(page, "/buy/book"))

    assert order(shop).price_minor == 1500
    assert counted(first, "price") == [(0, 0, 0), (0, 0, 0)]
    first.close()


@pytest.mark.parametrize("ship", [None, "a", "b"])
def test_after_the_end_everybody_is_asked_the_price_of_today(
    shop: Shop, reader: Reader, ship: str | None
) -> None:
    dear, cheap = (one(shop, "price", name, reader) for name in "ba")
    forms = [dear.get("/p/book"), cheap.get("/p/book")]
    experimenting.stop(shop, "price", ship)
    today = B if ship == "b" else A

    answers = [
        each.press(page, "/buy/book")
        for each, page in zip((dear, cheap), forms, strict=True)
    ]
    assert answers[0].status_code == 303
    if ship == "b":  # dearer than the page said: shown first, not charged
        assert (answers[1].status_code, price_on(answers[1])) == (409, B)
    else:
        assert answers[1].status_code == 303
    assert {order.price_minor for order in _orders(shop)} == {int(today[1:3]) * 100}
    assert [price_on(each.get("/p/book")) for each in (dear, cheap)] == [today] * 2


# Together with other things


def test_a_coupon_takes_its_part_off_the_price_that_was_shown(
    shop: Shop, reader: Reader
) -> None:
    coupon(shop, "HALF", percent="50")
    visitor = one(shop, "price", "b", reader)
    page = visitor.get("/p/book?coupon=HALF")
    assert "€9.50" in words(page)
    typed = visitor.get(
        "/p/book?" + "&".join(f"{k}={v}" for k, v in _coupon_form(visitor).items())
    )
    assert "€9.50" in words(typed)
    buyer = elsewhere(visitor, "a", cookies=False)
    pay(buyer, buyer.press_and_follow(page, "/buy/book"))

    assert order(shop).price_minor == 950
    assert counted(reader, "price") == [(0, 0, 0), (1, 1, 950)]


def _coupon_form(visitor: Reader) -> dict[str, str]:
    page = visitor.get("/p/book")
    return form_of(page, "/p/book").fields | {"coupon": "HALF"}


def test_an_order_that_the_database_has_forgotten_is_made_again_at_its_price(
    market: tuple[Till, Reader],
) -> None:
    till, reader = market
    buyer = one(till.shop, "price", "b", reader)
    name = till.begin(buyer)
    reader.write()
    with till.shop.transaction() as session:
        session.execute(delete(OrderVariant))
        session.execute(delete(Order))
    till.stripe.bank.pay(name)
    experimenting.stop(till.shop, "price", "a")
    till.reconcile()

    again = till.order(name)
    assert again
    assert again.paid_at
    assert again.price_minor == 1900
    assert untrue(till.shop) == {}


def test_a_press_that_is_repeated_is_one_payment(shop: Shop, reader: Reader) -> None:
    visitor = one(shop, "price", "b", reader)
    page = visitor.get("/p/book")
    places = {visitor.press(page, "/buy/book").location for _ in range(3)}

    assert len(places) == 1


def test_two_prices_are_split_evenly_also_among_phones_of_one_network(
    shop: Shop, reader: Reader
) -> None:
    tried = trial(shop, "price")
    agents = [PHONE, COMPUTER, *(f"Mozilla/5.0 (X11) v{n}" for n in range(98))]
    seen = [
        assigning.assign(shop.keys, tried, f"10.0.{n}.1", agent).variant
        for n in range(100)
        for agent in agents
    ]
    # Of 10,000, with four standard errors: one in 16,000 runs fails for nothing.
    assert abs(seen.count("a") - 5000) < 200


TRIAL = Trial(7, "price", "book", Part.PRICE, "EUR", {"a": "1500", "b": "1900"}, "s")
KEYS = Keys.create()


@given(st.sampled_from("ab"), st.integers(0, 2**63 - 1))
def test_a_ticket_is_read_as_it_was_written(variant: str, visitor: int) -> None:
    text = Ticket(TRIAL, variant, visitor).text(KEYS)
    found = assigning.read(KEYS, {"price": TRIAL}, text)

    assert found == Ticket(TRIAL, variant, visitor, brought=True)
    assert re.fullmatch(r"[\w.-]{1,110}", text)
    assert assigning.read(Keys.create(), {"price": TRIAL}, text) is None


@given(
    st.one_of(
        st.text(), st.from_regex(r"price\.[ab]\.\d{1,20}\.\w{22}", fullmatch=True)
    )
)
def test_no_other_text_is_a_ticket(text: str) -> None:
    assert assigning.read(KEYS, {"price": TRIAL}, text) is None
