"""Money goes back once or not at all, whatever gets lost, waits, dies or comes twice."""

import dataclasses
from threading import Barrier, Thread

import pytest

from handsel import worker
from handsel.kit.errors import ConfigurationError, ConflictError, ShopError
from handsel.kit.money import Money
from handsel.models.words import RefundState
from handsel.ops import carrying, refunding
from handsel.sales.payments.base import ProviderUnavailableError
from handsel.shop import Shop
from tests import make
from tests.ground.till import Till, untrue
from tests.ground.visitor import Visitor
from tests.stories.buyers import buy, facts
from tests.stories.giving_back import (
    at_stripe,
    give_back,
    lose_the_answer,
    rows,
    sold,
    states,
)
from tests.stories.test_news_of_payments import mails

ASKED, MADE = RefundState.ASKED, RefundState.MADE
REFUSED, UNKNOWN = RefundState.REFUSED, RefundState.UNKNOWN


def to_seller(till: Till, words: str) -> list[str]:
    """Give the mails to the seller whose subject has these words, the newest first."""
    found = [each for each in mails(till) if words in each.subject]
    assert {each.to for each in found} <= {"ada@example.com"}
    return [each.text for each in found]


def test_an_answer_that_got_lost_is_asked_for_again_and_the_money_goes_once(
    till: Till,
) -> None:
    sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError, match="nobody knows yet"):
        give_back(till.shop, "5")
    assert states(till.shop) == [ASKED]

    for _ in range(3):
        till.move(minutes=2)
        worker.turn(till.shop)

    assert states(till.shop) == [MADE]
    assert facts(till.shop)["refunded_minor"] == 500
    assert at_stripe(till) == [500]


def test_a_key_the_provider_has_forgotten_is_never_used_again(till: Till) -> None:
    sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, "5")
    till.move(days=3)

    done = give_back(till.shop, "5")  # it is found, and not made
    worker.turn(till.shop)

    assert done["refunded_minor"] == 500
    assert at_stripe(till) == [500]
    assert states(till.shop) == [MADE]


@pytest.mark.parametrize("by_worker", [False, True])
def test_a_key_that_may_be_forgotten_is_given_up_even_if_nothing_is_heard(
    till: Till, by_worker: bool
) -> None:
    sold(till)
    plan = refunding.plan(till.shop, "H-1001", refunding.Wish("5"))
    till.stripe.faults.fail_next(4, 503)
    with pytest.raises(ProviderUnavailableError):
        refunding.refund(till.shop, plan)
    till.stripe.faults.fail_next(0)
    till.move(days=3)

    if by_worker:
        carrying.finish(till.shop)
    else:
        with pytest.raises(ConflictError, match="nobody knows"):
            give_back(till.shop, "5")

    assert states(till.shop) == [UNKNOWN]
    assert at_stripe(till) == []


def test_what_never_came_to_the_provider_is_not_asked_for_days_later(
    till: Till,
) -> None:
    sold(till)
    till.stripe.faults.lose_next(0)
    plan = refunding.plan(till.shop, "H-1001", refunding.Wish("5"))
    till.stripe.faults.fail_next(4, 503)
    with pytest.raises(ProviderUnavailableError):
        refunding.refund(till.shop, plan)
    till.stripe.faults.fail_next(0)
    till.move(hours=21)
    worker.turn(till.shop)

    assert states(till.shop) == [UNKNOWN]
    assert at_stripe(till) == []
    [told] = to_seller(till, "Nobody knows of a refund")
    assert "5.00" in told
    assert "--amount 5.00" in told

    again = refunding.plan(till.shop, "H-1001", refunding.Wish("5"))
    assert again.unknown == Money(500, "EUR")
    with pytest.raises(ConflictError, match="Nobody knows whether"):
        refunding.check_unattended(again)
    refunding.refund(till.shop, again)  # somebody has looked, and said yes
    assert at_stripe(till) == [500]


def test_what_nobody_knew_and_is_heard_of_later_was_made(till: Till) -> None:
    sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, keep_access=True)
    till.move(hours=21)
    till.stripe.faults.fail_next(100, 503)
    carrying.finish(till.shop)
    assert states(till.shop) == [UNKNOWN]
    till.stripe.faults.fail_next(0)

    till.reconcile(days=2)

    [row] = rows(till.shop)
    assert (row.state, row.error) == (MADE, None)
    assert (facts(till.shop)["status"], facts(till.shop)["access"]) == (
        "refunded",
        True,
    )
    assert untrue(till.shop) == {}


def test_two_who_looked_at_the_same_moment_do_not_both_pay(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)
    one, two = (refunding.plan(shop, "H-1001", refunding.Wish("5")) for _ in range(2))

    refunding.refund(shop, one)
    with pytest.raises(ConflictError, match="moved since you looked"):
        refunding.refund(shop, two)

    assert facts(shop)["refunded_minor"] == 500


