"""Buying with a card at Stripe, however the news of the payment travels."""

import threading

import pytest
from sqlalchemy import delete

from handsel import worker
from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models import Entitlement, Inbox, LedgerEntry, Order, OutboxItem
from handsel.models.words import OrderStatus, RefundReason
from handsel.ops import contesting, refunding
from handsel.outbound.transports.folder import StoredMail, read_folder
from tests import make
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import Visitor, words
from tests.providers.fakes.stripe_hooks import FORGERIES, again
from tests.providers.fakes.stripe_objects import Obj
from tests.stories.buyers import download
from tests.stories.giving_back import give_back

ADA = "ada@example.org"


@pytest.fixture
def buyer(till: Till) -> Visitor:
    """Somebody at the door of a shop with one book."""
    make.product(till.shop)
    return till.visitor()


def mails(till: Till) -> list[StoredMail]:
    """Let the worker do what is due, and give every mail, the newest first."""
    worker.turn(till.shop)
    return read_folder(till.shop.home / "mail")


def bought_once(till: Till, name: str) -> None:
    """One order, one mail with the one link, and books that add up."""
    order = till.order(name)
    assert order is not None
    assert order.status is OrderStatus.PAID
    assert order.email == ADA
    (mail,) = mails(till)
    assert mail.to == ADA
    assert till.link(name) in mail.text
    counted = rows(till.shop)
    assert [counted[each] for each in ("orders", "ledger", "entitlements")] == [1, 1, 1]
    assert untrue(till.shop) == {}


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


def test_the_web_hook_comes_first(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)
    assert till.stripe.hooks.failed == []
    link = till.link(name)

    back = till.come_back(buyer, name)

    assert (back.status_code, back.headers["Location"]) == (303, link)
    page = buyer.get(link)
    assert "data-started" in page.get_data(as_text=True), "the file starts by itself"
    assert download(buyer, page).data == make.BOOK
    bought_once(till, name)


def test_the_buyer_comes_first(till: Till, buyer: Visitor) -> None:
    till.stripe.hooks.mode = "hold"
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)

    page = buyer.go_on(till.come_back(buyer, name))
    assert page.request.path == till.link(name)
    assert download(buyer, page).data == make.BOOK

    assert set(till.stripe.hooks.deliver()) == {200}
    bought_once(till, name)


def test_both_come_at_once(till: Till, buyer: Visitor) -> None:
    till.stripe.hooks.mode = "hold"
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)
    barrier = threading.Barrier(2)
    answers: list[int] = []

    def deliver() -> None:
        barrier.wait(10)
        answers.extend(till.stripe.hooks.deliver())

    other = threading.Thread(target=deliver)
    other.start()
    barrier.wait(10)
    back = till.come_back(buyer, name)
    other.join()

    assert set(answers) == {200}
    assert back.headers["Location"] == till.link(name)
    bought_once(till, name)


def test_nobody_comes_and_the_worker_finds_it(till: Till, buyer: Visitor) -> None:
    till.stripe.hooks.mode = "drop"
    name = till.begin(buyer)
    worker.turn(till.shop)
    till.stripe.bank.pay(name, email=ADA)

    till.move(minutes=3)
    worker.turn(till.shop)

    bought_once(till, name)
    assert till.reconcile().newly_paid == ()


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


def test_every_message_again_and_again(till: Till, buyer: Visitor) -> None:
    till.stripe.hooks.mode = "hold"
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)

    def and_under_new_names(events: list[Obj]) -> list[Obj]:
        return events + [again(event) for event in events]

    answers = till.stripe.hooks.deliver(times=5, order=and_under_new_names)

    assert answers == [200] * 10
    bought_once(till, name)


def test_messages_in_the_wrong_order(till: Till, buyer: Visitor) -> None:
    till.stripe.hooks.mode = "hold"
    name = till.begin(buyer)
    bank = till.stripe.bank
    bank.pay_later(name, email=ADA)
    bank.settle_later(name, ok=True)
    bank.refund(name, 500)

    def backwards(events: list[Obj]) -> list[Obj]:
        return events[::-1]

    assert set(till.stripe.hooks.deliver(order=backwards)) == {200}

    order = till.order(name)
    assert order
    assert (order.status, order.refunded_minor) == (OrderStatus.PARTLY_REFUNDED, 500)
    assert words(buyer.get(till.link(name))).count("Download") > 0
    assert untrue(till.shop) == {}


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


