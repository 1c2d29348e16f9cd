"""What an experiment says, in numbers and in words, whatever came of it."""

from dataclasses import fields, replace
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.analytics.stats import (
    Arm,
    Metric,
    Outcome,
    Plan,
    State,
    Verdict,
    judge,
    plan_rate,
)
from handsel.analytics.stats.moments import LARGEST
from handsel.analytics.verdicts import in_words, sentences

PRICE = 1900
NAMES = "a", "<b>", "Käse", ""
TWENTY = plan_rate(0.02, 0.2)


def arms(*counts: tuple[int, int], price: int = PRICE) -> list[Arm]:
    """Give variants a, b, c with so many visitors and buyers, who all pay one price."""
    return [
        Arm(name, n, buyers, buyers * price, buyers * price**2)
        for name, (n, buyers) in zip("abc", counts, strict=False)
    ]


def say(
    *counts: tuple[int, int], metric: Metric = Metric.CONVERSION, daily: float = 0
) -> list[str]:
    """Give all that is said of an experiment that looked for 20 %."""
    plan = Plan(38_000, 0.2, len(counts))
    return sentences(judge(arms(*counts), plan, metric, daily=daily))


@st.composite
def any_arm(draw: st.DrawFn) -> Arm:
    """Anything that can be counted."""
    n = draw(st.integers(0, 50) | st.integers(0, LARGEST))
    hits = draw(st.sampled_from([0, n]) | st.integers(0, n))
    paid = draw(st.integers(-LARGEST, LARGEST) | st.integers(-5000, 5000))
    most = min(n, 10**12)
    revenue = max(-most, min(most, paid)) if n else 0
    squares = draw(st.integers(abs(revenue), max(LARGEST, abs(revenue))))
    share = draw(st.sampled_from([1, 1, 1, 2, 9, LARGEST]))
    return Arm("", n, hits, revenue, squares, share)


@settings(max_examples=40)
@given(
    st.lists(any_arm(), min_size=2, max_size=4),
    st.sampled_from(Metric),
    st.integers(1, 10**9),
    st.floats(0.001, 10),
    st.floats(0, 1e9),
)
def test_whatever_was_counted_there_is_a_clear_answer(
    given_arms: list[Arm], metric: Metric, planned: int, lift: float, daily: float
) -> None:
    given_arms = [
        replace(arm, name=name) for arm, name in zip(given_arms, NAMES, strict=False)
    ]
    plan = Plan(planned, lift, len(given_arms))
    verdict = judge(given_arms, plan, metric, daily=daily)

    for each in verdict.figures:
        for name in (field.name for field in fields(each)):
            value = getattr(each, name)
            assert not isinstance(value, float) or isfinite(value), name
        if each.low is not None and each.high is not None:
            assert each.low <= each.high
    assert (verdict.winner is not None) is (verdict.state is State.SHIP)
    assert verdict.visitors_left is None or verdict.visitors_left >= 0
    assert isfinite(verdict.split_p)
    assert sum(each.chance for each in verdict.figures) == pytest.approx(1)
    for sentence in sentences(verdict):
        assert sentence.endswith(".")
        assert not {"nan", "inf", "None"} & set(sentence.replace(",", "").split())


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (((0, 0), (0, 0)), State.TOO_EARLY),
        (((9, 1), (0, 0)), State.TOO_EARLY),
        (((900, 18), (900, 18)), State.TOO_EARLY),
        (((1000, 20), (1000, 20)), State.KEEP_RUNNING),
        (((50, 50), (50, 50)), State.TOO_EARLY),
        (((10**6, 10**6), (10**6, 10**6)), State.TOO_EARLY),
        (((10**6, 0), (10**6, 0)), State.TOO_EARLY),
        (((5000, 5000), (5000, 0)), State.CONTROL_STAYS),
        (((5000, 0), (5000, 5000)), State.SHIP),
        (((900, 18), (0, 0)), State.WRONG_SPLIT),
        (((30_000, 600), (30_100, 602)), State.NO_DIFFERENCE),
        (((30_000, 600), (30_100, 760)), State.SHIP),
        (((30_000, 600), (30_100, 460)), State.CONTROL_STAYS),
        (((30_000, 600), (30_100, 0)), State.CONTROL_STAYS),
        (((40_000, 800), (40_000, 800), (40_000, 1100)), State.SHIP),
        (((40_000, 800), (40_000, 800), (40_000, 600)), State.NO_DIFFERENCE),
        (((40_000, 800), (40_000, 900), (40_000, 600)), State.KEEP_RUNNING),
        (((40_000, 800), (40_000, 500), (40_000, 600)), State.CONTROL_STAYS),
    ],
)
@pytest.mark.parametrize("metric", Metric)
def test_what_follows_from_the_counts(
    counts: tuple[tuple[int, int], ...], state: State, metric: Metric
) -> None:
    plan = plan_rate(0.02, 0.2, len(counts))
    verdict = judge(arms(*counts), plan, metric)

    if state is State.TOO_EARLY and counts[0] in ((50, 50), (10**6, 10**6)):
        # Amounts that do not differ say as little as rates that do not.
        expected = {State.TOO_EARLY, State.KEEP_RUNNING}
    else:
        expected = {state}
    assert verdict.state in expected
    if state not in (State.TOO_EARLY, State.KEEP_RUNNING):
        assert verdict.visitors_left == 0


