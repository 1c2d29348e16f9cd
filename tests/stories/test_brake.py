"""Stolen cards are tried: the brake comes on, and honest buyers get through."""

import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from handsel import worker
from handsel.kit.money import Money
from handsel.models import MailCheck
from handsel.ops.doctor import Finding, examine
from handsel.sales import brake
from handsel.sales.asking import Asking
from handsel.shop import Shop
from tests import make
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import Visitor, form_of, words
from tests.stories import buyers
from tests.stories.buyers import mails
from tests.stories.test_coupons import coupon

ADA = "ada@example.org"
SELLER = "ada@example.com"


@pytest.fixture
def market(till: Till) -> Till:
    """A shop with one book, where cards are paid at Stripe."""
    make.product(till.shop)
    return till


def attack(market: Till, cards: int = brake.LEAST, *, each: int = 4) -> list[str]:
    """Try stolen cards from everywhere; give the payments.

    Args:
        each: how many are tried in a payment; of so few, none is ended for it.
    """
    names = []
    for number in range(0, cards, each):
        names.append(market.begin(market.visitor(f"198.51.{number}.7")))
        for _ in range(min(each, cards - number)):
            market.stripe.bank.decline(names[-1])
    return names


def press(visitor: Visitor, slug: str = "book") -> TestResponse:
    """Press Buy."""
    return visitor.press(visitor.get(f"/p/{slug}"), f"/buy/{slug}")


def is_asked(page: TestResponse) -> bool:
    """Say whether a press on Buy has led to the page that asks for a mail address."""
    return page.status_code == 200 and "One step more" in words(page)


def ask_for_mail(
    visitor: Visitor, page: TestResponse, email: str = ADA
) -> TestResponse:
    """Give an address on the page that asks for it; follow to the page that waits."""
    return visitor.press_and_follow(page, "/check/", {"email": email})


def link_in_mail(market: Till, email: str = ADA) -> str:
    """Let the worker mail, and give the newest link that has come."""
    found = [each for each in mails(market.shop) if each.to == email]
    [link] = set(re.findall(r"http\S+/checked/\S+", found[0].text))
    return str(urlsplit(link).path)


def warnings(market: Till) -> list[str]:
    """Give the subjects of the mails that warn the seller."""
    found = [each for each in mails(market.shop) if "Stolen cards" in each.subject]
    assert {each.to for each in found} <= {SELLER}
    return [each.subject for each in found]


def sessions(market: Till) -> int:
    """Count the payments that were ever begun at Stripe."""
    return len(market.stripe.bank.kept["session"])


def test_declines_put_the_brake_on_and_an_honest_buyer_gets_through(
    market: Till,
) -> None:
    attack(market, each=1)
    before = sessions(market)

    buyer = market.visitor("203.0.113.9")
    asked = press(buyer)
    assert is_asked(asked)
    assert "not charged" in words(asked)
    assert sessions(market) == before

    waiting = ask_for_mail(buyer, asked)
    assert "Look into your mail" in words(waiting)
    paying = buyer.press(buyer.get(link_in_mail(market)), "/buy/book")

    assert paying.status_code == 303
    name = market.stripe.named(paying.location)
    assert market.stripe.bank.get("session", name)["customer_email"] == ADA
    market.stripe.bank.pay(name, email=ADA)
    assert market.come_back(buyer, name).location == market.link(name)
    assert untrue(market.shop) == {}


# When it comes on, and when it ends


def test_a_few_declined_cards_are_nobodys_attack(market: Till) -> None:
    attack(market, brake.LEAST - 1, each=brake.LEAST - 1)
    assert not is_asked(press(market.visitor()))
    assert warnings(market) == []


def test_many_declined_among_as_many_paid_are_a_good_day(market: Till) -> None:
    for number in range(20):
        market.stripe.bank.pay(market.begin(market.visitor(f"192.0.2.{number}")))
    attack(market, 30, each=10)  # 60 percent
    assert press(market.visitor()).status_code == 303
    attack(market, 5, each=5)
    assert is_asked(press(market.visitor()))


def test_the_same_message_again_counts_once(market: Till) -> None:
    market.stripe.hooks.mode = "hold"
    attack(market, brake.LEAST - 1, each=1)
    held = [
        each
        for each in market.stripe.hooks.held
        if each["type"] == "payment_intent.payment_failed"
    ]
    for each in held:
        assert market.stripe.hooks.send(each) == 200
        assert market.stripe.hooks.send(market.stripe.hooks.again(each)) == 200
    assert rows(market.shop)["declines"] == brake.LEAST - 1
    assert rows(market.shop)["inbox"] == 0


def test_it_ends_by_itself_and_one_declined_card_does_not_put_it_on_again(
    market: Till,
) -> None:
    attack(market)
    market.move(minutes=14)
    assert is_asked(press(market.visitor()))
    market.move(minutes=1)
    buyer = market.visitor()
    name = market.begin(buyer)
    market.stripe.bank.decline(name)
    assert not is_asked(press(market.visitor()))
    assert len(warnings(market)) == 1


