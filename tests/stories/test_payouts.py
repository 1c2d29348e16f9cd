"""What reaches the bank, and what it is made up of, as `handsel report payouts` says."""

import json
import re
from typing import Any

from click.testing import CliRunner

from handsel import worker
from handsel.cli import handsel
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


def buy(till: Till) -> str:
    """Somebody buys the book. Gives the name of the session."""
    name = till.begin(till.visitor())
    till.stripe.bank.pay(name)
    assert (order := till.order(name))
    assert order.paid_at
    return name


def test_a_buyer_pays_15_and_the_bank_gets_14_38(till: Till) -> None:
    make.product(till.shop)
    buy(till)

    till.move(days=6)
    worker.turn(till.shop)

    [payout] = told(till)["payouts"]
    assert payout["amount_minor"] == 1438
    assert payout["state"] == "paid"
    page = said(till)
    assert re.search(r"paid +€15.00 +€0.00 +-€0.62 +€0.00 +€14.38", page), page
    assert "H-1001" in said(till, payout["id"])
    assert untrue(till.shop) == {}
