"""P10, P11: messages nobody sent, and forms that somebody has changed."""

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
from tests.providers.fakes.stripe_hooks import FORGERIES, message
from tests.providers.fakes.stripe_objects import new_id


def test_no_forged_message_writes_a_row(till: Till, say: Say) -> None:
    make.product(till.shop)
    event = _paid_in_secret(till)
    secret, now = till.stripe.hooks.secret, till.stripe.bank.now
    forged = {
        name: till.stripe.hooks.post(make_it(event, secret, now))
        for name, make_it in FORGERIES.items()
        if _nothing_written(till, event)
    }
    unknown = _about(event, new_id("cs_test"))
    forged["unknown session"] = till.stripe.hooks.post(message(unknown, secret, now))
    big = event | {"padding": "x" * 1_000_000}
    forged["1 MB"] = till.stripe.hooks.post(message(big, secret, now))
    assert till.stripe.hooks.url
    forged["GET"] = requests.get(till.stripe.hooks.url, timeout=20).status_code
    forged["unknown provider"] = requests.post(
        till.stripe.hooks.url.replace("stripe", "paypal"), b"{}", timeout=20
    ).status_code

    say("P10", forged=len(forged), statuses=sorted(set(forged.values())))
    assert [name for name, status in forged.items() if not 400 <= status < 500] == []
    assert _nothing_written(till, event)

    ignored = {
        "unknown type": _about(event, "cs_test_1") | {"type": "customer.created"},
        "money of no session": _old_charge(event),
    }
    for name, each in ignored.items():
        assert till.stripe.hooks.send(each) == 200, name
        assert _nothing_written(till, event), name
    assert untrue(till.shop) == {}


def test_an_old_good_message_again_and_one_that_is_too_early(till: Till) -> None:
    make.product(till.shop)
    event = _paid_in_secret(till)
    good = message(event, till.stripe.hooks.secret, till.stripe.bank.now)
    assert till.stripe.hooks.post(good) == 200
    before = rows(till.shop)
    assert till.stripe.hooks.post(good) == 200
    till.move(minutes=6)
    assert till.stripe.hooks.post(good) == 400
    assert rows(till.shop) == before

    unpaid = till.begin(till.visitor())
    assert till.stripe.hooks.send(_about(event, unpaid) | {"id": new_id("evt")}) == 200
    order = till.order(unpaid)
    assert order
    assert order.status is OrderStatus.STARTED
    assert rows(till.shop)["entitlements"] == 1
    assert untrue(till.shop) == {}


def _paid_in_secret(till: Till) -> Obj:
    """Let somebody pay, and give the message that Stripe has not sent yet."""
    till.stripe.hooks.mode = "hold"
    till.stripe.bank.pay(till.begin(till.visitor()), email="ada@example.org")
    (event,) = till.stripe.hooks.held
    return event


def _nothing_written(till: Till, event: Obj) -> bool:
    counted = rows(till.shop)
    order = till.order(event["data"]["object"]["id"])
    assert order
    return (
        [counted[each] for each in ("orders", "ledger", "inbox", "outbox")]
        == [1, 0, 0, 0]
    ) and order.status is OrderStatus.STARTED


def _about(event: Obj, name: str) -> Obj:
    return event | {"data": {"object": event["data"]["object"] | {"id": name}}}


def _old_charge(event: Obj) -> Obj:
    charge = {"id": "ch_1", "object": "charge", "payment_intent": None}
    return event | {"type": "charge.refunded", "data": {"object": charge}}


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
        {"coupon": "ALLFREE"},
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


def test_a_cheap_payment_does_not_open_the_dear_book(till: Till, say: Say) -> None:
    make.product(till.shop, slug="dear", price=Money(10_000, "EUR"))
    make.product(till.shop, slug="cheap", name="Cheap", price=Money(100, "EUR"))
    buyer = till.visitor()
    dear, cheap = till.begin(buyer, "dear"), till.begin(buyer, "cheap")
    till.stripe.bank.pay(cheap)

    back = buyer.go_on(till.come_back(buyer, dear))
    assert (back.request.path, "You were not charged" in words(back)) == (
        "/p/dear",
        True,
    )
    opened = buyer.follow(f"/return/stripe?session={cheap}")
    assert opened.request.path == till.link(cheap)
    unpaid = buyer.get(till.link(dear))
    assert "Download" not in words(unpaid)
    nonce = form_of(opened, f"{opened.request.path}/2").fields["nonce"]
    foreign = buyer.post(f"{opened.request.path}/1", {"nonce": nonce})
    assert foreign.status_code == 404, "the file of the dear book"
    say("P11", swaps="cheap for dear", access=0)
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

    order = till.order(name)
    assert order
    page = buyer.go_on(till.come_back(buyer, name))
    worker.turn(till.shop)
    mails = read_folder(till.shop.home / "mail")
    say("P11", paid=repr(what), status=order.status, mails=len(mails))
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
