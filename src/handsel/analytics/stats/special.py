"""Functions of mathematics that Python's library does not have."""

from collections.abc import Iterator
from itertools import count
from math import exp, lgamma, log, log1p, pi, sqrt

_EXACT = 1e-16
_TINY = 1e-300
_STEPS = 100_000


def stirling_rest(z: float) -> float:
    """Give what Stirling's formula lacks of the logarithm of gamma, for z above zero."""
    if z < 12:
        return lgamma(z) - (z - 0.5) * log(z) + z - 0.5 * log(2 * pi)
    square = 1 / (z * z)
    tail = 1 / 1260 - square * (1 / 1680 - square / 1188)
    return (1 / 12 - square * (1 / 360 - square * tail)) / z


def divergence(weight: float, expected: float) -> float:
    """Give weight * log(weight / expected) less the difference of both; never below zero.

    Over shares of one whole the differences add up to nothing. Leaving them out keeps
    the digits where large numbers are near to each other.
    """
    away = weight - expected
    part = away / expected
    return weight * (log1p(part) if part > -0.5 else log(weight / expected)) - away


def beta_weight(a: float, b: float, x: float, rest: float) -> float:
    """Give x^a (1 - x)^b / B(a, b): the beta density over the logits of x.

    Args:
        rest: 1 - x; given, because it can be far smaller than what x can tell apart.
    """
    if x <= 0 or rest <= 0:
        return 0.0
    whole = a + b
    # Measured from the mean: the large logarithms cancel before they cost digits.
    away = -divergence(a, whole * x) - divergence(b, whole * rest)
    scale = stirling_rest(whole) - stirling_rest(a) - stirling_rest(b)
    return sqrt(a / whole * b / (2 * pi)) * exp(away + scale)


def beta_below(a: float, b: float, x: float, rest: float) -> float:
    """Give the regularised incomplete beta function I(a, b) at x; `rest` is 1 - x."""
    front = beta_weight(a, b, x, rest)
    if front == 0:
        return float(x > a / (a + b))
    if x < (a + 1) / (a + b + 2):
        return front / a / _fraction(_beta_terms(a, b, x), 1.0)
    return 1 - front / b / _fraction(_beta_terms(b, a, rest), 1.0)


def _beta_terms(a: float, b: float, x: float) -> Iterator[tuple[float, float]]:
    for n in count():
        yield -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1)), 1.0
        m = n + 1
        yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0


def _fraction(terms: Iterator[tuple[float, float]], first: float) -> float:
    """Work out a continued fraction by Lentz's method.

    Args:
        terms: pairs of what stands above and beside each next line.
        first: what stands before the first line.
    """
    value = above = first or _TINY
    below = 0.0
    for (top, side), _ in zip(terms, range(_STEPS), strict=False):
        below = 1 / (side + top * below or _TINY)
        above = side + top / above or _TINY
        value *= above * below
        if abs(above * below - 1) < 2 * _EXACT:
            break
    return value
