"""Textbook sums: right for whoever looks once, at a moment chosen before.

Looked at daily, one in four experiments without any difference would sooner or later
seem to show one: verdicts come from `sequential`.
"""

from math import erfc, inf, sqrt
from statistics import NormalDist

from handsel.analytics.stats.moments import Sample
from handsel.analytics.stats.special import chi_square_above, student_outside

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


def newcombe(
    hits: int, n: int, other_hits: int, other_n: int, level: float = LEVEL
) -> tuple[float, float]:
    """Give the interval of how much higher the other rate is (Newcombe's method 10)."""
    low, high = wilson(hits, n, level)
    other_low, other_high = wilson(other_hits, other_n, level)
    rate = hits / n if n else 0.5
    other = other_hits / other_n if other_n else 0.5
    below = sqrt((other - other_low) ** 2 + (high - rate) ** 2)
    above = sqrt((other_high - other) ** 2 + (rate - low) ** 2)
    return other - rate - below, other - rate + above


def rates_differ(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """Give the p-value of two equal rates (z-test, pooled); 1 where nothing is known."""
    _count(hits, n)
    _count(other_hits, other_n)
    if not n or not other_n:
        return 1.0
    pooled = (hits + other_hits) / (n + other_n)
    spread = sqrt(pooled * (1 - pooled) * (1 / n + 1 / other_n))
    return erfc(_over(other_hits / other_n - hits / n, spread) / sqrt(2))


def means_differ(one: Sample, other: Sample) -> float:
    """Give the p-value of two equal means (Welch); 1 for fewer than two visitors."""
    if min(one.n, other.n) < 2:
        return 1.0
    parts = [(each.variance / each.n, each.n - 1) for each in (one, other)]
    spread = sum(part for part, _ in parts)
    t = _over(other.mean - one.mean, sqrt(spread))
    if t in (0, inf):
        return float(t == 0)
    # As parts of the whole: the squares of large amounts would not fit into a float.
    freedom = 1 / sum((part / spread) ** 2 / n for part, n in parts)
    return student_outside(t, freedom)


def shares_differ(counts: list[int], shares: list[int]) -> float:
    """Give the p-value of visitors being split as they were meant to (chi-square)."""
    whole, visitors = sum(shares), sum(counts)
    if not visitors:
        return 1.0
    expected = [visitors * share / whole for share in shares]
    found = sum((n - e) ** 2 / e for n, e in zip(counts, expected, strict=True))
    return chi_square_above(found, len(counts) - 1)


def _count(hits: int, n: int) -> None:
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no rate")


def _over(difference: float, spread: float) -> float:
    if spread:
        return abs(difference) / spread
    return inf if difference else 0.0