def test_money_that_takes_days_and_arrives(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.stripe.bank.pay_later(name, email=ADA)

    waiting = till.come_back(buyer, name)
    assert waiting.status_code == 200
    assert "Your payment is being processed" in words(waiting)
    assert "do not pay again" in words(waiting)
    assert mails(till) == []

    till.move(days=3)
    till.stripe.bank.settle_later(name, ok=True)

    assert buyer.go_on(till.come_back(buyer, name)).request.path == till.link(name)
    bought_once(till, name)


def test_money_that_takes_days_and_never_arrives(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.stripe.bank.pay_later(name, email=ADA)
    till.move(days=3)
    till.stripe.bank.settle_later(name, ok=False)

    page = buyer.go_on(till.come_back(buyer, name))

    assert page.request.path == "/p/book"
    assert "You were not charged" in words(page)
    assert buyer.get(till.link(name)).status_code == 200
    assert "Download" not in words(buyer.get(till.link(name)))
    assert mails(till) == []
    assert untrue(till.shop) == {}


def test_a_declined_card_and_then_a_good_one(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.stripe.bank.decline(name)
    assert till.begin(buyer) != name, "a new page, a new press"
    assert till.come_back(buyer, name).headers["Location"] == "/p/book?cancelled=1"

    till.stripe.bank.pay(name, email=ADA)

    order = till.order(name)
    assert order
    assert order.status is OrderStatus.PAID
    assert len(mails(till)) == 1
    assert untrue(till.shop) == {}


def test_cancelled_at_stripe(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)

    page = buyer.get(till.stripe.bank.get("session", name)["cancel_url"])

    assert "You were not charged" in words(page)
    assert till.begin(buyer)


def test_nobody_pays_in_time(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)

    till.move(hours=24)

    order = till.order(name)
    assert order
    assert order.status is OrderStatus.EXPIRED
    assert "You were not charged" in words(
        buyer.follow(f"/return/stripe?session={name}")
    )
    assert untrue(till.shop) == {}


@pytest.mark.parametrize("told", ["by web hook", "by the worker"])
@pytest.mark.parametrize(
    ("what", "said"), [("refund", "refunded"), ("dispute", "disputed")]
)
def test_money_that_goes_back_ends_access_at_once(
    till: Till, buyer: Visitor, told: str, what: str, said: str
) -> None:
    name = till.begin(buyer)
    bank = till.stripe.bank
    bank.pay(name, email=ADA)
    page = buyer.get(till.link(name))
    running = buyer.press(page, f"{page.request.path}/1").headers["Location"]
    mails(till)
    if told == "by the worker":
        till.stripe.hooks.mode = "drop"

    till.move(minutes=3)
    if what == "refund":
        bank.refund(name)
    else:
        dispute = bank.open_dispute(name)
    if told == "by the worker":
        worker.turn(till.shop)

    assert said in words(buyer.get(page.request.path))
    assert "Download" not in words(buyer.get(page.request.path))
    assert buyer.press(page, f"{page.request.path}/1").status_code == 403
    assert buyer.get(running).status_code == 403
    assert untrue(till.shop) == {}
    if what == "dispute":
        till.move(minutes=3)
        bank.close_dispute(dispute, "won")
        worker.turn(till.shop)
        assert buyer.get(running).status_code == 200
    told_by_mail = [each.subject for each in mails(till)]
    assert len(told_by_mail) == (2 if what == "refund" else 3), told_by_mail
    assert untrue(till.shop) == {}


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


def test_an_order_the_database_has_forgotten_comes_back_with_the_same_link(
    till: Till, buyer: Visitor
) -> None:
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)
    link = till.link(name)
    mails(till)
    with till.shop.transaction() as session:
        for table in (Entitlement, LedgerEntry, OutboxItem, Inbox, Order):
            session.execute(delete(table))
    assert buyer.get(link).status_code == 404

    found = till.reconcile()

    assert len(found.newly_paid) == 1
    assert till.link(name) == link
    assert download(buyer, buyer.get(link)).data == make.BOOK
    assert untrue(till.shop) == {}


def test_stripe_is_down_when_somebody_wants_to_buy(till: Till, buyer: Visitor) -> None:
    page = buyer.get("/p/book")
    till.stripe.faults.fail_next(10, 503)

    sorry = buyer.press(page, "/buy/book")

    assert sorry.status_code == 503
    assert int(sorry.headers["Retry-After"]) > 0
    assert "not charged" in words(sorry)
    assert rows(till.shop)["orders"] == 0
    till.stripe.faults.fail_next(0)
    assert buyer.press(page, "/buy/book").status_code == 303


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


def test_stripe_is_down_when_the_buyer_comes_back(till: Till, buyer: Visitor) -> None:
    till.stripe.hooks.mode = "hold"
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)
    till.stripe.faults.fail_next(10, 503)

    waiting = till.come_back(buyer, name)

    assert waiting.status_code == 200
    assert "Your payment is being processed" in words(waiting)
    till.stripe.faults.fail_next(0)
    assert till.come_back(buyer, name).headers["Location"] == till.link(name)
    bought_once(till, name)


def test_stripe_is_down_when_its_message_comes(till: Till, buyer: Visitor) -> None:
    till.stripe.hooks.mode = "hold"
    name = till.begin(buyer)
    till.stripe.bank.pay(name, email=ADA)
    till.stripe.faults.fail_next(10, 503)

    assert till.stripe.hooks.deliver() == [503]
    assert rows(till.shop)["inbox"] == 0

    till.stripe.faults.fail_next(0)
    assert till.stripe.hooks.retry() == [200]
    bought_once(till, name)
