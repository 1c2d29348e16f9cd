"""What PayPal keeps of each sale, by month, as `handsel report payouts` says."""

import re

from handsel.kit.money import Money
from tests import make
from tests.ground.till import Till, untrue
from tests.stories.test_payouts import said, told


def buy(till: Till, slug: str = "book") -> str:
    """Somebody buys the book by PayPal. Gives the name of the order there."""
    name = till.begin(till.visitor(), slug)
    till.paypal.bank.pay(name)
    assert (order := till.order(name))
    assert order.paid_at
    return name


def test_fees_come_with_the_looks_the_shop_takes_anyway(paypal_till: Till) -> None:
    till = paypal_till
    make.product(till.shop)
    first = buy(till)
    before = len(till.paypal.calls)
    till.move(days=10)
    buy(till)
    till.paypal.bank.refund(first)

    calls = {re.sub(r"/\w{17}", "/ID", call) for call in till.paypal.calls[before:]}
    assert not [call for call in calls if "reporting" in call or "balance" in call]
    december, november = sorted(
        told(till)["in_no_payout"], key=lambda each: str(each["month"])
    )[::-1]
    assert (november["month"], november["fees_minor"]) == ("2026-11", -79)
    assert november["lines_minor"] == 1421
    # PayPal keeps its fee of what goes back.
    assert (december["month"], december["given_back_minor"]) == ("2026-12", -1500)
    assert december["lines_minor"] == 1421 - 1500
    page = said(till)
    assert "PayPal pays nothing out by itself" in page
    assert re.search(r"2026-11 +EUR +€15.00 +€0.00 +-€0.79 +€0.00 +€14.21", page), page
    assert re.search(r"Together +EUR +€30.00 +-€15.00 +-€1.58 +€0.00 +€13.42", page), (
        page
    )
    assert untrue(till.shop) == {}


def test_dollars_that_paypal_exchanges_say_what_they_became(paypal_till: Till) -> None:
    till = paypal_till
    make.product(till.shop, price=Money(1700, "USD"))
    till.paypal.bank.rates = {"USD": "0.92"}
    buy(till)

    [month] = told(till)["in_no_payout"]

    assert (month["currency"], month["lines_minor"]) == ("USD", 1700 - 50 - 35)
    assert (month["received_currency"], month["received_minor"]) == ("EUR", 1486)
    assert "€14.86" in said(till)


def test_money_that_is_on_its_way_has_no_fee_yet(paypal_till: Till) -> None:
    till = paypal_till
    make.product(till.shop)
    name = till.begin(till.visitor())
    till.paypal.bank.pay_later(name)
    assert told(till)["in_no_payout"] == []

    till.paypal.bank.settle_later(name, ok=True)

    assert told(till)["in_no_payout"][0]["fees_minor"] == -79


def test_a_refund_that_fails_takes_nothing(paypal_till: Till) -> None:
    till = paypal_till
    make.product(till.shop)
    name = buy(till)
    refund = till.paypal.bank.refund(name)
    assert told(till)["in_no_payout"][0]["given_back_minor"] == -1500

    till.paypal.bank.settle_refund(refund, "FAILED")

    [month] = told(till)["in_no_payout"]
    assert (month["given_back_minor"], month["lines"]) == (0, 3)


def test_a_fee_that_cannot_be_read_keeps_no_sale_back(paypal_till: Till) -> None:
    till = paypal_till
    make.product(till.shop)
    till.paypal.hooks.mode = "hold"
    first, second = till.begin(till.visitor()), till.begin(till.visitor())
    for name in (first, second):
        till.paypal.bank.pay(name)
        till.paypal.bank.capture(name)
    odd, strange = till.paypal.bank.kept["capture"].values()
    odd["seller_receivable_breakdown"]["net_amount"]["value"] = "14.215"
    strange["seller_receivable_breakdown"]["paypal_fee_in_receivable_currency"] = {
        "currency_code": "CNY",
        "value": "6.10",
    }

    till.paypal.hooks.deliver()

    assert (order := till.order(first))
    assert order.paid_at
    assert told(till)["in_no_payout"] == []
    assert "Of 2 payments by PayPal (TEST) the fee is not known (yet)." in said(till)
