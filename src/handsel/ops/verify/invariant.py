"""One sentence about the books, and how findings are put into words."""

from collections.abc import Iterable
from dataclasses import dataclass

from handsel.models.orders import order_number

EXAMPLES = 5
"""How many of the wrong ones are named."""


@dataclass(frozen=True)
class Invariant:
    """One sentence about the books, and whether it holds. `detail` says it in words."""

    id: str
    ok: bool
    detail: str


def result(name: str, truth: str, *problems: str) -> Invariant:
    """Say `truth` if there are no problems; empty ones are none."""
    found = [problem for problem in problems if problem]
    return Invariant(name, not found, " ".join(found) if found else truth)


def listed(what: str, found: Iterable[object]) -> str:
    """Name the first few of what was found; nothing found is nothing to say."""
    each = list(found)
    if not each:
        return ""
    more = len(each) - EXAMPLES
    names = ", ".join(map(str, each[:EXAMPLES]))
    return f"{what}: {names}" + (f" and {more} more." if more > 0 else ".")


def number(order_id: int) -> str:
    """Write an order's number from its row."""
    return order_number(order_id)
