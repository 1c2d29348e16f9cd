"""What the doctor says: an id that stays, how bad it is, what is so, what to do."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

LATE = timedelta(minutes=10)
"""How much later than it should something may happen before somebody is told."""


class Level(StrEnum):
    """How bad a finding is; an error means that the shop cannot work or loses money."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One thing to look at. Both texts are sentences."""

    id: str
    level: Level
    problem: str
    hint: str
