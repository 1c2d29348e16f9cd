"""Sellers look at their experiments every day, and stop when they like what they see.

Each line says of 10,000 experiments in how many, in percent, a variant that does not differ was
ever called better or worse (`false`), an interval ever missed the truth (`wrong`), and
the better variant was named by the planned end (`found`). `once` is `false` for whoever
looks daily at a test that is made for one look.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from handsel.analytics.stats import Metric, Plan, judge, plan_price, plan_rate
from handsel.analytics.stats.plan import plan_revenue
from handsel.analytics.stats.split import SUSPICIOUS, split_looks
from tests.faults.peeking import Looks, Seen, World, alike, near, peek, watch
from tests.ground.cases import Say

EXPERIMENTS = 10_000
BATCH = 500

SELLING = World(0.02, 200, 100, metric=Metric.REVENUE, sigma=1, refunds=0.1)
"""Amounts that differ much: one of a hundred pays six times the mean or more."""


def test_no_look_at_which_something_is_said_is_left_out() -> None:
    world = alike(SELLING, rate=0.2, days=20, lifts=(0.5,))
    looks, plan = watch(world, 40, seed=1), Plan(1400, 0.2)
    asked = {(number, day) for number, days in near(looks, plan, [0.0]) for day in days}
    said = {
        (number, day)
        for number in range(40)
        for day in range(world.days)
        if judge(looks.arms(number, day), plan, world.metric).figures[1].outcome
        in ("better", "worse")
    }

    assert said
    assert said <= asked


def stormy(world: World, plan: Plan, seed: int = 1) -> tuple[Seen, float]:
    """Run 10,000 experiments, and say how often the textbook would have been wrong."""
    seen, once = Seen(), 0
    for batch in range(EXPERIMENTS // BATCH):
        looks = watch(world, BATCH, seed * 1000 + batch)
        peek(looks, plan, seen)
        once += textbook(looks)
    return seen, once / EXPERIMENTS


def textbook(looks: Looks) -> int:
    """Count the experiments in which a test for one look ever says 95 % (z-test)."""
    total, squares = looks.revenue.astype(float), looks.squares.astype(float)
    n = looks.visitors
    with np.errstate(all="ignore"):
        noise = (squares / n - (total / n) ** 2) / n
        away = (total / n)[:, :, 1:] - (total / n)[:, :, :1]
        z = away / np.sqrt(noise[:, :, 1:] + noise[:, :, :1])
    return int((np.abs(z) > 1.96).any(axis=(1, 2)).sum())


def percent(part: float) -> float:
    """Give a part in percent, for a line."""
    return round(100 * part, 2)


# How two variants that do not differ were compared: by rate, visitors a day, and days
# that are planned; all are looked at for a hundred days.
ALIKE: dict[str, tuple[World, int]] = {
    **{
        f"rate={rate:.1%} daily={daily}": (World(rate, daily, 100), 14)
        for rate in (0.005, 0.02, 0.1, 0.5)
        for daily in (20, 200, 2000)
    },
    "early": (World(0.02, 200, 100), 3),
    "late": (World(0.02, 200, 100), 90),
    "four variants": (World(0.05, 400, 100, (0, 0, 0), shares=(1, 1, 1, 1)), 14),
    "4 to 1": (World(0.02, 200, 100, shares=(4, 1)), 14),
    "1 to 4": (World(0.02, 200, 100, shares=(1, 4)), 14),
    **{
        f"revenue rate={rate:.1%} daily={daily}": (
            alike(SELLING, rate=rate, traffic=daily),
            14,
        )
        for rate, daily in ((0.005, 200), (0.02, 200), (0.02, 2000), (0.1, 20))
    },
    "revenue wild": (alike(SELLING, rate=0.1, sigma=1.5), 14),
    "revenue one price": (alike(SELLING, sigma=0), 14),
    "revenue 4 to 1": (alike(SELLING, rate=0.05, shares=(4, 1)), 14),
}


@pytest.mark.storm
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ALIKE)
def test_of_variants_that_do_not_differ_none_is_called_better(
    name: str, say: Say
) -> None:
    world, days = ALIKE[name]
    plan = Plan(int(world.traffic * days / len(world.shares)), 0.2, len(world.shares))
    seen, once = stormy(world, plan)
    say(
        "P33",
        alike=name.replace(" ", "_"),
        experiments=seen.experiments,
        false=percent(seen.false / EXPERIMENTS),
        wrong=percent(seen.wrong / EXPERIMENTS),
        once=percent(once),
    )

    assert seen.false <= 0.05 * EXPERIMENTS
    assert seen.wrong <= 0.05 * EXPERIMENTS


def planned() -> Iterator[tuple[str, World, Plan]]:
    """Experiments with a difference of the size they were planned for, over 28 days."""
    rate = World(0.02, 1, 28)
    for part, lift in ((0.005, 0.5), (0.02, 0.2), (0.1, 0.1), (0.5, 0.05)):
        world = alike(rate, rate=part, lifts=(lift,))
        yield f"rate={part:.1%}", world, plan_rate(part, lift)
    yield "two weeks", alike(rate, lifts=(0.3,), days=14), plan_rate(0.02, 0.3)
    price = alike(rate, metric=Metric.REVENUE)
    four = alike(price, lifts=(0, 0.3, 0), dearer=True, shares=(1, 1, 1, 1))
    yield "one of four", four, plan_price(0.02, price.price, 0.3, 4)
    one = plan_price(0.02, price.price, 0.25)
    yield "one price, more buyers", alike(price, lifts=(0.25,)), one
    yield "higher price", alike(price, lifts=(0.25,), dearer=True), one
    wild = alike(price, rate=0.05, sigma=1.0)
    mean, square = 0.05 * 2000, 0.05 * 2000**2 * float(np.exp(1.0))
    spread = plan_revenue(mean, (square - mean**2) ** 0.5, 0.3)
    yield "amounts that differ", alike(wild, lifts=(0.3,)), spread
    yield "all dearer", alike(wild, lifts=(0.3,), dearer=True), spread


@pytest.mark.storm
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "world", "plan"), list(planned()), ids=[name for name, *_ in planned()]
)
def test_a_planned_difference_is_found_as_often_as_promised(
    name: str, world: World, plan: Plan, say: Say
) -> None:
    world = alike(world, traffic=plan.total / world.days)
    seen, _ = stormy(world, plan, seed=2)
    say(
        "P33",
        differ=name.replace(" ", "_"),
        lift=max(world.lifts),
        visitors=plan.total,
        found=percent(len(seen.days) / EXPERIMENTS),
        days=f"{np.median(seen.days):.0f}/{world.days}",
        false=percent(seen.false / EXPERIMENTS),
        wrong=percent(seen.wrong / EXPERIMENTS),
    )

    assert 0.8 * EXPERIMENTS <= len(seen.days) <= 0.92 * EXPERIMENTS
    assert seen.false + seen.wrong <= 0.05 * EXPERIMENTS


FAR: dict[str, World] = {
    "half more buyers": World(0.02, 400, 100, (0.5,)),
    "half the buyers": World(0.02, 400, 100, (-0.5,)),
    "half dearer": alike(SELLING, traffic=400, lifts=(0.5,), dearer=True),
    "half dearer, 4 to 1": alike(
        SELLING, rate=0.1, lifts=(0.5,), dearer=True, shares=(4, 1)
    ),
    "half the price": alike(SELLING, traffic=400, lifts=(-0.5,), dearer=True),
}


@pytest.mark.storm
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", FAR)
def test_intervals_hold_the_truth_at_all_times(name: str, say: Say) -> None:
    world = FAR[name]
    seen, _ = stormy(world, Plan(int(world.traffic * 7), 0.2), seed=3)
    say(
        "P33",
        differ=name.replace(" ", "_"),
        experiments=seen.experiments,
        wrong=percent(seen.wrong / EXPERIMENTS),
    )

    assert seen.wrong <= 0.05 * EXPERIMENTS


@pytest.mark.storm
@pytest.mark.timeout(900)
def test_an_honest_split_is_suspected_once_in_a_thousand(say: Say) -> None:
    rng = np.random.default_rng(4)
    suspected, found = 0, []
    for number in range(EXPERIMENTS):
        shares = [(1, 1), (1, 1, 1), (9, 1)][number % 3]
        meant = np.array(shares) / sum(shares)
        daily = rng.multinomial(rng.choice([20, 200, 2000]), meant, 100).cumsum(0)
        suspected += any(split_looks(n, shares) < SUSPICIOUS for n in daily.tolist())
    for _ in range(EXPERIMENTS // 10):
        daily = rng.multinomial(1000, [0.52, 0.48], 100).cumsum(0).tolist()
        days = [split_looks(n, (1, 1)) < SUSPICIOUS for n in daily]
        found.append(days.index(True) + 1 if True in days else 101)
    say(
        "P33",
        split="honest",
        experiments=EXPERIMENTS,
        suspected=percent(suspected / EXPERIMENTS),
        found_52_to_48=f"{np.median(found):.0f}000",
    )

    assert suspected <= 0.001 * EXPERIMENTS
    assert np.median(found) <= 30
