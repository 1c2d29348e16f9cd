"""Made-up experiments by the thousand, and a seller who looks at each of them daily.

Visitors come and buy by a seeded generator of random numbers. A look is worth asking
about when the same bound, worked out for all looks at once, is nearly crossed there;
what is counted is the answer of the shop's own code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from handsel.analytics.stats import Arm, Metric, Plan, Verdict, judge
from handsel.analytics.stats.plan import share_of_error

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

NEARLY = 0.999


@dataclass(frozen=True)
class World:
    """How visitors of an experiment behave.

    Args:
        rate: of the control's visitors buy.
        traffic: visitors a day, in all variants.
        lifts: of the other variants, in buyers, or in what they pay if `dearer`.
        price: in minor units; amounts differ from it by `sigma` (lognormal).
        refunds: so many purchases are refunded within two weeks.
    """

    rate: float
    traffic: float
    days: int
    lifts: tuple[float, ...] = (0.0,)
    dearer: bool = False
    price: int = 2000
    sigma: float = 0.0
    refunds: float = 0.0
    shares: tuple[int, ...] = (1, 1)
    metric: Metric = Metric.CONVERSION


@dataclass
class Seen:
    """In how many experiments something was seen.

    Args:
        false: a variant was ever called better or worse.
        wrong: an interval ever missed the true uplift.
        days: of those in which the better variant was named, the day that was on.
    """

    experiments: int = 0
    false: int = 0
    wrong: int = 0
    days: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Looks:
    """All looks at some experiments: what each variant has by then."""

    world: World
    visitors: Counts
    buyers: Counts
    revenue: Counts
    squares: Counts

    def arms(self, experiment: int, day: int) -> list[Arm]:
        """Give what the seller is told on one day."""
        return [
            Arm(
                str(number),
                int(self.visitors[experiment, day, number]),
                int(self.buyers[experiment, day, number]),
                int(self.revenue[experiment, day, number]),
                int(self.squares[experiment, day, number]),
                share,
            )
            for number, share in enumerate(self.world.shares)
        ]


def watch(world: World, experiments: int, seed: int) -> Looks:
    """Let experiments run, each for all the days of its world."""
    rng = np.random.default_rng(seed)
    whole = sum(world.shares)
    shape = experiments, world.days
    visitors = np.stack(
        [rng.poisson(world.traffic * s / whole, shape) for s in world.shares], axis=2
    )
    lifts = np.array([0.0, *world.lifts])
    rates = world.rate * (1 + (0 if world.dearer else lifts))
    buyers = rng.binomial(visitors, rates)
    revenue = squares = buyers
    if world.metric is Metric.REVENUE:
        prices = world.price * (1 + (lifts if world.dearer else 0 * lifts))
        revenue, squares = _spend(world, buyers, prices, rng)
    kept = (np.cumsum(each, axis=1) for each in (visitors, buyers, revenue, squares))
    return Looks(world, *kept)


def peek(looks: Looks, plan: Plan, seen: Seen) -> None:
    """Look at each experiment daily, to the end, and count what was said."""
    lifts = looks.world.lifts
    experiments = len(looks.visitors)
    seen.experiments += experiments
    for day, verdict in _said(looks, plan):
        if any(
            each.outcome in ("better", "worse") and lift == 0
            for each, lift in zip(verdict.figures[1:], lifts, strict=True)
        ):
            seen.false += 1
        best = 1 + int(np.argmax(lifts))
        if max(lifts) > 0 and verdict.winner == str(best):
            seen.days.append(day + 1)
    seen.wrong += len(list(_missed(looks, plan)))


def _said(looks: Looks, plan: Plan) -> Iterator[tuple[int, Verdict]]:
    """Give the first look at which something is said to differ, for each experiment."""
    for experiment, days in near(looks, plan, [0.0] * len(looks.world.lifts)):
        for day in days:
            verdict = judge(looks.arms(experiment, day), plan, looks.world.metric)
            if any(f.outcome in ("better", "worse") for f in verdict.figures):
                yield day, verdict
                break


def _missed(looks: Looks, plan: Plan) -> Iterator[int]:
    """Give the experiments in which an interval that counts ever missed the truth."""
    lifts = looks.world.lifts
    for experiment, days in near(looks, plan, list(lifts)):
        for day in days:
            verdict = judge(looks.arms(experiment, day), plan, looks.world.metric)
            pairs = zip(verdict.figures[1:], lifts, strict=True)
            if verdict.state != "too early" and any(
                each.low is not None
                and not each.low
                <= lift
                <= (each.high if each.high is not None else 9e9)
                for each, lift in pairs
            ):
                yield experiment
                break


def near(looks: Looks, plan: Plan, at: list[float]) -> Iterator[tuple[int, list[int]]]:
    """Give the days on which an uplift is nearly excluded, of the experiments with any."""
    crossed = np.zeros(looks.visitors.shape[:2], bool)
    for other, uplift in enumerate(at, start=1):
        crossed |= _crossed(looks, plan, other, 1 + uplift)
    for experiment in np.flatnonzero(crossed.any(axis=1)):
        yield int(experiment), [int(day) for day in np.flatnonzero(crossed[experiment])]


def _crossed(looks: Looks, plan: Plan, other: int, ratio: float) -> npt.NDArray[Any]:
    if looks.world.metric is Metric.REVENUE:
        total, squares = looks.revenue, looks.squares
    else:
        total, squares = looks.buyers, looks.buyers
    n, s, q = (
        [each[:, :, number].astype(float) for number in (0, other)]
        for each in (looks.visitors, total, squares)
    )
    with np.errstate(all="ignore"):
        own = [_variance(*each) / each[0] for each in zip(n, s, q, strict=True)]
        common = _variance(sum(n), sum(s), sum(q))
        doubt = common * (1 / n[0] + 1 / n[1]) > own[0] + own[1]
        noise = [np.where(doubt, common / m, o) for m, o in zip(n, own, strict=True)]
        away = s[1] / n[1] - ratio * s[0] / n[0]
        far = away**2 / (noise[1] + ratio**2 * noise[0])
        return np.asarray(far > NEARLY * _bound(n, plan), bool)


def _variance(n: Any, total: Any, squares: Any) -> Any:
    return (squares - total**2 / n) / (n - 1)


def _bound(n: list[Numbers], plan: Plan) -> Numbers:
    alpha = share_of_error(plan.variants)
    ratio = 1.0
    for _ in range(50):
        ratio = float(np.log1p(ratio) - 2 * np.log(alpha))
    seen = n[0] * n[1] / (n[0] + n[1])
    tuning = plan.visitors / 2 / ratio
    return np.asarray((1 + tuning / seen) * np.log((1 + seen / tuning) / alpha**2))


def _spend(
    world: World, buyers: Counts, prices: Numbers, rng: np.random.Generator
) -> tuple[Counts, Counts]:
    """Let buyers pay, each an amount of their own, and some get it back days later."""
    count = int(buyers.sum())
    place = np.repeat(np.arange(buyers.size), buyers.ravel())
    variant = place % buyers.shape[2]
    day = place // buyers.shape[2] % world.days
    scatter = np.exp(world.sigma * rng.standard_normal(count) - world.sigma**2 / 2)
    paid = np.rint(prices[variant] * scatter)
    wait = rng.integers(0, 15, count)
    back = (rng.random(count) < world.refunds) & (day + wait < world.days)
    later = place[back] + wait[back] * buyers.shape[2]
    sums = []
    for amounts in (paid, paid**2):
        sold = np.bincount(place, amounts, buyers.size)
        sold -= np.bincount(later, amounts[back], buyers.size)
        sums.append(np.rint(sold).astype(np.int64).reshape(buyers.shape))
    return sums[0], sums[1]


def alike(world: World, **changes: Any) -> World:
    """Give a world that differs in a few things."""
    return replace(world, **changes)
