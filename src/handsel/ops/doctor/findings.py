"""What the doctor says: an id that stays, how bad it is, what is so, what to do."""

from dataclasses import dataclass
from datetime import timedelta

from handsel.models.words import Level

__all__ = ["LATE", "Finding", "Level"]

LATE = timedelta(minutes=10)
"""How much later than it should something may happen before somebody is told."""


@dataclass(frozen=True)
class Finding:
    """One thing to look at. Both texts are sentences."""

    id: str
    level: Level
    problem: str
    hint: str
