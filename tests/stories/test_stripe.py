"""Buying with a card at Stripe: what only Stripe does."""

import pytest

from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models.words import OrderStatus, RefundReason
from handsel.ops import contesting, refunding
from tests import make
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import Visitor, words
from tests.providers.fakes.stripe_hooks import FORGERIES
from tests.stories.buyers import download
from tests.stories.giving_back import give_back

ADA = "ada@example.org"


@pytest.fixture
def buyer(till: Till) -> Visitor:
    """Somebody at the door of a shop with one book."""
    make.product(till.shop)
    return till.visitor()


def test_stripes_page_is_where_the_buyer_pays_our_price(
    till: Till, buyer: Visitor
) -> None:
    name = till.begin(buyer)

    session = till.stripe.bank.get("session", name)
    assert (session["amount_total"], session["currency"]) == (1500, "eur")
    order = till.order(name)
    assert order
    assert order.status is OrderStatus.STARTED
    assert order.test, "money of a sk_test_ key is no money"


def test_a_payment_nobody_understands_does_not_hide_the_others(till: Till) -> None:
    make.product(till.shop, price=Money(500, "ISK"))
    till.stripe.hooks.mode = "drop"
    odd, good = till.begin(till.visitor()), till.begin(till.visitor())
    for name in (odd, good):
        till.stripe.bank.pay(name, email=ADA)
    for intent in till.stripe.bank.kept["payment_intent"].values():
        if intent["id"] == till.stripe.bank.get("session", odd)["payment_intent"]:
            intent["amount_received"] = 50_050  # half a krona: Stripe promises never

    found = till.reconcile()

    assert [odd in line for line in found.failed] == [True]
    assert len(found.newly_paid) == 1
    order = till.order(good)
    assert order
    assert order.status is OrderStatus.PAID


def test_the_seller_gives_money_back_and_the_web_hook_says_so_first(
    till: Till, buyer: Visitor
) -> None:
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)

    by_mistake = refunding.Wish("5", RefundReason.DUPLICATE)
    plan = refunding.plan(till.shop, "H-1001", by_mistake)
    done = refunding.refund(till.shop, plan).order
    kept = give_back(till.shop, keep_access=True)

    assert (done["status"], done["refunded_minor"]) == ("partly_refunded", 500)
    assert (kept["status"], kept["access"]) == ("refunded", True)
    reasons = [each["reason"] for each in till.stripe.bank.kept["refund"].values()]
    assert reasons == ["duplicate", "requested_by_customer"]
    assert untrue(till.shop) == {}


def test_a_dispute_is_answered_at_stripe_once(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)
    download(buyer, buyer.get(till.link(name)))
    dispute = till.stripe.bank.open_dispute(name)

    _, known = contesting.evidence(till.shop, "H-1001")
    contesting.submit(till.shop, "H-1001", known)

    kept = till.stripe.bank.kept["dispute"][dispute]
    assert kept["status"] == "under_review"
    assert kept["evidence"]["customer_email_address"] == ADA
    assert "book.epub" in kept["evidence"]["access_activity_log"]
    assert "Sold as a download." in kept["evidence"]["uncategorized_text"]
    assert "refund_policy_disclosure" not in kept["evidence"]
    with pytest.raises(ConflictError, match="waits for an answer"):
        contesting.submit(till.shop, "H-1001", known)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", list(FORGERIES))
def test_a_forged_message_changes_nothing(
    till: Till, buyer: Visitor, kind: str
) -> None:
    till.stripe.hooks.mode = "hold"
    till.stripe.bank.pay(till.begin(buyer), email=ADA)
    event = till.stripe.hooks.held[0]
    before = rows(till.shop)
    forged = FORGERIES[kind](event, till.stripe.hooks.secret, till.stripe.bank.now)

    assert 400 <= till.stripe.hooks.post(forged) < 500
    assert rows(till.shop) == before


def test_a_session_of_another_shop_at_the_same_stripe(
    till: Till, buyer: Visitor
) -> None:
    till.stripe.hooks.mode = "hold"
    name = till.begin(buyer)
    before = rows(till.shop)
    theirs = till.stripe.bank.open_session(
        {
            "mode": "payment",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 1500,
                        "product_data": {"name": "Theirs"},
                    },
                }
            ],
            "success_url": "https://other.example/back",
            "metadata": {"shop": "theirs", "product": "book", "price": "1500"},
        },
        till.stripe.origin,
    )
    till.stripe.bank.pay(theirs["id"], email=ADA)

    assert till.stripe.hooks.deliver() == [200]
    assert buyer.get(f"/return/stripe?session={theirs['id']}").status_code == 404
    assert till.reconcile().failed == ()

    assert rows(till.shop) == before
    assert till.order(name)


def test_a_price_stripe_refuses_is_said_on_the_page_of_the_book(till: Till) -> None:
    make.product(till.shop, price=Money(10, "EUR"))
    buyer = till.visitor()

    sorry = buyer.press(buyer.get("/p/book"), "/buy/book")

    assert sorry.status_code == 422
    assert "too small" in words(sorry)
    assert "You were not charged" in words(sorry)
    assert rows(till.shop)["orders"] == 0


def test_an_answer_of_stripes_that_got_lost_starts_no_second_payment(
    till: Till, buyer: Visitor
) -> None:
    till.stripe.faults.lose_next(1)

    till.begin(buyer)

    assert len(till.stripe.bank.kept["session"]) == 1
    assert rows(till.shop)["orders"] == 1