def test_it_stays_on_while_cards_are_tried(market: Till) -> None:
    names = attack(market)
    for _ in range(4):
        market.move(minutes=10)
        for name in names[: brake.GOING_ON]:
            market.stripe.bank.decline(name)
        assert is_asked(press(market.visitor()))
    assert len(warnings(market)) == 1
    market.move(minutes=15)
    assert not is_asked(press(market.visitor()))


def test_the_next_attack_is_another_one(market: Till) -> None:
    attack(market)
    market.move(minutes=16)
    attack(market, brake.LEAST - 1)
    assert len(warnings(market)) == 1
    attack(market, 1)
    assert is_asked(press(market.visitor()))
    assert len(warnings(market)) == 2


def test_news_that_come_late_are_of_their_time(market: Till) -> None:
    market.stripe.hooks.mode = "hold"
    attack(market)
    market.move(hours=1)
    market.stripe.hooks.mode = "now"
    market.stripe.hooks.catch_up()
    market.reconcile()
    assert not is_asked(press(market.visitor()))


def test_without_web_hooks_the_worker_hears_of_declined_cards(market: Till) -> None:
    market.stripe.hooks.mode = "drop"
    attack(market, each=1)
    assert not is_asked(press(market.visitor()))
    calls = len(market.stripe.calls)
    for _ in range(2):
        market.move(minutes=3)
        worker.turn(market.shop)
    assert rows(market.shop)["declines"] == brake.LEAST
    assert is_asked(press(market.visitor()))
    assert len(market.stripe.calls) - calls < 10


def test_cards_tried_with_other_shops_of_the_account_are_not_ours(
    market: Till,
) -> None:
    for name in attack(market, 1):
        intent = market.stripe.bank.get("session", name)["payment_intent"]
    payment = market.stripe.bank.kept["payment_intent"][intent]
    ours = payment["metadata"]
    nothing: dict[str, str] = {}
    for theirs in (
        nothing,
        ours | {"shop": "theirs"},
        ours | {"product": "other"},
        ours | {"price": "1"},
        ours | {"price": "much"},
    ):
        payment["metadata"] = theirs
        market.stripe.bank.decline(name)
    assert rows(market.shop)["declines"] == 1


def test_only_the_product_that_cards_are_tried_with_is_braked(market: Till) -> None:
    make.product(market.shop, slug="other")
    make.product(market.shop, slug="gift", asking=Asking(Money(0, "EUR")))
    attack(market)
    buyer = market.visitor()
    assert is_asked(press(buyer))
    assert press(buyer, "other").status_code == 303
    given = buyer.press(buyer.get("/buy/gift"), "/buy/gift", {"email": ADA})
    assert given.status_code == 303


# What it does, and does not


def test_payments_in_which_cards_are_tried_are_ended_and_others_are_not(
    market: Till,
) -> None:
    honest = market.begin(market.visitor())
    often, seldom = attack(market, 2, each=1)
    for _ in range(brake.LEAST):
        market.stripe.bank.decline(often)
    worker.turn(market.shop)
    states = {
        each: market.stripe.bank.get("session", each)["status"]
        for each in (honest, often, seldom)
    }
    assert states == {honest: "open", often: "expired", seldom: "open"}

    market.stripe.bank.pay(seldom, email=ADA)
    paid = market.order(seldom)
    assert paid
    assert paid.status == "paid"


def test_when_stripe_is_away_they_are_ended_later(market: Till) -> None:
    [name] = attack(market, brake.LEAST, each=brake.LEAST)
    market.stripe.faults.fail_next(4, 503)
    worker.turn(market.shop)
    market.stripe.faults.fail_next(0)
    assert market.stripe.bank.get("session", name)["status"] == "open"
    market.move(seconds=11)
    worker.turn(market.shop)
    assert market.stripe.bank.get("session", name)["status"] == "expired"


def test_whoever_had_begun_before_goes_on(market: Till) -> None:
    buyer = market.visitor()
    shown = buyer.get("/p/book")
    first = buyer.press(shown, "/buy/book").location
    attack(market)
    assert buyer.press(shown, "/buy/book").location == first
    assert is_asked(press(buyer))


def test_the_seller_is_told_once_and_the_doctor_tells_it_too(
    market: Till, database_url: str
) -> None:
    def found() -> dict[str, Finding]:
        environ = {"HANDSEL_DATABASE__URL": database_url}
        looked = examine(market.shop.home, market.shop.now(), environ)
        return {each.id: each for each in looked if each.id in ("H071", "H072")}

    assert found() == {}
    attack(market, 40, each=40)
    assert warnings(market) == ["Stolen cards are being tried with The Book"]
    [mail] = [each for each in mails(market.shop) if each.to == SELLER]
    assert f"Of the last {brake.LEAST} tries" in mail.text
    assert "Radar" in mail.text
    assert "book, since 12:00 UTC" in found()["H071"].problem
    market.move(minutes=15)
    assert "until 2026-11-23 12:15 UTC" in found()["H072"].problem
    market.move(hours=25)
    assert found() == {}


