"""Paying on the shop's own page, as far as the shop decides: what it shows, and when."""

import pytest
import requests
from sqlalchemy import text
from werkzeug.test import TestResponse

from handsel import worker
from handsel.kit.money import Money
from handsel.sales.asking import Asking
from tests import make
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import Visitor, forms_of, words
from tests.providers.fakes.bank import Obj
from tests.providers.fakes.stripe_bank import NotOpenError
from tests.stories.buyers import BUYER, mails
from tests.stories.test_coupons import coupon, press, session_of, uses

ADA = "ada@example.org"


@pytest.fixture
def counter(pays_here: None, till: Till) -> Till:
    """A shop with one book, where buyers pay on its own page."""
    make.product(till.shop)
    return till


@pytest.fixture
def buyer(counter: Till) -> Visitor:
    """Somebody at the door."""
    return counter.visitor()


def at_stripe(counter: Till, name: str) -> Obj:
    """What Stripe knows of a session."""
    return counter.stripe.bank.get("session", name)


def all_at_stripe(counter: Till) -> list[str]:
    """The names of all sessions at Stripe."""
    return list(counter.stripe.bank.kept["session"])


def pay_page(visitor: Visitor, name: str) -> TestResponse:
    """Open the page on which a session is paid."""
    return visitor.get(f"/pay/{name}")


def move(visitor: Visitor, name: str) -> TestResponse:
    """Press the button that leads to Stripe's page, as the page had it."""
    return visitor.post(f"/pay/{name}/hosted")


def pay_there(answer: TestResponse) -> str:
    """Pay on the page of Stripe's that one was sent to; where that leads back to."""
    assert answer.status_code == 303, words(answer)
    paid = requests.post(answer.location, BUYER, allow_redirects=False, timeout=10)
    assert paid.status_code == 303
    return paid.headers["location"]


# The page


def test_buy_leads_to_a_page_of_the_shop_with_everything_that_is_to_be_known(
    counter: Till, buyer: Visitor
) -> None:
    name = counter.begin(buyer)
    page = pay_page(buyer, name)

    session = at_stripe(counter, name)
    assert (session["ui_mode"], session["url"]) == ("elements", None)
    assert session["client_secret"] in page.get_data(as_text=True)
    assert "pk_test_fake" in page.get_data(as_text=True)
    assert "The Book From Ada&#39;s Books Total €15.00" in words(page)
    assert "Pay €15.00" in words(page)
    assert [form.typed for form in forms_of(page)] == [["email"], []]


def test_the_page_is_nobody_elses_business(counter: Till, buyer: Visitor) -> None:
    page = pay_page(buyer, counter.begin(buyer))
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_what_lets_a_browser_pay_is_kept_nowhere(counter: Till, buyer: Visitor) -> None:
    name = counter.begin(buyer)
    secret = at_stripe(counter, name)["client_secret"]
    pay_page(buyer, name)
    with counter.shop.reading() as session:
        [order] = session.execute(text("SELECT * FROM orders")).all()
    assert name in str(order)
    assert secret.removeprefix(name) not in str(order)


def test_loading_it_again_and_pressing_buy_again_are_the_same_payment(
    counter: Till, buyer: Visitor
) -> None:
    shown = buyer.get("/p/book")
    first = buyer.press(shown, "/buy/book").location
    second = buyer.press(shown, "/buy/book").location
    pages = [buyer.get(first), buyer.get(second), buyer.tab().get(first)]
    assert first == second
    assert {page.status_code for page in pages} == {200}
    assert len(all_at_stripe(counter)) == 1


def test_a_coupon_and_the_address_it_asked_for_are_on_the_page(counter: Till) -> None:
    coupon(counter.shop, most_each=1)
    buyer = counter.visitor()
    name = session_of(press(counter, buyer, "SPRING", email=ADA))
    page = pay_page(buyer, name)
    assert "Price €15.00 Coupon SPRING &minus;€3.00 Total €12.00" in words(page)
    assert ADA in words(page)
    assert [form.typed for form in forms_of(page)] == [[], []]
    assert at_stripe(counter, name)["customer_email"] == ADA


