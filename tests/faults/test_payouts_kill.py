"""Reading payouts is killed, cut off, and done by several at once: it comes out whole."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from handsel.models import BalanceLine, Payout
from handsel.ops import payouts
from tests import make
from tests.ground.till import Till, untrue
from tests.stories.test_payouts import buy, days_pass, told

READER = """
import sys
from datetime import datetime
from pathlib import Path
from handsel.ops import payouts
from handsel.shop import open_shop
now = datetime.fromisoformat(sys.argv[2])
payouts.read(open_shop(Path(sys.argv[1]), clock=lambda: now))
"""
MANY = 250
"""Lines enough for three pages."""


def sold(till: Till) -> None:
    """Let the shop, and another business, sell more than a page is long."""
    make.product(till.shop)
    buy(till)
    for number in range(MANY):
        till.stripe.bank.other_sale(1000 + number)
    till.move(days=6)


def state(till: Till) -> tuple[int, int]:
    """Count the lines that are in a payout, and the payouts that are read."""
    inside, read = BalanceLine.payout_id, Payout.lines_read_at
    with till.shop.reading() as session:
        return (
            session.scalar(select(func.count(inside))) or 0,
            session.scalar(select(func.count(read))) or 0,
        )


def is_whole(till: Till) -> None:
    """Look whether the payout is read to its end, and nothing twice."""
    [payout] = told(till)["payouts"]
    assert (payout["lines"], payout["adds_up"]) == (MANY + 1, True)
    assert state(till) == (MANY + 1, 1)
    assert untrue(till.shop) == {}


def test_a_reader_that_is_killed_amid_a_payout_reads_all_of_it_next_time(
    till: Till,
) -> None:
    sold(till)
    # Payouts, three pages of lines, two pages of the payout; the third never comes.
    faults = till.stripe.faults
    faults.lose_next(1, spare=6, hang=True)
    words = (str(till.shop.home), till.clock().isoformat())

    with subprocess.Popen([sys.executable, "-c", READER, *words]) as program:
        assert faults.held.wait(60)
        os.kill(program.pid, signal.SIGKILL)

    assert state(till) == (100, 0)
    assert told(till)["payouts"][0]["lines_minor"] is None
    days_pass(till, 1)
    is_whole(till)


# The suite has one in the lines, one between them and the payout, one in the payout.
@pytest.mark.parametrize(
    "answered",
    [1, 3, 5, *(pytest.param(each, marks=pytest.mark.storm) for each in (0, 2, 4, 6))],
)
def test_wherever_stripe_falls_silent_the_next_reading_makes_it_whole(
    till: Till, answered: int
) -> None:
    sold(till)
    till.stripe.faults.lose_next(2, spare=answered)  # and the library's own repeat

    [cut_off] = payouts.read(till.shop)

    assert "Stripe is not answering." in cut_off.problem
    payouts.read(till.shop)
    is_whole(till)
    assert told(till)["readings"][0]["problem"] is None


def test_several_readers_at_once_write_each_line_once(till: Till) -> None:
    sold(till)

    with ThreadPoolExecutor(4) as pool:
        each = [pool.submit(payouts.read, till.shop) for _ in range(4)]

    assert [found.problem for read in each for found in read.result()] == [""] * 4
    is_whole(till)


def test_a_long_history_is_read_a_piece_at_a_time(till: Till) -> None:
    sold(till)
    pieces = []

    while not state(till)[1]:
        [found] = payouts.read(till.shop, most=100)
        pieces.append(found.lines)
        assert len(pieces) < 9
        if not state(till)[1]:
            assert told(till)["readings"][0]["read_at"] is None

    assert len(pieces) > 1
    is_whole(till)
    payouts.read(till.shop, most=100)
    assert told(till)["readings"][0]["read_at"]


def test_a_clock_that_was_a_year_ahead_for_a_while_hides_no_money(till: Till) -> None:
    make.product(till.shop)
    buy(till)
    till.clock.move(days=365)
    payouts.read(till.shop)
    till.clock.move(days=-365)

    for _ in range(2):
        buy(till)
        till.move(days=6)
        payouts.read(till.shop)

    found = told(till)
    assert [each["adds_up"] for each in found["payouts"]] == [True, True]
    assert found["in_no_payout"] == []
