"""What follows from the counts: a state and numbers; the words are `verdicts`'."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from handsel.analytics.stats.chance import chances
from handsel.analytics.stats.classic import wilson
from handsel.analytics.stats.moments import Arm, Metric, Sample
from handsel.analytics.stats.plan import SLOWEST, Plan, share_of_error
from handsel.analytics.stats.sequential import (
    LEAST_BUYERS,
    Comparison,
    compare,
    noises,
    seen_until,
    together,
)
from handsel.analytics.stats.split import SUSPICIOUS, split_looks


class Outcome(StrEnum):
    """How a variant stands against the control."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    OPEN = "open"


class State(StrEnum):
    """What is to be done."""

    WRONG_SPLIT = "split looks wrong"
    TOO_EARLY = "too early"
    KEEP_RUNNING = "keep running"
    SHIP = "ship"
    NO_DIFFERENCE = "no difference"
    CONTROL_STAYS = "control stays"


@dataclass(frozen=True)
class Figures:
    """What is known of one variant.

    Args:
        rate: buyers by visitors; `rate_low` and `rate_high` hold it 95 times of 100, for
            who looks once.
        revenue: by visitor, in minor units.
        chance: of being the best of all; no verdict.
        uplift: against the control, 0.1 is 10 % more; None for the control itself, and
            where it brings nothing. `low` and `high` hold at all times, for all variants;
            None where there is no such bound.
        outcome: None for the control.
    """

    name: str
    visitors: int
    buyers: int
    rate: float
    rate_low: float
    rate_high: float
    revenue: float
    chance: float
    uplift: float | None = None
    low: float | None = None
    high: float | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Verdict:
    """What an experiment says by now.

    Args:
        figures: the control first.
        winner: the variant to ship.
        lift: the smallest that was planned for.
        visitors_left: of all variants, about, as it looks now; 0 when it is over, None
            where nobody can say.
        days_left: the same in days, where the visitors of a day are known.
        split_p: the always-valid p-value of the split.
        past: whether as many visitors have come as were planned.
    """

    state: State
    metric: Metric
    figures: tuple[Figures, ...]
    winner: str | None
    lift: float
    visitors_left: int | None
    days_left: int | None
    split_p: float
    past: bool


def judge(
    arms: Sequence[Arm], plan: Plan, metric: Metric, *, daily: float = 0
) -> Verdict:
    """Say what the counts show. Safe to be asked every day, and to stop by.

    Args:
        arms: the control first; as many as were planned, each with a name of its own.
        daily: visitors a day in all variants; 0 where that is not known.
    """
    if not len(arms) == len({arm.name for arm in arms}) == plan.variants:
        raise ValueError(f"{plan} has other variants than {arms}")
    split_p = split_looks([a.visitors for a in arms], [a.share for a in arms])
    samples = [arm.sample(metric) for arm in arms]
    least = _least_buyers(samples, metric)
    enough = least >= LEAST_BUYERS
    found = [
        compare(
            samples[0],
            other,
            planned=plan.visitors,
            alpha=share_of_error(plan.variants),
        )
        for other in samples[1:]
    ]
    outcomes = [_outcome(each, plan.lift) if enough else Outcome.OPEN for each in found]
    state = _state(outcomes, enough) if split_p >= SUSPICIOUS else State.WRONG_SPLIT
    left: int | None = 0
    if state is State.KEEP_RUNNING:
        left = _left(samples, found, outcomes, plan)
    elif state is State.TOO_EARLY:
        left = _left_for_buyers(samples, least, plan)
    return Verdict(
        state=state,
        metric=metric,
        figures=_figures(arms, found, outcomes, metric),
        winner=_winner(arms, found, outcomes) if state is State.SHIP else None,
        lift=plan.lift,
        visitors_left=left,
        days_left=_days(left, daily),
        split_p=split_p,
        past=sum(arm.visitors for arm in arms) >= plan.total,
    )


def _days(left: int | None, daily: float) -> int | None:
    return ceil(left / daily) if left is not None and daily >= SLOWEST else None


def _least_buyers(samples: Sequence[Sample], metric: Metric) -> float:
    """Give the buyers the smallest variant could expect, were there no difference.

    Those it could expect, not those it has: a variant that nobody can buy in is found.
    Where nearly all buy, those who do not are what is counted.
    """
    whole = sum(samples[1:], samples[0])
    weight = whole.weight
    if metric is Metric.CONVERSION:
        weight = min(whole.total, whole.n - whole.total)
    return weight * min(sample.n for sample in samples) / whole.n if whole.n else 0.0