def test_of_two_that_are_better_the_best_is_shipped() -> None:
    found = arms((40_000, 800), (40_000, 1050), (40_000, 1100))
    verdict = judge(found, plan_rate(0.02, 0.2, 3), Metric.CONVERSION)
    assert verdict.winner == "c"
    assert [each.outcome for each in verdict.figures] == [
        None,
        Outcome.BETTER,
        Outcome.BETTER,
    ]


def test_who_sells_less_for_more_wins_by_revenue_alone() -> None:
    dearer = replace(arms((40_000, 700), price=3000)[0], name="b")
    found = [*arms((40_000, 800)), dearer]
    by_rate = judge(found, TWENTY, Metric.CONVERSION)
    by_revenue = judge(found, TWENTY, Metric.REVENUE)

    assert by_rate.state is State.KEEP_RUNNING
    assert by_revenue.winner == "b"
    assert by_revenue.figures[1].revenue == 700 * 3000 / 40_000
    assert by_revenue.figures[1].uplift == pytest.approx(0.38, abs=0.005)


def test_one_large_buyer_proves_nothing() -> None:
    many = 400 * 100
    control = Arm("a", 20_000, 400, many, 400 * 100**2)
    lucky = Arm("b", 20_000, 401, many + 10**6, 400 * 100**2 + 10**12)
    verdict = judge([control, lucky], TWENTY, Metric.REVENUE)
    assert verdict.state is State.TOO_EARLY


def test_more_refunded_than_sold() -> None:
    minus = Arm("a", 5000, 100, -1000, 10**6)
    plus = Arm("b", 5000, 100, 190_000, 100 * PRICE**2)
    lost = judge([plus, minus], TWENTY, Metric.REVENUE)
    gained = judge([minus, plus], TWENTY, Metric.REVENUE)

    assert lost.state is State.CONTROL_STAYS
    assert gained.winner == "b"
    assert gained.figures[1].uplift is None
    assert in_words(gained) == "Ship b: it earns more per visitor."


def test_other_variants_than_were_planned_are_refused() -> None:
    alike = arms((5, 1)) * 2
    for wrong in (arms((5, 1)), arms((5, 1), (5, 1), (5, 1)), alike):
        with pytest.raises(ValueError, match="other variants"):
            judge(wrong, TWENTY, Metric.CONVERSION)


def left(verdict: Verdict) -> int:
    """Give the visitors that are left."""
    assert verdict.visitors_left is not None
    return verdict.visitors_left


