"""Buying by Stripe and by PayPal, however the news of the payment travels."""

import threading

import pytest
from sqlalchemy import delete

from handsel import worker
from handsel.models import (
    Entitlement,
    Inbox,
    Invoice,
    LedgerEntry,
    Order,
    OutboxItem,
    Series,
)
from handsel.models.words import OrderStatus
from handsel.outbound.transports.folder import StoredMail, read_folder
from tests import make
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import Visitor, words
from tests.providers.fakes.bank import Obj
from tests.stories.buyers import download

ADA = "ada@example.org"


@pytest.fixture
def till(either_till: Till) -> Till:
    """Each of these stories happens at both."""
    return either_till


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


def test_the_web_hook_comes_first(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.far.bank.pay(name, email=ADA)
    assert till.far.hooks.failed == []
    link = till.link(name)

    back = till.come_back(buyer, name)

    assert (back.status_code, back.headers["Location"]) == (303, link)
    page = buyer.get(link)
    assert "data-started" in page.get_data(as_text=True), "the file starts by itself"
    assert download(buyer, page).data == make.BOOK
    bought_once(till, name)


def test_the_buyer_comes_first(till: Till, buyer: Visitor) -> None:
    till.far.hooks.mode = "hold"
    name = till.begin(buyer)
    till.far.bank.pay(name, email=ADA)

    page = buyer.go_on(till.come_back(buyer, name))
    assert page.request.path == till.link(name)
    assert download(buyer, page).data == make.BOOK

    assert set(till.far.hooks.deliver()) == {200}
    bought_once(till, name)


def test_both_come_at_once(till: Till, buyer: Visitor) -> None:
    till.far.hooks.mode = "hold"
    name = till.begin(buyer)
    till.far.bank.pay(name, email=ADA)
    barrier = threading.Barrier(2)
    answers: list[int] = []

    def deliver() -> None:
        barrier.wait(10)
        answers.extend(till.far.hooks.deliver())

    other = threading.Thread(target=deliver)
    other.start()
    barrier.wait(10)
    back = till.come_back(buyer, name)
    other.join()

    assert set(answers) == {200}
    assert back.headers["Location"] == till.link(name)
    bought_once(till, name)


def test_nobody_comes_and_the_worker_finds_it(till: Till, buyer: Visitor) -> None:
    till.far.hooks.mode = "drop"
    name = till.begin(buyer)
    worker.turn(till.shop)
    till.far.bank.pay(name, email=ADA)

    till.move(minutes=3)
    worker.turn(till.shop)

    bought_once(till, name)
    assert till.reconcile().newly_paid == ()


def test_every_message_again_and_again(till: Till, buyer: Visitor) -> None:
    till.far.hooks.mode = "hold"
    name = till.begin(buyer)
    till.far.bank.pay(name, email=ADA)

    def and_under_new_names(events: list[Obj]) -> list[Obj]:
        return events + [till.far.hooks.again(event) for event in events]

    answers = till.far.hooks.deliver(times=5, order=and_under_new_names)

    assert answers == [200] * 10
    bought_once(till, name)


def test_messages_in_the_wrong_order(till: Till, buyer: Visitor) -> None:
    till.far.hooks.mode = "hold"
    name = till.begin(buyer)
    bank = till.far.bank
    bank.pay_later(name, email=ADA)
    till.come_back(buyer, name)
    bank.settle_later(name, ok=True)
    bank.refund(name, 500)

    def backwards(events: list[Obj]) -> list[Obj]:
        return events[::-1]

    assert set(till.far.hooks.deliver(order=backwards)) == {200}

    order = till.order(name)
    assert order
    assert (order.status, order.refunded_minor) == (OrderStatus.PARTLY_REFUNDED, 500)
    assert words(buyer.get(till.link(name))).count("Download") > 0
    assert untrue(till.shop) == {}


def test_money_that_takes_days_and_arrives(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.far.bank.pay_later(name, email=ADA)

    waiting = till.come_back(buyer, name)
    assert waiting.status_code == 200
    assert "Your payment is being processed" in words(waiting)
    assert "do not pay again" in words(waiting)
    assert mails(till) == []

    till.move(days=3)
    till.far.bank.settle_later(name, ok=True)

    assert buyer.go_on(till.come_back(buyer, name)).request.path == till.link(name)
    bought_once(till, name)


def test_money_that_takes_days_and_never_arrives(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.far.bank.pay_later(name, email=ADA)
    till.move(days=3)
    till.far.bank.settle_later(name, ok=False)

    page = buyer.go_on(till.come_back(buyer, name))

    assert page.request.path == "/p/book"
    assert "You were not charged" in words(page)
    assert buyer.get(till.link(name)).status_code == 200
    assert "Download" not in words(buyer.get(till.link(name)))
    assert mails(till) == []
    assert untrue(till.shop) == {}


def test_a_declined_card_and_then_a_good_one(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)
    till.far.bank.decline(name)
    assert till.begin(buyer) != name, "a new page, a new press"
    assert till.come_back(buyer, name).headers["Location"] == "/p/book?cancelled=1"

    till.move(minutes=1)
    till.far.bank.pay(name, email=ADA)

    order = till.order(name)
    assert order
    assert order.status is OrderStatus.PAID
    assert len(mails(till)) == 1
    assert untrue(till.shop) == {}


def test_cancelled_on_the_payment_page(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)

    page = till.change_mind(buyer, name)

    assert "You were not charged" in words(page)
    assert till.begin(buyer)


def test_nobody_pays_in_time(till: Till, buyer: Visitor) -> None:
    name = till.begin(buyer)

    till.move(hours=24)
    worker.turn(till.shop)

    order = till.order(name)
    assert order
    assert order.status is OrderStatus.EXPIRED
    assert "You were not charged" in words(
        buyer.follow(f"/return/{till.provider}?session={name}")
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
    bank = till.far.bank
    bank.pay(name, email=ADA)
    page = buyer.get(till.link(name))
    running = buyer.press(page, f"{page.request.path}/1").headers["Location"]
    mails(till)
    if told == "by the worker":
        till.far.hooks.mode = "drop"

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


def test_an_order_the_database_has_forgotten_comes_back_with_the_same_link(
    till: Till, buyer: Visitor
) -> None:
    name = till.begin(buyer)
    till.far.bank.pay(name, email=ADA)
    link = till.link(name)
    mails(till)
    with till.shop.transaction() as session:
        forgotten = (
            Entitlement,
            LedgerEntry,
            OutboxItem,
            Inbox,
            Invoice,
            Series,
            Order,
        )
        for table in forgotten:
            session.execute(delete(table))
    assert buyer.get(link).status_code == 404

    found = till.reconcile()

    assert len(found.newly_paid) == 1
    assert till.link(name) == link
    assert download(buyer, buyer.get(link)).data == make.BOOK
    assert untrue(till.shop) == {}


def test_the_provider_is_down_when_somebody_wants_to_buy(
    till: Till, buyer: Visitor
) -> None:
    page = buyer.get("/p/book")
    till.far.faults.fail_next(10, 503)

    sorry = buyer.press(page, "/buy/book")

    assert sorry.status_code == 503
    assert int(sorry.headers["Retry-After"]) > 0
    assert "not charged" in words(sorry)
    assert rows(till.shop)["orders"] == 0
    till.far.faults.fail_next(0)
    assert buyer.press(page, "/buy/book").status_code == 303


def test_the_provider_is_down_when_the_buyer_comes_back(
    till: Till, buyer: Visitor
) -> None:
    till.far.hooks.mode = "hold"
    name = till.begin(buyer)
    till.far.bank.pay(name, email=ADA)
    till.far.faults.fail_next(10, 503)

    waiting = till.come_back(buyer, name)

    assert waiting.status_code == 200
    assert "Your payment is being processed" in words(waiting)
    till.far.faults.fail_next(0)
    assert till.come_back(buyer, name).headers["Location"] == till.link(name)
    bought_once(till, name)


def test_the_provider_is_down_when_its_message_comes(
    till: Till, buyer: Visitor
) -> None:
    till.far.hooks.mode = "hold"
    name = till.begin(buyer)
    till.far.bank.pay(name, email=ADA)
    till.far.faults.fail_next(10, 503)

    assert till.far.hooks.deliver() == [503]
    assert rows(till.shop)["inbox"] == 0

    till.far.faults.fail_next(0)
    assert till.far.hooks.retry() == [200]
    bought_once(till, name)
