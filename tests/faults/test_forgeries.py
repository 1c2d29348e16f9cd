"""P10, P11: messages nobody sent, and forms that somebody has changed."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests

from handsel import worker
from handsel.kit.money import Money
from handsel.models.words import OrderStatus
from handsel.outbound.transports.folder import read_folder
from handsel.sales import orders
from tests import make
from tests.ground.cases import Say
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import form_of, words
from tests.providers.fakes.bank import Obj
from tests.providers.fakes.paypal_objects import OTHER_MERCHANT
from tests.providers.fakes.stripe_objects import new_id
from tests.stories.test_coupons import coupon

DAY = timedelta(days=1)


def test_no_forged_message_writes_a_row(either_till: Till, say: Say) -> None:
    till = either_till
    make.product(till.shop)
    name, event = _paid_in_secret(till)
    hooks = till.far.hooks
    forged = {
        lie: hooks.post(message)
        for lie, message in hooks.forgeries(event).items()
        if _nothing_written(till, name)
    }
    unknown = hooks.signed(hooks.about(event, UNKNOWN[till.provider]))
    forged["unknown session"] = hooks.post(unknown)
    big = event | {"padding": "x" * 1_000_000}
    forged["1 MB"] = hooks.post(hooks.signed(big))
    assert hooks.url
    forged["GET"] = requests.get(hooks.url, timeout=20).status_code
    forged["unknown provider"] = requests.post(
        hooks.url.replace(till.provider, "paybox"), b"{}", timeout=20
    ).status_code

    statuses = sorted(set(forged.values()))
    say("P10", forged=len(forged), statuses=statuses, provider=till.provider)
    assert [lie for lie, status in forged.items() if not 400 <= status < 500] == []
    assert _nothing_written(till, name)

    for lie, each in hooks.ignored(event).items():
        assert hooks.send(each) == 200, lie
        assert _nothing_written(till, name), lie
    assert untrue(till.shop) == {}


UNKNOWN = {"stripe": new_id("cs_test"), "paypal": "5O190127TN364715T"}
"""A payment that nobody ever started."""
OLD = {"stripe": {"minutes": 6}, "paypal": {"days": 5}}
"""How long a message is too old after; PayPal repeats its own for three days."""


def test_an_old_good_message_again_and_one_that_is_too_early(
    either_till: Till,
) -> None:
    till = either_till
    make.product(till.shop)
    _, event = _paid_in_secret(till)
    hooks = till.far.hooks
    good = hooks.signed(event)
    assert hooks.post(good) == 200
    before = rows(till.shop)
    assert hooks.post(good) == 200
    till.move(**OLD[till.provider])
    assert hooks.post(good) == 400
    assert rows(till.shop) == before

    unpaid = till.begin(till.visitor())
    assert hooks.send(hooks.again(hooks.about(event, unpaid))) == 200
    order = till.order(unpaid)
    assert order
    assert order.status is OrderStatus.STARTED
    assert rows(till.shop)["entitlements"] == 1
    assert untrue(till.shop) == {}


def _paid_in_secret(till: Till) -> tuple[str, Obj]:
    """Let somebody pay, and give the message that the provider has not sent yet."""
    till.far.hooks.mode = "hold"
    name = till.begin(till.visitor())
    till.far.bank.pay(name, email="ada@example.org")
    (event,) = till.far.hooks.held
    return name, event


def _nothing_written(till: Till, name: str) -> bool:
    counted = rows(till.shop)
    order = till.order(name)
    assert order
    return (
        [counted[each] for each in ("orders", "ledger", "inbox", "outbox")]
        == [1, 0, 0, 0]
    ) and order.status is OrderStatus.STARTED


@pytest.mark.parametrize(
    "swap",
    [
        {"price": "0"},
        {"price": "-1"},
        {"price": "1e9"},
        {"price": "1e-3"},
        {"price[]": "1"},
        {"price_minor": "1"},
        {"amount": "1"},
        {"currency": "IDR"},
        {"quantity": "-1"},
        {"quantity": "1000000000"},
        {"product": "cheap"},
        {"discount": "1500"},
    ],
    ids=str,
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_changed_form_buys_nothing_else(till: Till, swap: dict[str, str]) -> None:
    make.product(till.shop)
    make.product(till.shop, slug="cheap", name="Cheap", price=Money(100, "EUR"))
    buyer = till.visitor()
    page = buyer.get("/p/book")
    assert not set(form_of(page, "/buy/book").fields) & set(swap)

    answer = buyer.press(page, "/buy/book", swap)

    assert answer.status_code == 303
    session = till.stripe.bank.latest()
    assert (session["amount_total"], session["currency"]) == (1500, "eur")
    assert session["metadata"]["product"] == "book"


@pytest.mark.parametrize("code", ["ALLFREE", "CHEAP", "OVER"])
def test_a_coupon_that_is_not_for_it_lowers_nothing(till: Till, code: str) -> None:
    make.product(till.shop)
    make.product(till.shop, slug="cheap", name="Cheap", price=Money(100, "EUR"))
    coupon(till.shop, "CHEAP", percent="100", products=("cheap",))
    coupon(till.shop, "OVER", percent="100", ends_at=till.shop.now() + DAY)
    till.move(days=2)
    buyer = till.visitor()

    answer = buyer.press(buyer.get("/p/book"), "/buy/book", {"coupon": code})

    assert answer.status_code == 422
    assert "€15.00" in words(answer)
    assert rows(till.shop)["orders"] == rows(till.shop)["coupon_uses"] == 0


@pytest.mark.parametrize("swap", [{"price": "0"}, {"amount": "1"}, {"currency": "IDR"}])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_changed_form_buys_nothing_else_by_paypal(
    paypal_till: Till, swap: dict[str, str]
) -> None:
    make.product(paypal_till.shop)
    buyer = paypal_till.visitor()

    assert buyer.press(buyer.get("/p/book"), "/buy/book", swap).status_code == 303

    [unit] = paypal_till.paypal.bank.latest()["purchase_units"]
    amount = unit["amount"]
    assert (amount["value"], amount["currency_code"]) == ("15.00", "EUR")


def test_a_cheap_payment_does_not_open_the_dear_book(
    either_till: Till, say: Say
) -> None:
    till = either_till
    make.product(till.shop, slug="dear", price=Money(10_000, "EUR"))
    make.product(till.shop, slug="cheap", name="Cheap", price=Money(100, "EUR"))
    buyer = till.visitor()
    dear, cheap = till.begin(buyer, "dear"), till.begin(buyer, "cheap")
    till.far.bank.pay(cheap)

    back = buyer.go_on(till.come_back(buyer, dear))
    assert (back.request.path, "You were not charged" in words(back)) == (
        "/p/dear",
        True,
    )
    opened = buyer.follow(f"/return/{till.provider}?session={cheap}")
    assert opened.request.path == till.link(cheap)
    unpaid = buyer.get(till.link(dear))
    assert "Download" not in words(unpaid)
    nonce = form_of(opened, f"{opened.request.path}/2").fields["nonce"]
    foreign = buyer.post(f"{opened.request.path}/1", {"nonce": nonce})
    assert foreign.status_code == 404, "the file of the dear book"
    say("P11", swaps="cheap for dear", access=0, provider=till.provider)
    assert untrue(till.shop) == {}


@pytest.mark.parametrize("what", ["less", "another currency", "another price"])
def test_money_that_is_not_the_price_is_held_for_a_person(
    till: Till, say: Say, what: str
) -> None:
    make.product(till.shop)
    till.stripe.hooks.mode = "hold"
    buyer = till.visitor()
    name = till.begin(buyer)
    session = till.stripe.bank.get("session", name)
    if what == "another price":
        session["amount_total"] = 1
    if what == "another currency":
        session["currency"] = "idr"
    till.stripe.bank.pay(name, email="ada@example.org")
    if what == "less":
        (charge,) = till.stripe.bank.kept["charge"].values()
        intent = till.stripe.bank.get("payment_intent", charge["payment_intent"])
        charge["amount_captured"] = intent["amount_received"] = 700

    assert till.stripe.hooks.deliver() == [200]

    _is_held(till, name)
    say("P11", paid=repr(what), provider="stripe")


@pytest.mark.parametrize("what", ["less", "another currency", "another account"])
def test_money_taken_by_a_page_that_changed_the_order_is_held_for_a_person(
    paypal_till: Till, say: Say, what: str
) -> None:
    """Nobody but us takes it; but a page that knows the order's name might."""
    till, bank = paypal_till, paypal_till.paypal.bank
    make.product(till.shop)
    till.paypal.hooks.mode = "hold"
    name = till.begin(till.visitor())
    bank.pay(name, email="ada@example.org")
    changes: dict[str, dict[str, object]] = {
        "less": {"amount": {"value": "7.00", "currency_code": "EUR"}},
        "another currency": {"amount": {"value": "15.00", "currency_code": "MXN"}},
        "another account": {"payee": {"merchant_id": OTHER_MERCHANT}},
    }
    bank.tamper(name, **changes[what])
    till.come_back(till.visitor(), name)
    assert bank.kept["capture"] == {}, "we do not take it"
    bank.capture(name)

    assert set(till.paypal.hooks.deliver()) == {200}

    _is_held(till, name)
    say("P11", paid=repr(what), provider="paypal")


def _is_held(till: Till, name: str) -> None:
    """The order waits for the seller, who is told, and delivers when they say so."""
    order = till.order(name)
    assert order
    buyer = till.visitor()
    page = buyer.go_on(till.come_back(buyer, name))
    worker.turn(till.shop)
    mails = read_folder(till.shop.home / "mail")
    assert order.status is OrderStatus.NEEDS_REVIEW
    assert urlsplit(till.link(name)).path == page.request.path
    assert "has to be looked at" in words(page)
    assert "Download" not in words(page)
    assert [mail.to for mail in mails] == [till.shop.settings.shop.email]
    assert rows(till.shop)["entitlements"] == 0
    with till.shop.reading() as reading:
        assert orders.by_number(reading, order.number).review_reason
    assert untrue(till.shop) == {}

    with till.shop.transaction() as writing:
        held = orders.by_number(writing, order.number, to_change=True)
        orders.accept(writing, held, till.shop.now())

    assert "Download" in words(till.visitor().get(till.link(name)))
    assert untrue(till.shop) == {}
