"""Buying with PayPal: what only PayPal does."""

import dataclasses

import pytest
import requests

from handsel import worker
from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models.words import OrderStatus, PaymentState, RefundReason
from handsel.ops import contesting, refunding
from handsel.ops.reconcile import reconcile
from handsel.outbound.transports.folder import read_folder
from handsel.sales.payments import test as test_payments
from handsel.web import create_app
from tests import make
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import Visitor, words
from tests.providers.fakes.paypal_hooks import _ADDRESSES, _FORGERIES
from tests.stories.buyers import download

ADA = "ada@example.org"


@pytest.fixture
def till(paypal_till: Till) -> Till:
    """A shop that takes PayPal."""
    return paypal_till


@pytest.fixture
def buyer(till: Till) -> Visitor:
    """Somebody at the door of a shop with one book."""
    make.product(till.shop)
    return till.visitor()


def at_paypal(page: str, how: str) -> str:
    """Press a button on PayPal's page, and give the address one is sent back to."""
    form = {"email": ADA, "how": how}
    pressed = requests.post(page, form, allow_redirects=False, timeout=10)
    assert pressed.status_code == 303
    return pressed.headers["location"]


def go_to_paypal(buyer: Visitor) -> str:
    """Press Buy, and give the address of PayPal's page."""
    pressed = buyer.press(buyer.get("/p/book"), "/buy/book")
    assert pressed.status_code == 303
    return pressed.headers["Location"]


def test_the_buyer_approves_comes_back_and_has_the_book(
    till: Till, buyer: Visitor
) -> None:
    till.paypal.hooks.mode = "drop"

    page = buyer.follow(at_paypal(go_to_paypal(buyer), "balance"))

    assert download(buyer, page).data == make.BOOK
    order = till.order(till.paypal.bank.latest()["id"])
    assert order
    assert (order.status, order.email, order.country) == (OrderStatus.PAID, ADA, "AT")
    assert order.test, "money of the sandbox is no money"
    assert untrue(till.shop) == {}


def test_the_buyer_goes_back_without_paying(till: Till, buyer: Visitor) -> None:
    page = buyer.follow(at_paypal(go_to_paypal(buyer), "cancel"))

    assert "You were not charged" in words(page)
    assert till.paypal.bank.kept["capture"] == {}


def test_a_second_press_leads_to_the_same_order_while_paypal_has_it(
    till: Till, buyer: Visitor
) -> None:
    page = buyer.get("/p/book")
    first = buyer.press(page, "/buy/book").headers["Location"]
    assert buyer.press(page, "/buy/book").headers["Location"] == first

    till.move(hours=3)

    fresh = buyer.press(page, "/buy/book").headers["Location"]
    assert fresh != first
    assert requests.get(fresh, timeout=10).status_code == 200


def test_a_buyer_who_was_declined_chooses_another_way_on_the_same_page(
    till: Till, buyer: Visitor
) -> None:
    page = go_to_paypal(buyer)
    sorry = buyer.follow(at_paypal(page, "declined"))
    assert "You were not charged" in words(sorry)

    till.move(seconds=30)
    paid = buyer.follow(at_paypal(page, "balance"))

    assert download(buyer, paid).data == make.BOOK
    assert len(till.paypal.bank.kept["capture"]) == 1
    assert rows(till.shop)["orders"] == 1


def test_both_ways_to_pay_stand_side_by_side(till: Till, buyer: Visitor) -> None:
    test = test_payments.TestProvider(till.shop.home)
    providers = {"test": test, **till.shop.providers}
    shop = dataclasses.replace(till.shop, providers=providers)
    visitor = Visitor(shop, app=create_app(shop))
    page = visitor.get("/p/book")

    assert f"Buy with {test.label}" in words(page)
    assert "Buy with PayPal" in words(page)
    by_paypal = visitor.press(page, "/buy/book", {"provider": "paypal"})
    assert "/checkoutnow?token=" in by_paypal.headers["Location"]
    by_card = visitor.press(page, "/buy/book", {"provider": "test"})
    assert "/testpay/" in by_card.headers["Location"]


def test_the_worker_asks_about_a_few_open_orders_at_a_time(
    till: Till, buyer: Visitor
) -> None:
    """News may be missing; a day full of buyers who go away must not cost more calls."""
    till.paypal.hooks.mode = "drop"
    names = [till.begin(buyer.device()) for _ in range(10)]
    asked: list[str] = []
    for _ in range(4):
        till.move(minutes=3)
        before = len(till.paypal.calls)
        reconcile(till.shop, since=till.clock.time.replace(hour=0), most_open=3)
        calls = till.paypal.calls[before:]
        found = [call.rpartition("/")[2] for call in calls if "orders/" in call]
        assert len(found) <= 3
        asked += found
    assert sorted(asked) == sorted(names), "each had its turn"


def test_an_order_nobody_pays_costs_one_more_call_and_no_other(
    till: Till, buyer: Visitor
) -> None:
    name = till.begin(buyer)
    till.move(hours=4)
    worker.turn(till.shop)
    order = till.order(name)
    assert order
    assert order.session_state is PaymentState.EXPIRED
    before = len(till.paypal.calls)
    for _ in range(20):
        till.move(minutes=3)
        worker.turn(till.shop)
    news = till.paypal.calls[before:]
    assert {each.partition("?")[0] for each in news} == {
        "GET /v1/notifications/webhooks-events"
    }


