"""Intervals that hold at all times at once, so that one may look every day and stop.

The normal mixture of Robbins (Howard and others, arXiv:1810.08240) with estimated
variances, an asymptotic confidence sequence (Waudby-Smith and others, arXiv:2103.06476);
as a test it is the mixture SPRT (Johari and others, arXiv:1512.04922). In an even split
it hardly needs large numbers to be safe: swapping two variants that do not differ changes
the sign of what each visitor adds, and such sums keep to a bound of this form whatever
visitors spend. Uneven splits need `noises` and LEAST_BUYERS: tests/faults/test_peeking.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, log1p, sqrt

from handsel.analytics.stats.moments import Sample

ALPHA = 0.05
"""In so many experiments of a hundred an interval is ever wrong, for all variants."""

LEAST_BUYERS = 20
"""So many buyers, or as good as so many equal ones, each variant must be able to expect."""


@dataclass(frozen=True)
class Comparison:
    """A variant beside the control: the difference, and the uplift as a part of it.

    Args:
        low: the least the difference of the means can be, `high` the most.
        uplift: None where the control brings nothing.
        uplift_low: None where nothing is known; `uplift_high` also where it has no bound.
    """

    difference: float
    low: float
    high: float
    uplift: float | None
    uplift_low: float | None
    uplift_high: float | None


def compare(
    control: Sample, other: Sample, *, planned: float, alpha: float
) -> Comparison:
    """Compare two variants, safe to be looked at again and again.

    Args:
        planned: the visitors of each that are planned; there the interval is narrowest
            for its time. Anything is safe, if it is chosen before the start.
        alpha: how often it may ever be wrong.
    """
    difference = other.mean - control.mean
    uplift = difference / control.mean if control.mean > 0 else None
    noise, other_noise = noises(control, other)
    if not noise + other_noise:
        # Where all are alike so far, nobody knows by how much they can differ.
        return Comparison(difference, -inf, inf, uplift, None, None)
    bound = squared_bound(together(control.n, other.n), planned / 2, alpha)
    half = sqrt(bound * (noise + other_noise))
    low, high = _uplift(control.mean, other.mean, bound * noise, bound * other_noise)
    return Comparison(
        difference, difference - half, difference + half, uplift, low, high
    )


def together(n: int, other_n: int) -> float:
    """Give the visitors that count in a comparison: half of each, where both are equal."""
    return n / (n + other_n) * other_n


def squared_bound(seen: float, planned: float, alpha: float) -> float:
    """Give the square of how many standard errors a difference may ever be away.

    It is narrowest for its time when as many are seen as are planned; well before that
    it is wide, which is what keeps small counts safe.
    """
    tuning = planned / _best_ratio(alpha)
    return (seen + tuning) / seen * (log1p(seen / tuning) - 2 * log(alpha))


def noises(control: Sample, other: Sample) -> tuple[float, float]:
    """Give the squared standard errors of both means; 0 where nothing is known of them.

    Of the own variance of each and the common one, what leaves more doubt: where one
    has few visitors and no buyer yet, its own variance would say that nobody ever buys.
    """
    if not control.n or not other.n:
        return 0.0, 0.0
    own = control.variance / control.n, other.variance / other.n
    common = (control + other).variance
    pooled = common / control.n, common / other.n
    return max(own, pooled, key=sum)


def seen_until(
    seen: float, enough: Callable[[float, float], bool], planned: float, alpha: float
) -> float:
    """Give the number of visitors that count from which on an interval is short enough.

    Args:
        enough: asked with the shrinking of the noise until then and the squared bound.
    """
    low, high = seen, seen
    for _ in range(60):
        if enough(seen / high, squared_bound(high, planned, alpha)):
            break
        low, high = high, 2 * high
    for _ in range(30):
        middle = (low + high) / 2
        if enough(seen / middle, squared_bound(middle, planned, alpha)):
            high = middle
        else:
            low = middle
    return high


def _best_ratio(alpha: float) -> float:
    """Solve x = log(1 + x) + 2 log(1 / alpha): size over tuning of the narrowest bound."""
    found = 1.0
    for _ in range(40):
        found = log1p(found) - 2 * log(alpha)
    return found


def _uplift(
    mean: float, other: float, noise: float, other_noise: float
) -> tuple[float | None, float | None]:
    """Give all uplifts that are not ruled out (Fieller): each is a test of its own.

    The interval agrees with that of the difference: both hold 0, or neither does.

    Args:
        noise: the squared standard error of the mean, times the squared bound.
    """
    if mean <= 0:
        return None, None
    # In units of the control's mean, so that squares of large amounts fit.
    ratio, doubt, other_doubt = other / mean, noise / mean**2, other_noise / mean**2
    root = sqrt(max(0.0, ratio**2 * doubt + other_doubt * (1 - doubt)))
    if doubt < 1:
        return (ratio - root) / (1 - doubt) - 1, (ratio + root) / (1 - doubt) - 1
    # The control may bring nothing at all: at best there is a least uplift.
    if ratio > 0 and ratio**2 > other_doubt:
        return (ratio**2 - other_doubt) / (ratio + root) - 1, None
    return None, None