def test_two_commands_at_once_pay_once(till: Till) -> None:
    sold(till)
    plans = [refunding.plan(till.shop, "H-1001", refunding.Wish("5")) for _ in range(2)]
    barrier, said = Barrier(2), []

    def go(plan: refunding.Plan) -> None:
        barrier.wait(10)
        try:
            refunding.refund(till.shop, plan)
            said.append("made")
        except ConflictError:
            said.append("refused")

    both = [Thread(target=go, args=(plan,)) for plan in plans]
    for each in both:
        each.start()
    for each in both:
        each.join(30)

    assert sorted(said) == ["made", "refused"]
    assert at_stripe(till) == [500]
    assert states(till.shop) == [MADE]


def test_command_and_workers_at_once_pay_once(till: Till) -> None:
    sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, "5")
    till.move(minutes=2)
    barrier = Barrier(3)

    def work() -> None:
        barrier.wait(10)
        carrying.finish(till.shop)

    others = [Thread(target=work) for _ in range(2)]
    for each in others:
        each.start()
    barrier.wait(10)
    done = give_back(till.shop, "5")
    for each in others:
        each.join(30)

    assert done["refunded_minor"] == 500
    assert at_stripe(till) == [500]
    assert states(till.shop) == [MADE]


@pytest.mark.parametrize("worked", [False, True])
@pytest.mark.parametrize("amount", ["5", None])
def test_a_script_that_repeats_until_it_succeeds_pays_once(
    till: Till, amount: str | None, worked: bool
) -> None:
    sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, amount)
    if worked:  # the worker was quicker than the script
        till.move(minutes=2)
        carrying.finish(till.shop)

    give_back(till.shop, amount)

    minor = 500 if amount else 1500
    assert at_stripe(till) == [minor]
    assert facts(till.shop)["refunded_minor"] == minor


def test_who_was_answered_and_asks_again_means_another(till: Till) -> None:
    sold(till)

    give_back(till.shop, "5")
    give_back(till.shop, "5")

    assert at_stripe(till) == [500, 500]


def test_another_amount_while_one_is_unfinished_is_no_answer_to_it(till: Till) -> None:
    sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, "5")

    # The payment tells of the first one by our key, so it is finished before anything.
    give_back(till.shop, "6")

    assert at_stripe(till) == [500, 600]
    assert states(till.shop) == [MADE, MADE]


def test_another_amount_while_one_never_came_through_has_to_wait(till: Till) -> None:
    sold(till)
    plan = refunding.plan(till.shop, "H-1001", refunding.Wish("5"))
    till.stripe.faults.fail_next(4, 503)
    with pytest.raises(ProviderUnavailableError):
        refunding.refund(till.shop, plan)
    till.stripe.faults.fail_next(0)

    with pytest.raises(ConflictError, match="asked for before is made now"):
        give_back(till.shop, "6")

    assert at_stripe(till) == [500]


def test_what_is_on_its_way_cannot_be_given_twice(till: Till) -> None:
    sold(till)
    till.stripe.bank.refund_status = "pending"
    done = refunding.refund(
        till.shop, refunding.plan(till.shop, "H-1001", refunding.Wish("5"))
    )
    assert (done.gone, done.order["refunded_minor"]) == (False, 0)

    with pytest.raises(ShopError, match=r"up to €10\.00.*€5\.00 is on its way"):
        give_back(till.shop, "11")
    give_back(till.shop)
    with pytest.raises(ConflictError, match=r"€15\.00 .* is on its way already"):
        give_back(till.shop)

    assert at_stripe(till) == [500, 1000]


@pytest.mark.parametrize(("ending", "left"), [("succeeded", 1000), ("failed", 1500)])
def test_what_was_on_its_way_arrives_or_comes_back(
    till: Till, ending: str, left: int
) -> None:
    name = sold(till)
    till.stripe.bank.refund_status = "pending"
    give_back(till.shop, "5")
    [refund] = till.stripe.bank.kept["refund"]

    till.move(days=9)
    till.stripe.bank.settle_refund(refund, ending)
    till.shop.hear("stripe", name)

    plan = refunding.plan(till.shop, "H-1001", refunding.Wish())
    assert plan.amount.minor == left
    told = [each for each in mails(till) if "on its way back" in each.subject]
    back = to_seller(till, "did not go through")
    assert (len(told), len(back)) == ((1, 0) if ending == "succeeded" else (0, 1))
    if back:
        assert "The buyer was not told of it." in back[0]
        assert "handsel order refund H-1001 --amount 5.00" in back[0]


def test_a_key_that_may_not_refund_ends_what_surely_never_went(till: Till) -> None:
    sold(till)
    plan = refunding.plan(till.shop, "H-1001", refunding.Wish("5"))
    till.stripe.faults.fail_next(1, 403)
    with pytest.raises(ConfigurationError, match="write Checkout Sessions, Refunds"):
        refunding.refund(till.shop, plan)
    assert states(till.shop) == [REFUSED]

    give_back(till.shop, "6")
    assert at_stripe(till) == [600]


