"""How many went how far, from looking at a page to a book that is read."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from handsel.analytics.reports.tallies import By, Tally, Wanted, tally
from handsel.models.words import EventKind

STAGES = (
    EventKind.VIEWED,
    EventKind.CLICKED,
    EventKind.STARTED,
    EventKind.PAID,
    EventKind.OPENED,
    EventKind.DOWNLOADED,
)
_PEOPLE = (EventKind.VIEWED, EventKind.CLICKED, EventKind.STARTED)
"""Stages in which people are counted; after that it is purchases."""


def funnel(session: Session, wanted: Wanted) -> list[dict[str, Any]]:
    """Give a row for each of what `wanted.by` tells apart: see `stages_of`."""
    return stages_of(tally(session, wanted), wanted.by)


def stages_of(counts: Iterable[Tally], by: By) -> list[dict[str, Any]]:
    """Give a row for each of what was told apart, those with most views first.

    Each has `key` and `stages`: `stage`, `count`, and which part that is of the first
    stage and of the one before (`of_first_bp`, `of_before_bp`: see `among_bp`). Until
    `started` different visitors of a day are counted, then purchases, those of people who
    are not counted included.
    """
    groups: dict[str, list[Tally]] = {}
    for each in counts:
        groups.setdefault(each.key, []).append(each)
    rows = [{"key": key, "stages": stages(found)} for key, found in groups.items()]
    if not groups:
        rows = [{"key": "", "stages": stages([])}] if by is By.NOTHING else []
    if by is By.DAY:
        return sorted(rows, key=lambda row: str(row["key"]))
    return sorted(rows, key=lambda row: (-row["stages"][0]["count"], str(row["key"])))


def stages(found: Iterable[Tally]) -> list[dict[str, Any]]:
    """Give the stages of one funnel, whatever the counts tell apart."""
    counts = dict.fromkeys(STAGES, 0)
    for each in found:
        if each.kind in counts:
            people = each.kind in _PEOPLE
            counts[each.kind] += each.visitors if people else each.times
    numbers = list(counts.values())
    return [
        {
            "stage": str(stage),
            "count": count,
            "of_first_bp": among_bp(count, numbers[0]),
            "of_before_bp": among_bp(count, numbers[place - 1]) if place else None,
        }
        for place, (stage, count) in enumerate(counts.items())
    ]


def part_bp(count: int, of: int) -> int | None:
    """Give a part in basis points, None of nothing."""
    return round(10_000 * count / of) if of else None


def among_bp(count: int, of: int) -> int | None:
    """Give which part of some people did something, in basis points.

    None where it is a part of nothing, or of fewer than did it: several who share an
    address and a browser are one visitor, who asks not to be counted is none, and each
    of them may buy.
    """
    return None if count > of else part_bp(count, of)
