"""The textbook interval of a rate: for showing one, at a moment chosen before.

Looked at daily, textbook sums sooner or later seem to show a difference where there is
none: verdicts come from `sequential`.
"""

from math import sqrt
from statistics import NormalDist

LEVEL = 0.95


def wilson(hits: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Give the interval of a rate (Wilson's score interval); 0 to 1 without visitors."""
    _count(hits, n)
    if not n:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, part = hits / n, z * z / n
    middle = (rate + part / 2) / (1 + part)
    half = z * sqrt(rate * (1 - rate) / n + part / (4 * n)) / (1 + part)
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == n else min(1.0, middle + half)
    return low, high


def _count(hits: int, n: int) -> None:
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no rate")
