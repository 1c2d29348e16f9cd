"""A command that gives money back is killed, and called again by whoever lost patience."""

import os
import signal
import subprocess
import sys

import pytest

from handsel.models.words import RefundState
from tests.ground.till import Till, untrue
from tests.stories.buyers import facts
from tests.stories.giving_back import at_stripe, sold, states


def command(till: Till, *words: str) -> list[str]:
    """Give the real program, for a process of its own."""
    home = ("--home", str(till.shop.home))
    return [sys.executable, "-m", "handsel", "order", "refund", "H-1001", *words, *home]


@pytest.mark.parametrize("gone", [False, True])
def test_a_command_killed_while_stripe_thinks_pays_once_when_it_is_called_again(
    till: Till, gone: bool
) -> None:
    sold(till)
    # Two looks of the plan are answered; then the look before the refund, or the refund.
    faults = till.stripe.faults
    faults.lose_next(1, spare=3 if gone else 2, hang=True)

    with subprocess.Popen(
        command(till, "--amount", "5", "--yes"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as program:
        assert faults.held.wait(60)
        os.kill(program.pid, signal.SIGKILL)
    assert states(till.shop) == [RefundState.ASKED]
    assert len(at_stripe(till)) == gone

    again = subprocess.run(
        command(till, "--amount", "5", "--yes"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert again.returncode == 0, again.stderr
    assert "€5.00 of H-1001 went back" in again.stdout
    assert at_stripe(till) == [500]
    assert states(till.shop) == [RefundState.MADE]
    assert facts(till.shop)["refunded_minor"] == 500
    assert untrue(till.shop) == {}