def test_a_key_that_may_not_refund_says_nothing_of_an_answer_that_got_lost(
    till: Till,
) -> None:
    sold(till)
    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, keep_access=True)
    till.move(minutes=2)
    till.stripe.faults.fail_next(3, 401)
    carrying.finish(till.shop)
    assert states(till.shop) == [ASKED]

    till.stripe.faults.fail_next(0)
    carrying.finish(till.shop)

    assert (states(till.shop), at_stripe(till)) == ([MADE], [1500])
    assert facts(till.shop)["access"] is True


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("charge_disputed", "disputes this payment"),
        ("refund_disputed_payment", "disputes this payment"),
        ("charge_not_refundable", "any more"),
        ("insufficient_funds", "not enough money in your balance"),
        ("balance_insufficient", "not enough money in your balance"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_why_stripe_refuses_is_said_and_nothing_waits(
    till: Till, code: str, said: str
) -> None:
    sold(till)
    till.stripe.bank.refusal = code

    with pytest.raises(ConflictError, match=said) as refused:
        give_back(till.shop)

    assert "charged" not in str(refused.value)
    assert states(till.shop) == [REFUSED]


def test_the_worker_is_refused_and_the_seller_is_told(till: Till) -> None:
    sold(till)
    plan = refunding.plan(till.shop, "H-1001", refunding.Wish(keep_access=True))
    till.stripe.faults.fail_next(4, 503)
    with pytest.raises(ProviderUnavailableError):
        refunding.refund(till.shop, plan)
    till.stripe.faults.fail_next(0)
    till.stripe.bank.refusal = "insufficient_funds"

    till.move(minutes=2)
    worker.turn(till.shop)

    assert states(till.shop) == [REFUSED]
    [told] = to_seller(till, "was not made")
    assert "not enough money in your balance" in told
    assert "handsel order refund H-1001 --keep-access" in told
    assert "The link to the files is open." in told


def test_stripe_is_away_when_somebody_looks_what_could_go_back(till: Till) -> None:
    sold(till)
    till.stripe.faults.fail_next(4, 503)

    with pytest.raises(ProviderUnavailableError) as away:
        give_back(till.shop)

    assert "nothing was asked for" in str(away.value)
    assert "charged" not in str(away.value)
    assert rows(till.shop) == []


def test_a_provider_that_was_put_away_is_named(till: Till) -> None:
    sold(till)
    without = dataclasses.replace(till.shop, providers={})
    with pytest.raises(ConflictError, match="H-1001 was paid by stripe"):
        refunding.plan(without, "H-1001", refunding.Wish())

    lose_the_answer(till)
    with pytest.raises(ProviderUnavailableError):
        give_back(till.shop, "5")
    till.move(minutes=2)
    carrying.finish(without)
    assert states(till.shop) == [ASKED]


def test_one_that_cannot_be_made_does_not_hold_up_the_others(till: Till) -> None:
    make.product(till.shop, price=Money(500, "ISK"))
    till.stripe.hooks.mode = "drop"
    names = [till.begin(till.visitor()) for _ in range(2)]
    for name in names:
        till.stripe.bank.pay(name)
        till.shop.hear("stripe", name)
    for number in ("H-1001", "H-1002"):
        plan = refunding.plan(till.shop, number, refunding.Wish())
        till.stripe.faults.fail_next(4, 503)
        with pytest.raises(ProviderUnavailableError):
            refunding.refund(till.shop, plan)
        till.stripe.faults.fail_next(0)
    bad = till.stripe.bank.get("session", names[0])["payment_intent"]
    intent = till.stripe.bank.get("payment_intent", bad)
    intent["amount_received"] = 50_050  # half a krona: Stripe promises never

    till.move(minutes=2)
    carrying.finish(till.shop)

    assert at_stripe(till) == [50_000, 50_000]
    assert states(till.shop) == [MADE, MADE]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("price", "part", "odd"),
    [
        (Money(15_000, "KWD"), "5.010", "5.005"),
        (Money(1500, "JPY"), "500", None),
        (Money(1500, "ISK"), "500", None),
    ],
)
def test_every_currency_goes_back_exactly(
    till: Till, price: Money, part: str, odd: str | None
) -> None:
    make.product(till.shop, price=price)
    name = till.begin(till.visitor())
    till.stripe.bank.pay(name)
    if odd:
        with pytest.raises(ShopError, match="cannot give exactly"):
            give_back(till.shop, odd)
        assert rows(till.shop) == []

    give_back(till.shop, part)
    done = give_back(till.shop)

    assert (done["status"], done["refunded_minor"]) == ("refunded", price.minor)
    assert untrue(till.shop) == {}
