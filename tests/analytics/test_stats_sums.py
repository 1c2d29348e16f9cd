"""The sums agree with those of scipy, and say something clear of what is extreme."""

from fractions import Fraction
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special as far_special
from scipy import stats as far

from handsel.analytics.stats import Arm, Metric, Sample
from handsel.analytics.stats.chance import chances
from handsel.analytics.stats.classic import (
    wilson,
)
from handsel.analytics.stats.special import (
    beta_below,
    divergence,
    stirling_rest,
)
from handsel.analytics.stats.split import split_looks


def near(value: float | tuple[float, float]) -> object:
    """Say that something is the same to nine digits, or both are next to nothing."""
    return pytest.approx(value, rel=1e-9, abs=1e-12)


@st.composite
def rates(draw: st.DrawFn, most: int = 10**6) -> tuple[int, int]:
    """Buyers and visitors."""
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


amounts = st.lists(st.integers(-500, 100_000), min_size=2, max_size=30)
sizes = st.floats(0.01, 1e5)
parts = st.floats(1e-6, 1 - 1e-6)


def sample(values: list[int]) -> Sample:
    """Give the sums of these amounts."""
    return Sample(len(values), sum(values), sum(value**2 for value in values))


@given(sizes, sizes, parts)
def test_incomplete_beta(a: float, b: float, x: float) -> None:
    assert beta_below(a, b, x, 1 - x) == near(far_special.betainc(a, b, x))


def test_the_edges_of_the_functions() -> None:
    assert beta_below(2, 3, 0, 1) == 0
    assert beta_below(2, 3, 1, 0) == 1
    assert divergence(7, 7) == 0
    assert stirling_rest(1e30) == pytest.approx(1 / 12e30)
    assert stirling_rest(11.999) == pytest.approx(stirling_rest(12.001), rel=1e-3)


@given(rates())
def test_wilson(rate: tuple[int, int]) -> None:
    found = far.binomtest(*rate).proportion_ci(method="wilson")
    assert wilson(*rate) == near((found.low, found.high))


@given(amounts)
def test_moments_are_exact(values: list[int]) -> None:
    middle = Fraction(sum(values), len(values))
    variance = sum((value - middle) ** 2 for value in values) / (len(values) - 1)

    assert sample(values).mean == float(middle)
    assert sample(values).variance == near(float(variance))
    assert sample(values) + sample(values) == sample(values * 2)


def test_the_weight_of_buyers_is_their_number_where_all_pay_the_same() -> None:
    assert sample([0, 0, 0, 900, 900, 900]).weight == 3
    assert sample([0, 100, 100, 100, 300]).weight == 3
    assert sample([0, 1, 1, 1, 10_000]).weight < 1.001
    assert sample([5, -5]).weight == sample([-10, 5]).weight == 0


# How likely each is the better one.


@given(rates(300), rates(300))
def test_the_chance_of_a_rate_is_exact(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    arms = [Arm("", n, hits) for hits, n in (one, other)]
    (a, n), (b, m) = one, other
    # Evan Miller's sum for two beta distributions.
    expected = sum(
        far_special.beta(a + 1 + i, n - a + m - b + 2)
        / ((m - b + 1 + i) * far_special.beta(1 + i, m - b + 1))
        / far_special.beta(a + 1, n - a + 1)
        for i in range(b + 1)
    )
    assert chances(arms, Metric.CONVERSION)[1] == pytest.approx(expected, abs=1e-9)


@given(amounts, amounts)
def test_the_chance_of_revenue_is_that_of_two_normal_means(
    one: list[int], other: list[int]
) -> None:
    first, second = sample(one), sample(other)
    arms = [Arm("", s.n, 0, s.total, s.squares) for s in (first, second)]
    spread = (first.variance / first.n + second.variance / second.n) ** 0.5
    away = second.mean - first.mean
    z = away / spread if spread else inf * ((away > 0) - (away < 0) or 0.0)
    expected = 0.5 if z != z else far_special.ndtr(z)

    assert chances(arms, Metric.REVENUE)[1] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=25)
@given(st.lists(rates(10**15), min_size=2, max_size=4))
def test_chances_make_up_the_whole(arms: list[tuple[int, int]]) -> None:
    found = chances([Arm("", n, hits) for hits, n in arms], Metric.CONVERSION)
    assert sum(found) == pytest.approx(1)
    assert all(0 <= each <= 1 for each in found)


def test_large_counts_go_on_where_exact_sums_end() -> None:
    def chance(hits: int) -> float:
        arms = Arm("", 10**6, 100_050), Arm("", 10**6, hits)
        return chances(arms, Metric.CONVERSION)[1]

    ways = [chance(hits) for hits in range(99_997, 100_003)]
    steps = [after - before for before, after in pairwise(ways)]
    assert all(0.0008 < step < 0.0011 for step in steps)


def test_three_that_are_alike_have_a_third_each() -> None:
    arms = [Arm("", 500, 20, 40_000, 80_000_000)] * 3
    for metric in Metric:
        assert chances(arms, metric) == pytest.approx([1 / 3] * 3)
    nobody = [Arm("", 1, 0)] * 2
    assert chances([*nobody, *arms], Metric.REVENUE) == [0.2] * 5


# Whether the split is as it was meant.


@given(st.lists(st.tuples(st.integers(0, 10**4), st.integers(1, 9)), min_size=2))
def test_the_split_is_a_ratio_of_two_likelihoods(arms: list[tuple[int, int]]) -> None:
    counts, shares = [n for n, _ in arms], [share for _, share in arms]
    meant = [share / sum(shares) for share in shares]
    log = far_special.gammaln(100) - far_special.gammaln(sum(counts) + 100)
    for n, part in zip(counts, meant, strict=True):
        log += far_special.gammaln(n + 100 * part) - far_special.gammaln(100 * part)
        log -= n * far_special.xlogy(1, part)
    expected = float(far_special.exp10(-max(log, 0) / far_special.xlogy(1, 10)))

    assert split_looks(counts, shares) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "shares", "wrong"),
    [
        ([0, 0], [1, 1], False),
        ([5, 0], [1, 1], False),
        ([60, 0], [1, 1], True),
        ([5000, 5100], [1, 1], False),
        ([50_000, 51_500], [1, 1], True),
        ([9000, 1000], [9, 1], False),
        ([9000, 1000], [1, 1], True),
        ([10**30, 10**30], [1, 1], False),
        ([10**30, 10**30, 10**30], [1, 1, 1], False),
        ([10**15, 10**15 + 10**9], [1, 1], True),
    ],
)
def test_a_split_that_looks_wrong(
    counts: list[int], shares: list[int], wrong: bool
) -> None:
    assert (split_looks(counts, shares) < 0.001) is wrong


# What cannot be, and what is extreme.


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Arm("", 5, 6),
        lambda: Arm("", 5, -1),
        lambda: Arm("", -1, -1),
        lambda: Arm("", 5, 1, share=0),
        lambda: Arm("", 5, 1, revenue=100, squares=10),
        lambda: Arm("", 0, 0, revenue=1),
        lambda: Arm("", 10**31, 0),
        lambda: Sample(5, 1, -1),
        lambda: wilson(6, 5),
    ],
)
def test_what_cannot_be_is_refused(bad: object) -> None:
    assert callable(bad)
    with pytest.raises(ValueError, match=r"."):
        bad()


def test_nothing_known_says_nothing() -> None:
    assert wilson(0, 0) == (0, 1)
