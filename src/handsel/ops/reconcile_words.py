"""What asking the providers found, in words: for the command, and for the desk."""

from collections.abc import Sequence

from handsel.ops.payouts import Found
from handsel.ops.reconcile import Outcome

AGAIN = "Try again in a few minutes."
"""What to do when some could not be asked."""


def sentences(found: Outcome, money: Sequence[Found]) -> list[str]:
    """Say what was seen, what was missed, what could not be asked, what money was read."""
    return [
        f"{found.seen} payments seen, {found.looked_up} looked up.",
        _missed(found),
        *[f"Could not be asked: {problem}" for problem in found.failed],
        *[_read(each) for each in money],
    ]


def _missed(found: Outcome) -> str:
    if found.newly_paid:
        return f"Paid, and nobody had told us: {', '.join(found.newly_paid)}."
    if found.failed:  # nobody knows
        return "Nothing was missed, as far as could be asked."
    return "Nothing was missed."


def _read(found: Found) -> str:
    if found.problem:
        return f"What became of the money could not all be read: {found.problem}"
    return f"Read {found.payouts} payouts and {found.lines} lines of your balance."
