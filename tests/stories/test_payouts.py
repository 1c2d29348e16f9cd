"""What reaches the bank, and what it is made up of, as `handsel report payouts` says."""

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, select

from handsel import worker
from handsel.cli import handsel
from handsel.kit.money import Money
from handsel.models import BalanceLine, Payout
from handsel.ops import payouts
from handsel.ops.doctor import examine
from handsel.shop import Shop
from tests import make
from tests.ground.till import Till, untrue


def said(till: Till, *words: str) -> str:
    """Give what the report says to people."""
    home = ("--home", str(till.shop.home))
    done = CliRunner().invoke(handsel, ["report", "payouts", *words, *home])
    assert done.exit_code == 0, done.output
    return done.stdout


def told(till: Till, *words: str) -> dict[str, Any]:
    """Give what the report says to programs."""
    found: dict[str, Any] = json.loads(said(till, *words, "--json"))
    return found


def made_up(till: Till, payout: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the lines of a payout."""
    found: list[dict[str, Any]] = told(till, payout["id"])["made_up_of"]
    return found


def buy(till: Till, slug: str = "book") -> str:
    """Somebody buys the book. Gives the name of the session."""
    name = till.begin(till.visitor(), slug)
    till.stripe.bank.pay(name)
    assert (order := till.order(name))
    assert order.paid_at
    return name


def days_pass(till: Till, days: int) -> None:
    """Let time pass, and the worker do its duties after it."""
    till.move(days=days)
    worker.turn(till.shop)


def findings(till: Till) -> dict[str, str]:
    """Give what the doctor says of payouts."""
    found = examine(till.shop.home, till.shop.now())
    return {each.id: each.problem for each in found if each.id.startswith("H08")}


def lines(shop: Shop) -> int:
    """Count the lines of the balance that were read."""
    with shop.reading() as session:
        return session.scalar(select(func.count(BalanceLine.id))) or 0


def test_a_buyer_pays_15_and_the_bank_gets_14_38(till: Till) -> None:
    make.product(till.shop)
    buy(till)

    days_pass(till, 6)

    [payout] = told(till)["payouts"]
    assert payout["amount_minor"] == 1438
    assert (payout["state"], payout["adds_up"]) == ("paid", True)
    page = said(till)
    assert re.search(r"paid +€15.00 +€0.00 +-€0.62 +€0.00 +€14.38", page), page
    one = said(till, payout["id"])
    assert re.search(r"sale +H-1001 +€15.00 +€0.62 +€14.38", one), one
    assert untrue(till.shop) == {}
    assert findings(till) == {}


def test_a_fee_is_known_before_the_payout_and_the_order_shows_it(till: Till) -> None:
    make.product(till.shop)
    buy(till)
    till.move(minutes=1)

    worker.turn(till.shop)

    home = ("--home", str(till.shop.home))
    shown = CliRunner().invoke(handsel, ["order", "show", "H-1001", *home]).stdout
    assert "sale €15.00, fee €0.62, net €14.38" in shown
    assert "payout" not in shown
    page = said(till)
    assert re.search(r"2026-11 +EUR +€15.00 +€0.00 +-€0.62 +€0.00 +€14.38", page), page
    days_pass(till, 6)
    shown = CliRunner().invoke(handsel, ["order", "show", "H-1001", *home]).stdout
    assert re.search(r"net €14.38, payout po_\w+ \(paid\)", shown), shown
    assert told(till)["in_no_payout"] == []


def test_a_payout_is_seen_on_its_way(till: Till) -> None:
    make.product(till.shop)
    buy(till)
    seen = {}

    for _ in range(4 * 6):
        till.move(hours=6)
        worker.turn(till.shop)
        for each in told(till)["payouts"]:
            seen[each["state"]] = each["lines_minor"]

    # Of what it is made up is known when Stripe has made it up.
    assert seen == {"pending": None, "in_transit": 1438, "paid": 1438}
    assert list(seen) == ["pending", "in_transit", "paid"]


def test_money_that_goes_back_is_missing_in_a_later_payout(till: Till) -> None:
    make.product(till.shop)
    bank = till.stripe.bank
    first, second = buy(till), buy(till)
    days_pass(till, 4)
    bank.refund(first, 500)
    dispute = bank.open_dispute(second)
    buy(till)
    buy(till)
    buy(till)
    days_pass(till, 6)
    bank.close_dispute(dispute, "won")
    days_pass(till, 6)

    won, later, early = told(till)["payouts"]

    assert early["amount_minor"] == 2 * 1438
    assert later["amount_minor"] == 3 * 1438 - 500 - 1500 - 2000
    assert later["given_back_minor"] == -2000
    assert later["fees_minor"] == -(3 * 62 + 2000)
    assert won["amount_minor"] == 1500
    assert all(each["adds_up"] for each in (won, later, early))
    orders = [each["order"] for each in made_up(till, later)]
    assert sorted(orders) == ["H-1001", "H-1002", "H-1003", "H-1004", "H-1005"]
    assert told(till)["totals"][0]["amount_minor"] == 2 * 1438 + 3 * 1438 - 4000 + 1500
    assert untrue(till.shop) == {}


def test_a_refund_that_comes_back_is_two_lines(till: Till) -> None:
    make.product(till.shop)
    name = buy(till)
    refund = till.stripe.bank.refund(name)
    till.stripe.bank.settle_refund(refund, "failed")
    days_pass(till, 6)

    [payout] = told(till)["payouts"]

    assert (payout["amount_minor"], payout["given_back_minor"]) == (1438, 0)
    kinds = [each["kind"] for each in made_up(till, payout)]
    assert sorted(kinds) == ["refund", "refund", "sale"]


def test_more_that_goes_back_than_comes_in_is_fetched_from_the_bank(till: Till) -> None:
    make.product(till.shop)
    till.stripe.bank.debits = True
    name = buy(till)
    days_pass(till, 6)
    till.stripe.bank.refund(name)
    days_pass(till, 6)

    fetched, sent = told(till)["payouts"]

    assert (fetched["amount_minor"], sent["amount_minor"]) == (-1500, 1438)
    assert fetched["adds_up"]
    assert "-€15.00" in said(till, fetched["id"])
    assert untrue(till.shop) == {}


def test_a_sale_in_dollars_reaches_a_bank_that_keeps_euros(till: Till) -> None:
    make.product(till.shop, slug="usd", price=Money(1700, "USD"))
    make.product(till.shop, slug="yen", price=Money(1500, "JPY"))
    make.product(till.shop, slug="dinar", price=Money(15_500, "KWD"))
    till.stripe.bank.rates = {"usd": "0.9137", "jpy": "0.6112"}
    for slug in ("usd", "yen", "dinar"):
        buy(till, slug)
    days_pass(till, 6)

    found = told(till)["payouts"]

    euros, dinars = sorted(found, key=lambda each: str(each["currency"]))
    dollars, yen = sorted(made_up(till, euros), key=lambda each: str(each["order"]))
    assert (dollars["paid_minor"], dollars["paid_currency"]) == (1700, "USD")
    assert (dollars["amount_minor"], dollars["rate"]) == (1553, "0.9137")
    assert (yen["paid_minor"], yen["paid_currency"]) == (1500, "JPY")
    assert (yen["amount_minor"], yen["order"]) == (917, "H-1002")
    assert euros["amount_minor"] == 1553 - 63 + 917 - 47
    assert dinars["currency"] == "KWD"
    assert {each["currency"] for each in told(till)["totals"]} == {"EUR", "KWD"}
    assert [each["currency"] for each in told(till, "--currency", "kwd")["totals"]] == [
        "KWD"
    ]
    assert "$17.00 x 0.9137" in said(till, euros["id"])
    assert all(each["adds_up"] for each in found)


def test_what_belongs_to_no_order_is_shown_as_that(till: Till) -> None:
    make.product(till.shop)
    bank = till.stripe.bank
    buy(till)
    bank.other_sale(10_000)
    bank.monthly_fee(200)
    days_pass(till, 6)

    [payout] = told(till)["payouts"]

    assert payout["sales_minor"] == 1500
    assert payout["other_minor"] == 10_000 - 275 - 200
    assert payout["amount_minor"] == 1438 + 9525
    assert payout["lines_of_no_order"] == 2
    page = said(till, payout["id"])
    assert re.search(r"sale +H-1001 ", page)
    assert re.search(r"sale +- +€100.00 +€2.75 +€97.25 +txn_", page), page
    assert re.search(r"fee +- +-€2.00 +€0.00 +-€2.00 +Radar for Fraud", page), page
    assert "2 of these lines belong to no order" in page
    assert "OTHER belongs to no order" in said(till)
    # The buyers of another business are none of the shop's.
    with till.shop.reading() as session:
        notes = session.scalars(select(BalanceLine.note)).all()
    assert [each for each in notes if each] == [
        "Radar for Fraud Teams (2026-10-01 - 2026-10-31)"
    ]


def test_a_payout_that_fails_is_in_no_sum_and_its_money_in_a_later_one(
    till: Till,
) -> None:
    make.product(till.shop)
    buy(till)
    days_pass(till, 6)
    [failed] = told(till)["payouts"]
    till.stripe.bank.fail_payout(failed["id"])
    days_pass(till, 6)

    later, failed = told(till)["payouts"]

    assert (failed["state"], failed["failure"]) == ("failed", "account_closed")
    assert (later["amount_minor"], later["state"]) == (1438, "paid")
    [returned] = made_up(till, later)
    assert (returned["kind"], returned["net_minor"]) == ("returned", 1438)
    [total] = told(till)["totals"]
    assert (total["amount_minor"], total["payouts"]) == (1438, 1)
    assert f"{failed['id']} did not arrive (account_closed)" in said(till)
    assert failed["id"] in findings(till)["H082"]
    assert untrue(till.shop) == {}


@pytest.mark.parametrize("instant", [False, True])
def test_of_a_payout_by_hand_nobody_can_say_what_it_is_made_up_of(
    till: Till, instant: bool
) -> None:
    make.product(till.shop)
    till.stripe.bank.schedule = "manual"
    buy(till)
    buy(till)
    days_pass(till, 3)
    by_hand = till.stripe.bank.pay_out(2000, instant=instant)
    days_pass(till, 3)

    [payout] = told(till)["payouts"]

    assert (payout["divisible"], payout["adds_up"]) == (False, None)
    page = said(till)
    assert f"{by_hand} was asked for by hand" in page
    assert re.search(r"paid +\? +\? +\? +\? +€20.00", page), page
    [month] = told(till)["in_no_payout"]
    assert (month["sales_minor"], month["fees_minor"]) == (3000, -124)
    assert untrue(till.shop) == {}


def test_a_payout_of_many_sales_is_read_to_its_end(till: Till) -> None:
    make.product(till.shop)
    buy(till)
    for number in range(250):
        till.stripe.bank.other_sale(1000 + number)
    days_pass(till, 6)

    [payout] = told(till)["payouts"]

    assert (payout["lines"], payout["adds_up"]) == (251, True)
    others = sum(
        each["net_minor"] for each in made_up(till, payout) if not each["order"]
    )
    assert payout["amount_minor"] == 1438 + others
    assert payout["other_minor"] == others


def test_a_quiet_hour_costs_two_calls_and_a_shop_without_sales_none(
    till: Till,
) -> None:
    make.product(till.shop)
    payouts.read(till.shop)
    assert till.stripe.calls == []
    buy(till)
    days_pass(till, 6)
    before = len(till.stripe.calls)
    till.move(hours=1)

    payouts.read(till.shop)

    assert till.stripe.calls[before:] == [
        "GET /v1/payouts",
        "GET /v1/balance_transactions",
    ]


def test_a_key_that_may_not_see_the_money_sells_on_and_is_told_what_it_lacks(
    till: Till,
) -> None:
    make.product(till.shop)
    till.stripe.api.forbidden = {
        "/v1/payouts": "rak_payout_read",
        "/v1/balance": "rak_balance_read",
    }
    buy(till)
    days_pass(till, 40)
    home = ("--home", str(till.shop.home))

    done = CliRunner().invoke(handsel, ["reconcile", "--since", "1d", *home])

    assert done.exit_code == 0
    for place in (done.stdout, said(till), findings(till)["H080"]):
        assert "rak_payout_read" in place
        assert "rak_balance_read" in place
    assert told(till)["readings"][0]["read_at"] is None
    assert "Of 1 payments by Stripe (TEST) the fee is not known (yet)." in said(till)

    till.stripe.api.forbidden = {}
    days_pass(till, 1)

    [payout] = told(till)["payouts"]
    assert (payout["amount_minor"], payout["adds_up"]) == (1438, True)
    assert told(till)["readings"][0]["problem"] is None
    assert findings(till) == {}


def test_lines_are_read_even_if_payouts_may_not_be(till: Till) -> None:
    make.product(till.shop)
    till.stripe.api.forbidden = {"/v1/payouts": "rak_payout_read"}
    buy(till)
    days_pass(till, 1)

    assert told(till)["in_no_payout"][0]["fees_minor"] == -62
    assert "may not read Payouts" in said(till)


def test_a_payout_that_does_not_add_up_is_told_everywhere_and_read_again(
    till: Till,
) -> None:
    make.product(till.shop)
    buy(till)
    buy(till)
    days_pass(till, 6)
    with till.shop.transaction() as session:
        last = session.scalar(select(func.max(BalanceLine.id)))
        session.execute(delete(BalanceLine).where(BalanceLine.id == last))

    [payout] = told(till)["payouts"]
    assert payout["adds_up"] is False
    assert "DOES NOT ADD UP: it is €28.76, its lines are €14.38." in said(till)
    assert payout["id"] in untrue(till.shop)["I14"]
    assert payout["id"] in findings(till)["H081"]

    home = ("--home", str(till.shop.home))
    CliRunner().invoke(handsel, ["reconcile", "--since", "7d", *home])

    assert told(till)["payouts"][0]["adds_up"]
    assert untrue(till.shop) == {}


def test_an_answer_that_comes_late_makes_nothing_younger(till: Till) -> None:
    make.product(till.shop)
    buy(till)
    days_pass(till, 6)
    [payout] = told(till)["payouts"]
    kept = till.stripe.bank.kept["payout"][payout["id"]]

    kept["status"] = "in_transit"
    days_pass(till, 1)

    with till.shop.reading() as session:
        assert session.scalar(select(Payout.state)) == "paid"


def test_a_payout_stripe_does_not_tell_of_keeps_no_other_back(till: Till) -> None:
    make.product(till.shop)
    till.stripe.api.forbidden = {"/v1/balance": "rak_balance_read"}
    buy(till)
    days_pass(till, 6)
    [odd] = till.stripe.bank.kept["payout"].values()
    odd["automatic"] = False
    till.stripe.api.forbidden = {}
    buy(till)

    days_pass(till, 6)

    good, unknown = told(till)["payouts"]
    assert (unknown["id"], unknown["lines_minor"]) == (odd["id"], None)
    assert good["adds_up"]
    assert f"Payout {odd['id']}: Stripe does not tell" in said(till)


def test_a_sale_that_is_heard_of_after_its_money_is_an_order_then(till: Till) -> None:
    make.product(till.shop)
    buy(till)
    till.stripe.hooks.mode = "drop"
    till.stripe.bank.pay(till.begin(till.visitor()))
    till.move(days=6)
    payouts.read(till.shop)
    [payout] = told(till)["payouts"]
    assert (payout["sales_minor"], payout["other_minor"]) == (1500, 1438)

    till.reconcile(days=7)

    [payout] = told(till)["payouts"]
    assert (payout["sales_minor"], payout["other_minor"]) == (3000, 0)


def test_days_choose_what_arrives_then(till: Till) -> None:
    make.product(till.shop)
    buy(till)
    days_pass(till, 10)
    buy(till)
    days_pass(till, 10)
    later, early = told(till)["payouts"]

    since = told(till, "--since", later["arrives_on"])
    until = told(till, "--until", early["arrives_on"])

    assert [each["id"] for each in since["payouts"]] == [later["id"]]
    assert [each["id"] for each in until["payouts"]] == [early["id"]]
    assert since["totals"][0]["amount_minor"] == 1438
    assert said(till, "--since", "2030-01-01").startswith("There are no payouts")
