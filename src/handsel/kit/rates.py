"""How fast something may go, as people write it: `5/s`, `300/m`, `2000/h`; and for how
long."""

import re

from handsel.kit.errors import BadInputError

_RATE = re.compile(r"([1-9]\d{0,6}) ?/ ?(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def gap_us(text: str) -> int:
    """Give the microseconds from one to the next, at least 1; 0 for an empty text.

    Raises BadInputError for anything that is no rate.
    """
    if not text.strip():
        return 0
    found = _RATE.fullmatch(text.strip().lower())
    if not found:
        raise BadInputError(
            f"{text!r} is not a rate.", "Write it like 5/s, 300/m or 2000/h."
        )
    return max(1, _SECONDS[found[2]] * 1_000_000 // int(found[1]))


def rate_words(a_second: float) -> str:
    """Write a rate as `gap_us` takes it, in the unit where it is one or more."""
    for seconds, unit in ((1, "s"), (60, "m")):
        if a_second * seconds >= 1:
            return f"{a_second * seconds:.3g}/{unit}"
    return f"{a_second * 3600:.3g}/h"


def time_words(seconds: float) -> str:
    """Write how long something takes: `40 s`, `12 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
