"""`handsel report payouts`: wrong words, spreadsheets, and a shop without payouts."""

import csv
import io

import pytest

from handsel.kit.money import Money
from handsel.models.words import LineKind, PayoutState
from handsel.sales import payouts
from handsel.sales.payments.lines import Line, PayoutFacts
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import on_sqlite, real
from tests.ops import keeping


def paid_out(shop: Shop) -> None:
    """Write down a payout of three lines, none of them of the shop's."""
    now = shop.now()
    lines = [
        Line("txn_1", LineKind.SALE, "charge", euro(2000), euro(75), now, "pi_other"),
        Line("txn_2", LineKind.FEE, "fee", euro(-200), euro(0), now, note="=1+1"),
        Line("txn_3", LineKind.OTHER, "topup", euro(10), euro(0), now),
    ]
    payout = PayoutFacts(
        *("po_1", euro(1735), PayoutState.PAID, now, now.date()),
        divisible=True,
        settled=True,
    )
    with shop.transaction() as session:
        payouts.note_payout(session, "stripe", False, payout)
        [(row, _)] = payouts.to_divide(session, "stripe", test=False, since=None)
        payouts.note_lines(session, "stripe", False, lines, row)
        payouts.divided(session, row, now)


def euro(minor: int) -> Money:
    """Give an amount in euros."""
    return Money(minor, "EUR")


@on_sqlite
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["po_nobody"], 3, "There is no payout po_nobody."),
        (["--since", "soon"], 2, "Write a day like"),
        (["--since", "2026-11-31"], 2, "Write a day like"),
        (["--currency", "euro"], 2, "three letters"),
        (["--currency", "XXQ"], 2, "three letters"),
        (["--since", "2026-12-01", "--until", "2026-11-30"], 2, "There is no day from"),
        (["--csv", "--json"], 2, "two answers"),
        (["po_1", "--since", "2026-11-01"], 2, "One payout is shown whole."),
        (["po_1", "po_2"], 2, "unexpected extra argument"),
    ],
)
def test_wrong_words_are_answered_in_a_sentence(
    shop: Shop, words: list[str], code: int, said: str
) -> None:
    done = real(shop.home, "report", "payouts", *words)

    assert done.returncode == code, done.stderr
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@on_sqlite
def test_a_shop_with_test_money_says_that_it_reaches_no_bank(shop: Shop) -> None:
    empty = real(shop.home, "report", "payouts")
    make.product(shop)
    keeping.buy(shop, 2)

    done = real(shop.home, "report", "payouts")

    assert empty.stdout == "There are no payouts, and no fees, to be shown.\n"
    assert "which never reaches a bank: 2." in done.stdout
    assert "never reaches a bank" in done.stdout


def test_a_spreadsheet_gets_decimals_and_no_formulas(shop: Shop) -> None:
    paid_out(shop)

    sheet = real(shop.home, "report", "payouts", "--csv").stdout
    lines = real(shop.home, "report", "payouts", "po_1", "--csv").stdout

    [payout] = csv.DictReader(io.StringIO(sheet))
    assert payout["amount"] == payout["other"] == "17.35"
    assert (payout["what"], payout["currency"], payout["adds_up"]) == (
        *("payout", "EUR"),
        "yes",
    )
    sale, fee, topup = csv.DictReader(io.StringIO(lines))
    assert (sale["net"], sale["fee"], sale["order"]) == ("19.25", "0.75", "")
    assert (fee["net"], fee["note"]) == ("-2.00", "'=1+1")
    assert (topup["word"], topup["payment"]) == ("topup", "")


def test_a_payout_without_the_shops_sales_has_its_sums(shop: Shop) -> None:
    paid_out(shop)

    one = real(shop.home, "report", "payouts", "po_1").stdout

    assert "other (topup)" in one
    assert "3 of these lines belong to no order of this shop." in one
    [together] = [line for line in one.splitlines() if line.startswith("Together")]
    assert together.split() == ["Together", "€18.10", "€0.75", "€17.35"]
