"""What the doctor says: an id that stays, how bad it is, what is so, what to do."""

from dataclasses import dataclass
from enum import StrEnum


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
