"""What a benchmark says: a row with a goal and a sentence, and how rows are printed."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WIDTH = 88


@dataclass(frozen=True)
class Row:
    """One measured promise.

    Args:
        name: what was measured, in a few words.
        measured: the figure the goal is about, with its unit.
        goal: the goal as people read it; empty when there is none.
        met: whether it was met; None when there is no goal.
        why: what the figure means and what it is made of.
        numbers: everything behind it, for programs: seconds, bytes, counts, ratios.
    """

    name: str
    measured: str
    goal: str
    met: bool | None
    why: str
    numbers: Mapping[str, float] = field(default_factory=dict)


def ms(seconds: float) -> str:
    """Write a time: `6.1 ms`, `440 ms`, `2.5 s`."""
    if seconds >= 1:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def quantile(values: Iterable[float], share: float) -> float:
    """Give the value below which `share` (0 to 1) of the values lie; NaN for none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def paragraph(row: Row) -> str:
    """Write one row: what, measured, goal, verdict, and the sentence below it."""
    verdict = {True: "met", False: "NOT MET", None: "for comparison"}[row.met]
    goal = f"  (goal {row.goal})" if row.goal else ""
    return "\n".join(
        [
            f"  {row.name}",
            f"    {row.measured}{goal}: {verdict}",
            textwrap.fill(
                row.why, WIDTH, initial_indent="    ", subsequent_indent="    "
            ),
        ]
    )


def summary(rows: Sequence[Row], failed: Sequence[str]) -> str:
    """Write the last line: how many goals are met, and what could not be measured."""
    judged = [row for row in rows if row.met is not None]
    missed = [row.name for row in judged if not row.met]
    line = f"{len(judged) - len(missed)} of {len(judged)} goals met."
    if missed:
        line += " Not met: " + "; ".join(missed) + "."
    if failed:
        line += " Could not be measured: " + ", ".join(failed) + "."
    return line
