"""What it was measured on, and how much of that other programs took."""

import os
import platform
import resource
import sys
import time

import psutil

from handsel import __version__
from handsel.models.database import SQLITE

BUSY = 0.1
"""Above this share taken by others, absolute times say little."""


def facts() -> dict[str, str | int]:
    """Say what this is measured on."""
    return {
        "handsel": __version__,
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{sys.implementation.name} {platform.python_version()}",
        "sqlite": str(SQLITE.sqlite_version),
    }


def heading() -> str:
    """Say it in one line."""
    return (
        "Handsel {handsel} on {cores} cores, {system}, {python}, SQLite {sqlite}"
    ).format(**facts())


class Others:
    """Watches how much of the machine is taken by programs that are not ours."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._all = _all_seconds()
        self._ours = _our_seconds()

    def share(self) -> float:
        """Give the share of all cores, 0 to 1, since this was made.

        Right when every process we started has ended.
        """
        others = (_all_seconds() - self._all) - (_our_seconds() - self._ours)
        capacity = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        return min(1.0, max(0.0, others / capacity))


def _all_seconds() -> float:
    spent = psutil.cpu_times()
    return float(sum(spent) - spent.idle - getattr(spent, "iowait", 0.0))


def _our_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    spent = [resource.getrusage(kind) for kind in kinds]
    return sum(each.ru_utime + each.ru_stime for each in spent)
