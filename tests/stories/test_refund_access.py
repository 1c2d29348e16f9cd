"""What money that goes back opens and closes, and who is told what of it."""

import pytest

from handsel import worker
from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models.words import FactKind, RefundReason
from handsel.ops import giving, mailing, refunding
from handsel.outbound import outbox
from handsel.sales import orders, refunds
from handsel.sales.payments.base import ProviderUnavailableError, RefundRequest
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import Till, untrue
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import bank, buy, facts, mails, order
from tests.stories.giving_back import (
    ADA,
    give_back,
    ledger,
    lose_the_answer,
    sold,
)


def in_panel(shop: Shop, minor: int, key: str = "panel") -> None:
    """Refund in the provider's own panel; nobody says so yet."""
    wanted = RefundRequest(key, Money(minor, "EUR"), RefundReason.REQUESTED)
    bank(shop).refund(order(shop).session_id, wanted, shop.now())


def hear(shop: Shop) -> None:
    """Let the shop hear of it."""
    shop.hear("test", order(shop).session_id)


def test_a_kept_refund_is_a_fact_of_its_own(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    buy(visitor)

    give_back(shop, keep_access=True)

    [kept], [refund] = ledger(shop, FactKind.KEPT), ledger(shop, FactKind.REFUND)
    assert (kept.object_id, kept.amount_minor) == (refund.object_id, 0)
    assert ledger(shop, FactKind.MANUAL_GRANT) == []
    assert facts(shop)["access"] is True
    assert untrue(shop) == {}


def test_a_part_leaves_the_files_open_and_the_rest_says_for_how_long(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    for number, part, rest in (("H-1001", True, False), ("H-1002", False, True)):
        buy(visitor.device(), email=f"{number}@example.com")
        give_back(shop, "5", keep_access=part, number=number)
        assert facts(shop, number)["access"] is True
        give_back(shop, keep_access=rest, number=number)
        assert facts(shop, number)["access"] is rest


def test_a_dispute_closes_what_a_kept_part_left_open(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    buy(visitor)
    give_back(shop, "5", keep_access=True)

    bank(shop).open_dispute(order(shop).session_id, shop.now())
    hear(shop)
    assert facts(shop)["access"] is False
    clock.move(days=3)
    bank(shop).close_dispute(order(shop).session_id, FactKind.DISPUTE_LOST, shop.now())
    hear(shop)
    assert facts(shop)["access"] is False


def test_a_kept_part_does_not_open_what_is_disputed(till: Till) -> None:
    name = sold(till)
    till.stripe.bank.open_dispute(name, warning=True)
    till.shop.hear("stripe", name)

    done = give_back(till.shop, "5", keep_access=True)

    assert (done["status"], done["access"]) == ("disputed", False)


def test_a_refund_in_the_panel_of_equal_amount_is_not_taken_for_a_kept_one(
    till: Till,
) -> None:
    name = sold(till)
    plan = refunding.plan(till.shop, "H-1001", refunding.Wish(keep_access=True))
    till.stripe.faults.fail_next(4, 503)
    with pytest.raises(ProviderUnavailableError):
        refunding.refund(till.shop, plan)
    till.stripe.faults.fail_next(0)

    till.stripe.bank.refund(name)
    till.shop.hear("stripe", name)

    assert ledger(till.shop, FactKind.KEPT) == []


def test_the_web_hook_knows_a_kept_refund_before_whoever_asked(till: Till) -> None:
    name = sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, keep_access=True)

    till.shop.hear("stripe", name)

    assert facts(till.shop)["status"] == "refunded"
    assert facts(till.shop)["access"] is True


def test_a_provider_that_names_no_keys_is_believed_as_soon_as_it_answers(
    till: Till,
) -> None:
    name = sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, keep_access=True)
    for refund in till.stripe.bank.kept["refund"].values():
        refund["metadata"] = {}
    till.shop.hear("stripe", name)
    assert facts(till.shop)["access"] is False  # nobody can know that it is this one

    till.move(minutes=2)
    worker.turn(till.shop)

    assert facts(till.shop)["access"] is True
    assert len(till.stripe.bank.kept["refund"]) == 1


def test_the_name_of_a_refund_heard_of_before_opens_the_files_at_once(
    till: Till,
) -> None:
    name = sold(till)
    wanted = refunds.request(Money(1500, "EUR"), RefundReason.REQUESTED)
    now = till.shop.now()
    with till.shop.transaction() as session:
        found = orders.by_number(session, "H-1001", to_change=True)
        asked = refunds.ask(session, found, wanted, now, keep_access=True)
    refund = till.stripe.bank.refund(name)
    till.shop.hear("stripe", name)
    assert facts(till.shop)["access"] is False

    with till.shop.transaction() as session:
        orders.refund_made(session, "H-1001", asked.id, refund, now)

    assert facts(till.shop)["access"] is True
    assert untrue(till.shop) == {}


def test_what_the_question_says_of_the_link_comes_true(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)
    for amount, keep in (("2", False), ("3", True), (None, False)):
        wish = refunding.Wish(amount, keep_access=keep)
        plan = refunding.plan(shop, "H-1001", wish)
        done = refunding.refund(shop, plan)
        assert done.order["access"] is plan.opens


# Orders that are held back


@pytest.fixture
def held(till: Till) -> Till:
    """A till with an order that was paid in another currency."""
    make.product(till.shop)
    till.stripe.hooks.mode = "drop"
    name = till.begin(till.visitor())
    till.stripe.bank.pay(name, email=ADA)
    for kind in ("payment_intent", "charge"):
        for each in till.stripe.bank.kept[kind].values():
            each["currency"] = "usd"
    till.shop.hear("stripe", name)
    assert facts(till.shop)["status"] == "needs_review"
    return till


def test_a_held_order_goes_back_as_it_was_paid_and_needs_nobody_then(
    held: Till,
) -> None:
    plan = refunding.plan(held.shop, "H-1001", refunding.Wish())
    assert (plan.amount, plan.held) == (Money(1500, "USD"), True)

    done = refunding.refund(held.shop, plan).order

    assert (done["status"], done["access"]) == ("refunded", False)
    assert done["review_reason"] is None
    told = [each for each in mails(held.shop) if each.to == ADA]
    assert ["on its way back" in each.subject for each in told] == [True]
    assert "was never opened" in told[0].text
    assert "$15.00" in told[0].text
    page = held.visitor().get(held.link(order(held.shop).session_id))
    assert "$15.00 refunded" in words(page)
    assert untrue(held.shop) == {}
    with held.shop.transaction() as session:
        found = orders.by_number(session, "H-1001", to_change=True)
        with pytest.raises(ConflictError, match="not waiting"):
            orders.accept(session, found, held.shop.now())


def test_a_held_order_has_nothing_to_keep(held: Till) -> None:
    wish = refunding.Wish(keep_access=True)
    with pytest.raises(ConflictError, match="was never opened"):
        refunding.plan(held.shop, "H-1001", wish)


def test_a_part_of_a_held_order_leaves_the_question_open(held: Till) -> None:
    done = give_back(held.shop, "5")

    assert (done["status"], done["access"]) == ("needs_review", False)
    [told] = [each for each in mails(held.shop) if each.to == ADA]
    assert "was never opened" in told.text


def test_a_held_order_that_is_disputed_cannot_be_accepted(held: Till) -> None:
    name = order(held.shop).session_id
    held.stripe.bank.open_dispute(name)
    held.shop.hear("stripe", name)
    with held.shop.transaction() as session:
        found = orders.by_number(session, "H-1001", to_change=True)
        with pytest.raises(ConflictError, match="gone back, or is disputed"):
            orders.accept(session, found, held.shop.now())


# Mails that wait


def test_an_address_that_is_corrected_takes_every_waiting_mail_along(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor, email="stranger@example.com")
    worker.turn(shop)
    give_back(shop, "5")

    giving.resend(shop, "H-1001", "right@example.com")

    link = facts(shop)["link"]
    told = [(each.to, link in each.text) for each in mails(shop)]
    assert ("stranger@example.com", True) not in told
    assert sorted(told) == [
        ("right@example.com", True),
        ("right@example.com", True),
        ("stranger@example.com", False),
    ]


def test_a_mail_that_was_given_up_goes_to_the_corrected_address(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor, email="stranger@example.com")
    worker.turn(shop)
    give_back(shop, "5")
    with shop.transaction() as session:
        for item in outbox.claim(session, shop.now()):
            outbox.park(session, item, "550 No such user")

    giving.resend(shop, "H-1001", "right@example.com")
    mailing.retry(shop, None)

    told = [each.to for each in mails(shop) if "on its way back" in each.subject]
    assert told == ["right@example.com"]
    receipts = [each.to for each in mails(shop) if "on its way" not in each.subject]
    assert sorted(receipts) == ["right@example.com", "stranger@example.com"]


def test_a_refund_that_comes_back_before_its_mail_went_is_never_announced(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)
    worker.turn(shop)
    give_back(shop, "5", keep_access=True)
    [refund] = ledger(shop, FactKind.REFUND)
    bank(shop).fail_refund(refund.object_id, shop.now())
    hear(shop)

    [told] = [each for each in mails(shop) if "did not go through" in each.subject]
    assert "order refund H-1001 --amount 5.00\n" in told.text.replace("\r", "")
    assert "The buyer was not told of it." in told.text
    assert not [each for each in mails(shop) if "on its way back" in each.subject]


def test_the_seller_reads_whether_the_buyer_was_told_and_the_link_is_open(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)
    give_back(shop)
    mails(shop)
    [refund] = ledger(shop, FactKind.REFUND)
    bank(shop).open_dispute(order(shop).session_id, shop.now())
    bank(shop).fail_refund(refund.object_id, shop.now())
    hear(shop)

    [told] = [each for each in mails(shop) if "did not go through" in each.subject]
    assert "The buyer was told" in told.text
    assert "The link to the files is closed." in told.text
    assert "handsel order refund H-1001\n" in told.text.replace("\r", "")


def test_old_refunds_heard_of_again_are_told_to_nobody(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    buy(visitor)
    in_panel(shop, 500)
    clock.move(days=8)
    hear(shop)

    assert facts(shop)["refunded_minor"] == 500
    assert not [each for each in mails(shop) if "on its way back" in each.subject]


def test_what_was_asked_for_here_is_news_at_any_age(till: Till) -> None:
    name = sold(till)
    till.stripe.bank.refund_status = "pending"
    give_back(till.shop)
    [refund] = till.stripe.bank.kept["refund"]
    till.move(days=9)
    till.stripe.bank.settle_refund(refund, "succeeded")
    till.shop.hear("stripe", name)

    assert [e.to for e in mails(till.shop) if "on its way back" in e.subject] == [ADA]