def test_nobody_started_this_payment(buyer: Visitor) -> None:
    for path in ("/pay/cs_test_none", "/pay/x", "/pay/" + "x" * 400):
        assert buyer.get(path).status_code == 404
        assert buyer.post(f"{path}/hosted").status_code == 404


def test_a_session_of_stripes_own_page_is_not_paid_here(till: Till) -> None:
    make.product(till.shop)
    buyer = till.visitor()
    name = till.begin(buyer)
    back = buyer.follow(f"/pay/{name}")
    assert back.request.path == "/p/book"
    assert "not charged" in words(back)


def test_when_stripe_is_away_the_page_says_that_nothing_was_charged(
    counter: Till, buyer: Visitor
) -> None:
    name = counter.begin(buyer)
    counter.stripe.faults.fail_next(2, 503)
    page = pay_page(buyer, name)
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    assert "not charged" in words(page)
    assert pay_page(buyer, name).status_code == 200


# Afterwards


def test_the_closed_tab_does_not_matter(counter: Till, buyer: Visitor) -> None:
    heard, unheard = counter.begin(buyer), counter.begin(counter.visitor())
    counter.stripe.bank.pay(heard, email=ADA)
    counter.stripe.hooks.mode = "drop"
    counter.stripe.bank.pay(unheard, email="bo@example.org")
    counter.move(minutes=3)
    worker.turn(counter.shop)

    assert counter.stripe.hooks.failed == []
    assert {mail.to for mail in mails(counter.shop)} == {ADA, "bo@example.org"}
    assert untrue(counter.shop) == {}


def test_who_has_paid_and_opens_the_page_again_is_at_their_purchase(
    counter: Till, buyer: Visitor
) -> None:
    name = counter.begin(buyer)
    counter.stripe.hooks.mode = "hold"
    counter.stripe.bank.pay(name, email=ADA)
    assert buyer.follow(f"/pay/{name}").request.path == counter.link(name)
    counter.stripe.hooks.deliver()
    assert buyer.follow(f"/pay/{name}").request.path == counter.link(name)
    assert rows(counter.shop)["ledger"] == 1


def test_money_that_takes_its_time_is_waited_for(counter: Till, buyer: Visitor) -> None:
    name = counter.begin(buyer)
    counter.stripe.bank.pay_later(name, email=ADA)
    assert "being processed" in words(buyer.follow(f"/pay/{name}"))
    moved = buyer.go_on(move(buyer, name))
    assert "being processed" in words(moved)
    counter.stripe.bank.settle_later(name, ok=True)
    assert buyer.follow(f"/pay/{name}").request.path == counter.link(name)
    assert len(all_at_stripe(counter)) == 1


def test_a_payment_that_has_run_out_says_so_and_keeps_the_coupon(counter: Till) -> None:
    coupon(counter.shop)
    buyer = counter.visitor()
    name = session_of(press(counter, buyer, "SPRING"))
    counter.move(hours=25)
    page = buyer.follow(f"/pay/{name}")
    assert page.request.full_path == "/p/book?cancelled=1&coupon=SPRING"
    assert "You were not charged" in words(page)
    assert "you save €3.00" in words(page)


def test_who_comes_back_from_a_bank_without_paying_can_try_in_another_way(
    counter: Till, buyer: Visitor
) -> None:
    name = counter.begin(buyer)
    page = buyer.go_on(counter.come_back(buyer, name))
    assert page.request.path == f"/pay/{name}"
    assert "You were not charged The payment was not finished" in words(page)


def test_whether_it_is_still_open_is_asked_of_stripe(
    counter: Till, buyer: Visitor
) -> None:
    name = counter.begin(buyer)
    counter.stripe.hooks.mode = "drop"
    assert buyer.get(f"/pay/{name}/open").json == {"open": True}
    counter.stripe.faults.fail_next(2, 503)
    assert buyer.get(f"/pay/{name}/open").status_code == 503
    counter.stripe.bank.pay(name, email=ADA)
    assert buyer.get(f"/pay/{name}/open").json == {"open": False}
    assert buyer.get("/pay/cs_test_none/open").status_code == 404


# To Stripe's page instead


