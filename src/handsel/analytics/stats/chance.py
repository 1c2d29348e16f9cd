"""How likely each variant is the best of all, as far as is known by now.

What was believed before is that every rate is as likely as any other; of revenue per
visitor nothing at all. Such a chance is no verdict: whoever waits for 95 % will see it
much more often than in 5 % of the experiments without a difference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import erf, exp, hypot, inf, log, sqrt

from handsel.analytics.stats.moments import Arm, Metric, Sample
from handsel.analytics.stats.special import beta_below, beta_weight

_FINEST = 1000
_LARGE = 100_000


@dataclass(frozen=True)
class _Normal:
    """A value of which the middle and the spread are known."""

    middle: float
    spread: float

    def reach(self) -> tuple[float, float]:
        return self.middle - 7.5 * self.spread, self.middle + 7.5 * self.spread

    def density(self, at: float) -> float:
        z = (at - self.middle) / self.spread
        return exp(-z * z / 2)

    def below(self, at: float) -> float:
        if not self.spread:
            return (1 + (at > self.middle) - (at < self.middle)) / 2
        return (1 + erf((at - self.middle) / self.spread / sqrt(2))) / 2


@dataclass(frozen=True)
class _Beta:
    """A rate of which so many hits and misses are known, as log(rate / (1 - rate)).

    There no rate is near an edge, and sums over equal steps are as good as exact.
    """

    a: float
    b: float
    middle: float
    spread: float

    def reach(self) -> tuple[float, float]:
        below, above = (max(7.5 * self.spread, 40 / each) for each in (self.a, self.b))
        return self.middle - below, self.middle + above

    def density(self, at: float) -> float:
        return beta_weight(self.a, self.b, *_rate(at))

    def below(self, at: float) -> float:
        return beta_below(self.a, self.b, *_rate(at))


_Belief = _Normal | _Beta


def chances(arms: Sequence[Arm], metric: Metric) -> list[float]:
    """Say for each variant how likely it is the best; together they give 1.

    Rates are exact, up to 100,000 buyers and as many who did not buy; beyond that, and
    for revenue, the mean of what is to be known is normal.
    """
    beliefs: list[_Belief] = []
    for arm in arms:
        belief = _of_rate(arm) if metric is Metric.CONVERSION else _of_mean(arm)
        if belief is None:
            return [1 / len(arms)] * len(arms)
        beliefs.append(belief)
    if len(beliefs) == 2:
        # From the one that is better known: there the sum is short.
        known = min((0, 1), key=lambda number: beliefs[number].spread)
        chance = _is_best(beliefs[known], beliefs)
        return [chance, 1 - chance] if known == 0 else [1 - chance, chance]
    found = [_is_best(each, beliefs) for each in beliefs]
    whole = sum(found)
    return [each / whole for each in found] if whole else [1 / len(arms)] * len(arms)


def _of_rate(arm: Arm) -> _Belief:
    a, b = arm.buyers + 1, arm.visitors - arm.buyers + 1
    if min(a, b) > _LARGE:
        return _Normal(log((a - 0.5) / (b - 0.5)), sqrt(1 / a + 1 / b))
    return _Beta(a, b, log(a / b), sqrt(1 / a + 1 / b))


def _of_mean(arm: Arm) -> _Belief | None:
    sample: Sample = arm.sample(Metric.REVENUE)
    if sample.n < 2:
        return None
    return _Normal(sample.mean, sqrt(sample.variance / sample.n))


def _is_best(one: _Belief, all_of_them: Sequence[_Belief]) -> float:
    """Add up over all values of one how likely every other is below it."""
    others = [each for each in all_of_them if each is not one]
    if not one.spread:
        return _all_below(others, one.middle)
    if len(others) == 1 and isinstance(one, _Normal) and isinstance(others[0], _Normal):
        spread = hypot(one.spread, others[0].spread)
        return _Normal(others[0].middle, spread).below(one.middle)
    finest = min((each.spread for each in all_of_them if each.spread), default=inf)
    # Sums over steps of a third of a spread are exact to more digits than floats have.
    step = min(one.spread / 3, finest / 2)
    low, high = one.reach()
    step = max(step, (high - low) / _FINEST)
    found = whole = 0.0
    for at in _steps(low, high, step):
        density = one.density(at)
        whole += density
        if density > 1e-18:
            found += density * _all_below(others, at)
    return found / whole


def _all_below(others: Sequence[_Belief], at: float) -> float:
    product = 1.0
    for each in others:
        product *= each.below(at)
        if product < 1e-18:
            return 0.0
    return product


def _steps(low: float, high: float, step: float) -> Iterator[float]:
    for number in range(int((high - low) / step) + 1):
        yield low + number * step


def _rate(logit: float) -> tuple[float, float]:
    """Give a rate and what is left of 1, neither of them by a difference."""
    if logit < 0:
        rest = 1 / (1 + exp(logit))
        return exp(logit) * rest, rest
    rate = 1 / (1 + exp(-logit))
    return rate, exp(-logit) * rate
