"""Intervals that hold at all times, the size that is planned, and the seller who peeks."""

from math import e, inf, log, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special as far_special

from handsel.analytics.stats import (
    Metric,
    Plan,
    Sample,
    plan_price,
    plan_rate,
    plan_revenue,
)
from handsel.analytics.stats.plan import share_of_error
from handsel.analytics.stats.sequential import (
    compare,
    noises,
    seen_until,
    squared_bound,
    together,
)
from handsel.kit.errors import BadInputError
from tests.faults.peeking import Seen, World, peek, watch

alphas = st.floats(0.001, 0.2)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """What some visitors brought."""
    n = draw(st.integers(1, 10**6))
    values = draw(st.lists(st.integers(-300, 20_000), max_size=min(n, 20)))
    times = draw(st.integers(1, max(1, n // 20)))
    squares = sum(value**2 for value in values)
    return Sample(n, times * sum(values), times * squares)


@given(st.floats(0.5, 1e7), st.floats(0.5, 1e7), alphas)
def test_the_bound_is_that_of_the_normal_mixture(
    seen: float, planned: float, alpha: float
) -> None:
    # rho of Howard and others, section 3.6, by the lower branch of Lambert's W.
    rho = planned / -(1 + far_special.lambertw(-(alpha**2) / e, -1).real)
    expected = (seen + rho) / seen * log((seen + rho) / (rho * alpha**2))
    # Waudby-Smith and others, theorem 2.2, with rho squared being 1 / rho here.
    square = 1 / rho
    inner = 2 * (seen * square + 1) / (seen**2 * square)
    half = sqrt(inner * log(sqrt(seen * square + 1) / alpha))

    assert squared_bound(seen, planned, alpha) == pytest.approx(expected, rel=1e-9)
    assert half * sqrt(seen) == pytest.approx(sqrt(expected), rel=1e-9)


@given(st.floats(2, 1e6), st.floats(0.2, 5), alphas)
def test_it_is_narrowest_where_it_is_planned_to_be(
    planned: float, other: float, alpha: float
) -> None:
    assume(abs(other - 1) > 0.01)
    best = squared_bound(planned, planned, alpha)
    assert best < squared_bound(planned, planned * other, alpha)


@given(samples(), samples(), st.floats(-0.99, 5))
def test_an_uplift_is_in_the_interval_unless_a_test_rules_it_out(
    control: Sample, other: Sample, uplift: float
) -> None:
    found = compare(control, other, planned=5000, alpha=0.05)
    if found.uplift_low is None:
        return
    ratio = 1 + uplift
    bound = squared_bound(together(control.n, other.n), 2500, 0.05)
    noise, other_noise = noises(control, other)
    far = (other.mean - ratio * control.mean) ** 2
    near = bound * (other_noise + ratio**2 * noise)
    assume(abs(far - near) > 1e-9 * near)
    high = inf if found.uplift_high is None else found.uplift_high

    assert (found.uplift_low <= uplift <= high) is (far < near)


@given(samples(), samples())
def test_both_intervals_say_the_same_of_no_difference(
    control: Sample, other: Sample
) -> None:
    found = compare(control, other, planned=5000, alpha=0.05)
    assume(min(abs(found.low), abs(found.high)) > 1e-9 * abs(found.high - found.low))

    assert found.low <= found.difference <= found.high
    if found.uplift_low is not None:
        assert (found.uplift_low > 0) is (found.low > 0)
    if found.uplift_high is not None:
        assert (found.uplift_high < 0) is (found.high < 0)


def test_a_variant_without_buyers_is_not_taken_for_a_certain_nothing() -> None:
    control, nobody = Sample(9000, 18, 18), Sample(1000, 0, 0)
    own, other = noises(control, nobody)
    assert nobody.variance == 0
    assert other > 5 * own > 0


def test_of_nobody_and_of_no_difference_at_all_nothing_is_known() -> None:
    for pair in ((0, 5), (5, 0), (0, 0), (5, 5)):
        control, other = (Sample(n, n, n) for n in pair)
        found = compare(control, other, planned=5, alpha=0.05)
        assert (found.low, found.high) == (-inf, inf)
        assert found.uplift_low is found.uplift_high is None


def test_a_control_near_nothing_leaves_only_a_least_uplift() -> None:
    found = compare(Sample(1000, 3, 3), Sample(1000, 80, 80), planned=1000, alpha=0.05)
    assert found.uplift_low is not None
    assert found.uplift_low > 0
    assert found.uplift_high is None
    less = compare(Sample(1000, 3, 3), Sample(1000, 5, 5), planned=1000, alpha=0.05)
    assert less.uplift == pytest.approx(2 / 3)
    assert less.uplift_low is less.uplift_high is None
    lost = compare(Sample(99, -5, 25), Sample(99, 5, 25), planned=99, alpha=0.05)
    assert lost.uplift is lost.uplift_low is None


def test_the_visitors_until_an_interval_is_short_enough() -> None:
    def enough(shrunk: float, bound: float) -> bool:
        return bound * shrunk <= 1

    seen = seen_until(100, enough, 1000, 0.05)

    assert squared_bound(seen, 1000, 0.05) * 100 / seen == pytest.approx(1, rel=1e-6)
    assert seen_until(100, lambda *_: True, 1000, 0.05) == 100
    assert seen_until(100, lambda *_: False, 1000, 0.05) > 1e15


# The plan.


def test_more_is_needed_for_less() -> None:
    assert plan_rate(0.02, 0.1).visitors > 3.5 * plan_rate(0.02, 0.2).visitors
    assert plan_rate(0.02, 0.2, 3).visitors > plan_rate(0.02, 0.2).visitors
    assert plan_rate(0.01, 0.2).visitors > 1.9 * plan_rate(0.02, 0.2).visitors
    assert plan_price(0.02, 1900, 0.2) == plan_price(0.02, 900, 0.2)
    assert plan_revenue(38, 266, 0.2).visitors == pytest.approx(
        plan_price(0.02, 1900, 0.2).visitors, rel=0.001
    )
    assert plan_rate(0.02, 5).visitors == 1000  # 20 buyers, whatever the lift
    assert plan_revenue(1, 100, 10).visitors == 200_020


def test_a_plan_lasts_two_weeks_or_longer() -> None:
    plan = Plan(visitors=1000, lift=0.2, variants=3)
    assert plan.total == 3000
    assert plan.days(1000) == 14
    assert plan.days(99.9) == 31
    with pytest.raises(BadInputError):
        plan.days(0)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("rate", lambda: plan_rate(0, 0.1)),
        ("rate", lambda: plan_rate(1, 0.1)),
        ("rate", lambda: plan_rate(1e-300, 0.1)),
        ("rate", lambda: plan_rate(0.8, 0.5)),
        ("rate", lambda: plan_rate(float("nan"), 0.5)),
        ("rate", lambda: plan_price(1.5, 100, 0.1)),
        ("mean", lambda: plan_price(0.5, 0, 0.1)),
        ("mean", lambda: plan_revenue(-5, 1, 0.1)),
        ("deviation", lambda: plan_revenue(5, inf, 0.1)),
        ("lift", lambda: plan_rate(0.1, 0)),
        ("lift", lambda: plan_revenue(1, 1, 11)),
        ("variants", lambda: plan_rate(0.1, 0.1, 1)),
        ("variants", lambda: plan_rate(0.1, 0.1, 21)),
    ],
)
def test_what_cannot_be_planned_is_said_in_words(field: str, bad: object) -> None:
    assert callable(bad)
    with pytest.raises(BadInputError) as said:
        bad()
    assert said.value.field == field
    assert said.value.hint


@pytest.mark.parametrize("bad", [(0, 0.1, 2), (9, 0, 2), (9, 0.1, 1), (9, 0.1, 99)])
def test_a_plan_that_is_none(bad: tuple[int, float, int]) -> None:
    with pytest.raises(ValueError, match="Plan"):
        Plan(*bad)


def test_variants_share_the_error() -> None:
    assert share_of_error(2) == 0.05
    assert share_of_error(5) == 0.05 / 4


# The seller who peeks, in short; at length in tests/faults/test_peeking.py.


@pytest.mark.parametrize(
    "world",
    [
        World(0.02, 200, 60),
        World(0.1, 20, 60),
        World(0.05, 200, 60, metric=Metric.REVENUE, sigma=1, refunds=0.1),
    ],
    ids=lambda world: world.metric,
)
def test_peeking_daily_finds_nothing_where_nothing_is(world: World) -> None:
    seen = Seen()
    peek(watch(world, 400, seed=1), Plan(int(world.traffic * 7), 0.2), seen)

    # Of 400 with 5 % each more than 33 is less likely than one in a thousand.
    assert seen.false <= 33
    assert seen.wrong <= 33


def test_a_difference_of_the_planned_size_is_found_in_time() -> None:
    plan = plan_rate(0.1, 0.5)
    world = World(0.1, plan.total / 20, 20, lifts=(0.5,))
    seen = Seen()
    peek(watch(world, 300, seed=2), plan, seen)

    # Of 300 with 80 % each fewer than 217 is less likely than one in a thousand.
    assert len(seen.days) >= 217
    assert seen.false == 0
    assert seen.wrong <= 26
    assert 5 < sum(seen.days) / len(seen.days) < 20