def test_refunds_in_paypals_own_panel_and_by_our_command(
    till: Till, buyer: Visitor
) -> None:
    name = till.begin(buyer)
    till.paypal.bank.pay(name, email=ADA)
    till.paypal.bank.refund(name, 500)
    partly = till.order(name)

    wish = refunding.Wish("5", RefundReason.REQUESTED)
    done = refunding.refund(till.shop, refunding.plan(till.shop, "H-1001", wish)).order
    rest = refunding.Wish(None, RefundReason.DUPLICATE)
    back = refunding.refund(till.shop, refunding.plan(till.shop, "H-1001", rest)).order

    assert partly
    assert (partly.status, partly.refunded_minor) == (OrderStatus.PARTLY_REFUNDED, 500)
    assert (done["status"], done["refunded_minor"]) == ("partly_refunded", 1000)
    assert (back["status"], back["access"]) == ("refunded", False)
    gone = [
        each["amount"]["value"] for each in till.paypal.bank.kept["refund"].values()
    ]
    assert gone == ["5.00", "5.00", "5.00"]
    assert untrue(till.shop) == {}


def test_what_paypal_takes_back_closes_the_files(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.paypal.bank.pay(name, email=ADA)

    till.paypal.bank.reverse(name)

    order = till.order(name)
    assert order
    assert order.status is OrderStatus.REFUNDED
    assert "Download" not in words(buyer.get(till.link(name)))


def test_a_dispute_is_answered_at_paypal_once(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.paypal.bank.pay(name, email=ADA)
    download(buyer, buyer.get(till.link(name)))
    dispute = till.paypal.bank.open_dispute(name)
    assert "Download" not in words(buyer.get(till.link(name)))

    _, known = contesting.evidence(till.shop, "H-1001")
    contesting.submit(till.shop, "H-1001", known)

    kept = till.paypal.bank.get("dispute", dispute)
    notes = "\n".join(each["notes"] for each in kept["evidences"])
    assert kept["status"] == "UNDER_REVIEW"
    assert ADA in notes
    assert "book.epub" in notes
    assert "Sold as a download." in notes
    with pytest.raises(ConflictError, match="waits for an answer"):
        contesting.submit(till.shop, "H-1001", known)


@pytest.mark.parametrize(
    ("outcome", "opens"),
    [("won", True), ("settled", True), ("partly", True), ("lost", False)],
)
def test_the_end_of_a_dispute_decides_about_the_files(
    till: Till, buyer: Visitor, outcome: str, opens: bool
) -> None:
    name = till.begin(buyer)
    till.paypal.bank.pay(name, email=ADA)

    dispute = till.paypal.bank.open_dispute(name, stage="INQUIRY")
    till.paypal.bank.close_dispute(dispute, outcome)

    assert ("Download" in words(buyer.get(till.link(name)))) is opens
    worker.turn(till.shop)
    to_the_seller = till.shop.settings.shop.email
    told = [m for m in read_folder(till.shop.home / "mail") if m.to == to_the_seller]
    assert len(told) == 2
    assert untrue(till.shop) == {}


def test_an_order_of_another_shop_at_the_same_paypal(
    till: Till, buyer: Visitor
) -> None:
    """Even one that bears our own words, for another price: they are good for one."""
    name = till.begin(buyer)
    [unit] = till.paypal.bank.get("order", name)["purchase_units"]
    amount = {"currency_code": "EUR", "value": "0.01"}
    words_of = (
        "INV-1001",
        unit["custom_id"].replace(",1500,", ",1,"),
        unit["custom_id"].replace(",p.book", ",p.other"),
    )
    before = rows(till.shop)
    for custom_id in words_of:
        bought = {"amount": amount, "custom_id": custom_id, "description": "x"}
        theirs = till.paypal.bank.make_order(
            {"intent": "CAPTURE", "purchase_units": [bought]}
        )["id"]
        till.paypal.bank.pay(theirs, email=ADA)
        assert till.paypal.hooks.failed == []
        back = buyer.get(f"/return/paypal?token={theirs}&PayerID=X")
        assert back.status_code == 404

    assert till.reconcile().failed == ()
    assert rows(till.shop) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("lie", sorted(_FORGERIES) + sorted(_ADDRESSES))
def test_a_forged_message_changes_nothing(till: Till, buyer: Visitor, lie: str) -> None:
    till.paypal.hooks.mode = "hold"
    till.paypal.bank.pay(till.begin(buyer), email=ADA)
    [event] = till.paypal.hooks.held
    before = rows(till.shop)

    answer = till.paypal.hooks.post(till.paypal.hooks.forgeries(event)[lie])

    assert 400 <= answer < 500
    assert rows(till.shop) == before


def test_a_currency_paypal_does_not_take_is_said_on_the_page_of_the_book(
    till: Till,
) -> None:
    make.product(till.shop, price=Money(500, "ISK"))
    buyer = till.visitor()

    sorry = buyer.press(buyer.get("/p/book"), "/buy/book")

    assert sorry.status_code == 422
    assert "PayPal does not take ISK" in words(sorry)
    assert rows(till.shop)["orders"] == 0


def test_an_answer_of_paypals_that_got_lost_starts_no_second_order(
    till: Till, buyer: Visitor
) -> None:
    till.paypal.faults.lose_next(1, only="POST /v2/checkout/orders")

    till.begin(buyer)

    assert len(till.paypal.bank.kept["order"]) == 1
    assert rows(till.shop)["orders"] == 1


def test_the_answer_to_taking_the_money_gets_lost(till: Till, buyer: Visitor) -> None:
    till.paypal.hooks.mode = "drop"
    name = till.begin(buyer)
    till.paypal.bank.pay(name, email=ADA)
    till.paypal.faults.lose_next(2, only="/capture")

    waiting = till.come_back(buyer, name)
    assert "Your payment is being processed" in words(waiting)
    assert f"session={name}" in waiting.get_data(as_text=True)

    page = buyer.follow(f"/return/paypal?session={name}")
    assert page.request.path == till.link(name)
    assert len(till.paypal.bank.kept["capture"]) == 1
    assert untrue(till.shop) == {}