def test_everything_that_was_said_on_the_way_is_kept(market: Till) -> None:
    coupon(market.shop)
    attack(market)
    buyer = market.visitor()
    asked = buyer.press(buyer.get("/p/book?coupon=spring"), "/buy/book")
    assert is_asked(asked)
    ask_for_mail(buyer, asked)
    elsewhere = market.visitor("203.0.113.77")
    paying = elsewhere.press(elsewhere.get(link_in_mail(market)), "/buy/book")
    name = market.stripe.named(paying.location)
    assert market.stripe.bank.get("session", name)["amount_total"] == 1200


def test_a_coupon_that_asks_for_the_address_does_not_ask_twice(market: Till) -> None:
    coupon(market.shop, most_each=1)
    attack(market)
    buyer = market.visitor()
    summary = buyer.press(buyer.get("/p/book?coupon=spring"), "/buy/book")
    asked = buyer.press(summary, "/buy/book", {"email": ADA})
    assert is_asked(asked)
    assert f'value="{ADA}"' in asked.get_data(as_text=True)
    ask_for_mail(buyer, asked)
    paying = buyer.press(buyer.get(link_in_mail(market)), "/buy/book")
    assert paying.status_code == 303


def test_fields_that_nobody_here_knows_are_kept_too(market: Till) -> None:
    attack(market)
    buyer = market.visitor()
    said = {"vat": "x" * 600, "<b>": "<i>", "press": "1", "proof": "2", "email": ADA}
    asked = buyer.press(buyer.get("/p/book"), "/buy/book", said)
    ask_for_mail(buyer, asked)
    carried = form_of(buyer.get(link_in_mail(market)), "/buy/book").fields
    assert (carried["vat"], carried["<b>"]) == ("x" * 500, "<i>")
    assert carried["email"] == ADA
    assert carried["press"] != "1"
    assert carried["proof"] != "2"


def test_an_open_price_is_kept(market: Till) -> None:
    open_price = Asking(Money(500, "EUR"), open_price=True)
    make.product(market.shop, slug="open", asking=open_price)
    attack(market)
    name = market.begin(market.visitor(), "open")
    for _ in range(brake.LEAST):
        market.stripe.bank.decline(name)
    buyer = market.visitor()
    asked = buyer.press(buyer.get("/p/open"), "/buy/open", {"other": "7.50"})
    assert is_asked(asked)
    ask_for_mail(buyer, asked)
    paying = buyer.press(buyer.get(link_in_mail(market)), "/buy/open")
    name = market.stripe.named(paying.location)
    assert market.stripe.bank.get("session", name)["amount_total"] == 750


@pytest.mark.usefixtures("pays_here")
class TestOnOurPage:
    """Where Stripe's fields are on the shop's own page."""

    def test_to_move_to_stripes_page_begins_a_payment_too(self, market: Till) -> None:
        buyer = market.visitor()
        name = market.begin(buyer)
        attack(market)
        asked = buyer.post(f"/pay/{name}/hosted")
        assert is_asked(asked)
        assert market.stripe.bank.get("session", name)["status"] == "open"

        ask_for_mail(buyer, asked)
        paying = buyer.press(buyer.get(link_in_mail(market)), "/buy/book")
        proven = market.stripe.named(paying.location)
        assert "/pay/" in paying.location
        moved = buyer.post(f"/pay/{proven}/hosted")
        assert moved.status_code == 303
        assert "/c/pay/" in moved.location


# The other ways to pay


def test_declined_approvals_at_paypal_count_too(paypal_till: Till) -> None:
    make.product(paypal_till.shop)
    for number in range(brake.LEAST):
        name = paypal_till.begin(paypal_till.visitor(f"198.51.100.{number}"))
        paypal_till.paypal.bank.decline(name)
        paypal_till.come_back(paypal_till.visitor(), name)
    assert rows(paypal_till.shop)["declines"] == brake.LEAST
    assert is_asked(press(paypal_till.visitor()))


def test_test_cards_show_it_to_the_seller(shop: Shop) -> None:
    make.product(shop)
    tester = Visitor(shop)
    page = buyers.payment_page(tester)
    for number in range(brake.LEAST):
        card = buyers.NO_MONEY if number % 2 else buyers.DECLINED
        page = buyers.pay(tester, page, number=card)
        assert page.status_code == 422
    assert is_asked(press(Visitor(shop, app=tester.app)))


def test_what_was_counted_is_forgotten(market: Till) -> None:
    attack(market)
    ask_for_mail(buyer := market.visitor(), press(buyer))
    kept = rows(market.shop)
    assert min(kept[each] for each in ("starts", "declines", "mail_checks")) > 0
    market.move(days=3)
    worker.turn(market.shop)
    left = rows(market.shop)
    assert [left[each] for each in ("starts", "declines", "mail_checks")] == [0, 0, 1]
    with market.shop.reading() as session:  # one stays, and says nothing
        newest = session.scalars(select(MailCheck)).one()
    assert (newest.email, newest.fields) == ("", {})