def _outcome(found: Comparison, lift: float) -> Outcome:
    if found.low > 0:
        return Outcome.BETTER
    if found.high < 0:
        return Outcome.WORSE
    low, high = found.uplift_low, found.uplift_high
    if low is not None and high is not None and -lift <= low and high <= lift:
        return Outcome.SAME
    return Outcome.OPEN


def _state(outcomes: Sequence[Outcome], enough: bool) -> State:
    if not enough:
        return State.TOO_EARLY
    if Outcome.BETTER in outcomes:
        return State.SHIP
    if Outcome.OPEN in outcomes:
        return State.KEEP_RUNNING
    if Outcome.SAME in outcomes:
        return State.NO_DIFFERENCE
    return State.CONTROL_STAYS


def _winner(
    arms: Sequence[Arm], found: Sequence[Comparison], outcomes: Sequence[Outcome]
) -> str:
    """Name the best of those that are better than the control."""
    all_of_them = zip(arms[1:], found, outcomes, strict=True)
    better = [(f.difference, a.name) for a, f, o in all_of_them if o is Outcome.BETTER]
    return max(better)[1]


def _left(
    samples: Sequence[Sample],
    found: Sequence[Comparison],
    outcomes: Sequence[Outcome],
    plan: Plan,
) -> int | None:
    """Estimate the visitors until it is decided: by the first winner, or by the last."""
    seen = sum(sample.n for sample in samples)
    planned = plan.total - seen
    if samples[0].mean <= 0:
        return planned if planned > 0 else None
    factors = [
        _factor(samples[0], other, comparison, plan)
        for other, comparison, outcome in zip(samples[1:], found, outcomes, strict=True)
        if outcome is Outcome.OPEN
    ]
    winning = [factor for factor, wins in factors if wins]
    factor = min(winning) if winning else max(factor for factor, _ in factors)
    left = max(1, ceil((factor - 1) * seen))
    return min(left, planned) if planned > 0 else left


def _left_for_buyers(samples: Sequence[Sample], least: float, plan: Plan) -> int | None:
    """Give the visitors until the planned size, or else until there are buyers enough."""
    seen = sum(sample.n for sample in samples)
    if plan.total > seen:
        return plan.total - seen
    return ceil((LEAST_BUYERS / least - 1) * seen) if least else None


def _factor(
    control: Sample, other: Sample, found: Comparison, plan: Plan
) -> tuple[float, bool]:
    """Say how many times the visitors it takes, and whether the variant then wins.

    The difference is thought of as smaller than it is, the more so the less is known:
    the first days' would else promise an early end.
    """
    planned, alpha = plan.visitors / 2, share_of_error(plan.variants)
    noise = sum(noises(control, other))
    worth = plan.lift * control.mean
    likely = found.difference * worth**2 / (worth**2 + noise) if noise else 0.0
    # Either it excludes no difference, or all those that are worth anything.
    target = max(abs(likely), worth - abs(likely))

    def enough(shrunk: float, bound: float) -> bool:
        return bound * noise * shrunk <= target**2

    seen = together(control.n, other.n)
    until = seen_until(seen, enough, planned, alpha)
    return until / seen, likely >= worth / 2


def _figures(
    arms: Sequence[Arm],
    found: Sequence[Comparison],
    outcomes: Sequence[Outcome],
    metric: Metric,
) -> tuple[Figures, ...]:
    against: list[tuple[Comparison | None, Outcome | None]] = [(None, None)]
    against += zip(found, outcomes, strict=True)
    best = chances(arms, metric)
    return tuple(
        _figure(arm, chance, metric, *each)
        for arm, chance, each in zip(arms, best, against, strict=True)
    )


def _figure(
    arm: Arm,
    chance: float,
    metric: Metric,
    found: Comparison | None,
    outcome: Outcome | None,
) -> Figures:
    low, high = wilson(arm.buyers, arm.visitors)
    least = found.uplift_low if found else None
    if least is not None and metric is Metric.CONVERSION:
        least = max(least, -1.0)  # fewer than nobody never buy
    return Figures(
        name=arm.name,
        visitors=arm.visitors,
        buyers=arm.buyers,
        rate=arm.sample(Metric.CONVERSION).mean,
        rate_low=low,
        rate_high=high,
        revenue=arm.sample(Metric.REVENUE).mean,
        chance=chance,
        uplift=found.uplift if found else None,
        low=least,
        high=found.uplift_high if found else None,
        outcome=outcome,
    )