def test_moving_to_stripes_page_ends_the_first_payment_and_is_the_same_sale(
    counter: Till, buyer: Visitor
) -> None:
    name = counter.begin(buyer)
    first, again = move(buyer, name), move(buyer, name)
    assert first.location == again.location
    [_, second] = all_at_stripe(counter)
    assert at_stripe(counter, second)["ui_mode"] == "hosted_page"
    assert at_stripe(counter, second)["amount_total"] == 1500
    with pytest.raises(NotOpenError):
        counter.stripe.bank.pay(name)

    opened = buyer.follow(pay_there(first))

    assert opened.request.path == counter.link(second)
    assert buyer.go_on(move(buyer, name)).request.path == "/p/book"
    [mail] = mails(counter.shop)
    assert counter.link(second) in mail.text
    assert rows(counter.shop)["ledger"] == 1
    assert untrue(counter.shop) == {}


def test_what_is_paid_already_is_not_begun_again(counter: Till, buyer: Visitor) -> None:
    name = counter.begin(buyer)
    counter.stripe.hooks.mode = "drop"
    counter.stripe.bank.pay(name, email=ADA)
    assert buyer.go_on(move(buyer, name)).request.path == counter.link(name)
    assert all_at_stripe(counter) == [name]


def test_stripe_away_in_the_middle_costs_nothing_but_another_press(
    counter: Till, buyer: Visitor
) -> None:
    name = counter.begin(buyer)
    counter.stripe.faults.fail_next(2, 503)
    assert "not charged" in words(move(buyer, name))
    counter.stripe.bank.expire(name)  # as if the first answer had been lost
    assert buyer.follow(pay_there(move(buyer, name))).request.path.startswith("/d/")


def test_the_coupon_moves_along_and_is_used_once(counter: Till) -> None:
    coupon(counter.shop, most_uses=1)
    buyer = counter.visitor()
    name = session_of(press(counter, buyer, "SPRING"))
    moved = move(buyer, name)
    assert uses(counter.shop) == 1
    assert at_stripe(counter, all_at_stripe(counter)[-1])["amount_total"] == 1200
    buyer.follow(pay_there(moved))
    assert uses(counter.shop) == 1
    assert untrue(counter.shop) == {}


def test_a_coupon_that_somebody_else_got_meanwhile_is_said(counter: Till) -> None:
    coupon(counter.shop, most_uses=1)
    buyer, other = counter.visitor(), counter.visitor("10.1.2.3")
    name = session_of(press(counter, buyer, "SPRING"))
    counter.stripe.bank.expire(name)
    assert press(counter, other, "SPRING").status_code == 303
    said = move(buyer, name)
    assert said.status_code == 422
    assert "used as often as it can be" in words(said)


def test_the_price_that_the_buyer_named_moves_along(
    pays_here: None, till: Till
) -> None:
    least = Asking(Money(500, "EUR"), open_price=True)
    make.product(till.shop, asking=least)
    buyer = till.visitor()
    pressed = buyer.press(buyer.get("/p/book"), "/buy/book", {"other": "7.50"})
    name = session_of(pressed)
    move(buyer, name)
    second = at_stripe(till, all_at_stripe(till)[-1])
    assert second["amount_total"] == 750
    assert second["cancel_url"].endswith("/p/book?cancelled=1&amount=7.50")


def test_a_second_payment_that_has_run_out_too_is_not_begun_a_third_time(
    counter: Till, buyer: Visitor
) -> None:
    name = counter.begin(buyer)
    move(buyer, name)
    counter.move(hours=25)
    page = buyer.go_on(move(buyer, name))
    assert page.request.path == "/p/book"
    assert "not charged" in words(page)


# The address


@pytest.mark.parametrize(
    ("typed", "error", "suggestion"),
    [
        ("ann@example.com", "", ""),
        ("ann@gmial.com", "", "ann@gmail.com"),
        ("ann@", "That is not a complete e-mail address.", ""),
        ("", "There is no e-mail address.", ""),
    ],
)
def test_an_address_is_judged_in_the_words_of_every_page(
    counter: Till, buyer: Visitor, typed: str, error: str, suggestion: str
) -> None:
    said = buyer.post(f"/pay/{counter.begin(buyer)}/email", {"email": typed}).json
    assert said
    assert said["error"].startswith(error)
    assert bool(said["error"]) is bool(error)
    assert said["suggestion"] == suggestion