def test_what_is_left_is_what_was_planned_until_more_is_known() -> None:
    def at(n: int, buyers: int, other: int, daily: float = 0) -> Verdict:
        return judge(
            arms((n, buyers), (n, other)), TWENTY, Metric.CONVERSION, daily=daily
        )

    assert left(at(0, 0, 0)) == left(at(100, 1, 1)) + 200 == TWENTY.total
    assert left(at(2000, 40, 50)) == TWENTY.total - 4000
    assert left(at(2000, 40, 40)) < TWENTY.total - 4000
    assert left(at(30_000, 600, 690)) < 20_000
    past = at(60_000, 1200, 1320, daily=2000)
    assert past.state is State.KEEP_RUNNING
    assert 10_000 < left(past) < 4 * TWENTY.total
    assert past.days_left == -(-left(past) // 2000)


def test_when_nobody_buys_nobody_can_say_how_long_it_takes() -> None:
    past = judge(arms((50_000, 0), (50_000, 0)), TWENTY, Metric.CONVERSION, daily=9)
    assert past.visitors_left is past.days_left is None
    assert in_words(past) == "Too early to say."
    few = judge(arms((50_000, 5), (50_000, 5)), TWENTY, Metric.CONVERSION)
    assert left(few) == 300_000
    debts = Arm("a", 50_000, 50, -500, 10**6), Arm("b", 50_000, 50, 600, 10**6)
    deep = judge(debts, Plan(100, 0.2), Metric.REVENUE)
    assert deep.visitors_left is None or deep.state is not State.KEEP_RUNNING


# In words.


def test_words_while_it_runs() -> None:
    assert say((0, 0), (0, 0), daily=2000) == [
        "Too early to say, about 38 days left.",
        "Each variant needs about 20 buyers before anything shows.",
    ]
    assert say((0, 0), (0, 0), metric=Metric.REVENUE) == [
        "Too early to say, about 76,000 visitors left.",
        (
            "Each variant needs about 20 buyers before anything shows, "
            "more of them where a few pay much."
        ),
    ]
    assert say((3000, 60), (3000, 70), daily=70_000) == [
        "Keep running, about 1 day left.",
        (
            "So far as is certain: "
            "b turns between 46 % fewer and 165 % more visitors into buyers."
        ),
        "The chance that a is the best: 19 %.",
        "The chance that b is the best: 81 %.",
    ]
    assert say((1000, 20), (1000, 22))[1:2] == [
        "So far as is certain: nobody can tell how b compares."
    ]


def test_words_at_the_end() -> None:
    assert say((30_000, 600), (30_100, 760), metric=Metric.REVENUE)[0] == (
        "Ship b: it earns between 7.1 % and 50 % more per visitor."
    )
    assert say((30_000, 600), (30_100, 760))[0] == (
        "Ship b: it turns between 7.1 % and 50 % more visitors into buyers."
    )
    assert say((30_000, 6), (30_100, 160))[0] == (
        "Ship b: it turns at least 365 % more visitors into buyers."
    )
    assert say((30_000, 600), (30_100, 460), metric=Metric.REVENUE)[0] == (
        "Keep a: b earns between 8 % and 37 % less per visitor."
    )
    assert say((30_000, 600), (30_100, 0), metric=Metric.REVENUE) == [
        "Keep a: b earns between 91 % and 100 % less per visitor.",
        "The chance that a is the best: over 99 %.",
        "The chance that b is the best: under 1 %.",
    ]
    assert say((30_000, 600), (30_100, 602), metric=Metric.REVENUE) == [
        "No difference larger than 20 %: take whichever you like.",
        "So far as is certain: b earns between 16 % less and 19 % more per visitor.",
        "The chance that a is the best: 50 %.",
        "The chance that b is the best: 50 %.",
    ]


def test_words_about_a_split_that_looks_wrong() -> None:
    assert say((9000, 200), (8000, 180)) == [
        "The split looks wrong: believe none of the figures.",
        (
            "Visitors by variant: a 9,000, b 8,000; "
            "as meant, that happens less than once in 1,000 experiments."
        ),
        (
            "Look for a variant that does not load, for robots, "
            "and for links that lead to one variant alone; then start anew."
        ),
    ]


def test_words_name_what_is_worse_beside_what_is_the_same() -> None:
    said = say((40_000, 800), (40_000, 800), (40_000, 500))
    assert said[0] == (
        "Take a or b, whichever you like, but not c, which is worse than a."
    )
    assert said[2].startswith("So far as is certain: c turns between")
    assert say((40_000, 800), (40_000, 800), (40_000, 800))[0] == (
        "No difference larger than 20 %: take whichever you like."
    )


def test_words_when_it_takes_too_long_or_has_ended() -> None:
    assert say((3000, 60), (3000, 70), daily=20)[0] == (
        "Keep running, more than a year left: stop, or try something bolder."
    )
    past = arms((60_000, 1200), (60_000, 1320))
    open_end = judge(past, TWENTY, Metric.CONVERSION, daily=2000)
    assert in_words(open_end).startswith(
        "The plan is over, and nothing is certain yet, about "
    )
    few = judge(arms((3, 0), (3, 0)), TWENTY, Metric.CONVERSION, daily=20)
    for verdict in (open_end, few):
        assert sentences(verdict, ended=True)[0] == (
            "It ended before anything could be said for certain."
        )


def test_words_about_three() -> None:
    said = say((40_000, 800), (40_000, 900), (40_000, 1100), metric=Metric.REVENUE)
    assert said[0].startswith("Ship c: it earns between")
    assert said[1].startswith("So far as is certain: b earns between")
    assert len(said) == 5
