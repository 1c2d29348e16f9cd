"""A verdict in words, for the seller."""

from collections.abc import Iterator, Sequence

from handsel.analytics.stats.moments import Metric
from handsel.analytics.stats.sequential import LEAST_BUYERS
from handsel.analytics.stats.verdict import Figures, Outcome, State, Verdict

LONG = 365
"""Days; with more of them left, nobody should wait."""


def in_words(verdict: Verdict) -> str:
    """Say what is to be done, in a sentence: `Ship b: it earns …`."""
    return sentences(verdict)[0]


def sentences(verdict: Verdict, *, ended: bool = False) -> list[str]:
    """Say what is to be done, and then what is known of each variant.

    Of an experiment that has `ended` nothing is said of what is still to come.
    """
    first = _headline(verdict)
    if ended and verdict.state in UNDECIDED:
        first = "It ended before anything could be said for certain."
    return [first, *_details(verdict)]


UNDECIDED = (State.TOO_EARLY, State.KEEP_RUNNING)
"""What is true only as long as it runs."""


def _headline(verdict: Verdict) -> str:
    control, *others = verdict.figures
    match verdict.state:
        case State.WRONG_SPLIT:
            return "The split looks wrong: believe none of the figures."
        case State.TOO_EARLY:
            return f"Too early to say{_left(verdict)}."
        case State.KEEP_RUNNING:
            if verdict.past:
                return f"The plan is over, and nothing is certain yet{_left(verdict)}."
            return f"Keep running{_left(verdict)}."
        case State.SHIP:
            [winner] = [each for each in others if each.name == verdict.winner]
            return f"Ship {winner.name}: {_compared(winner, verdict.metric, 'it')}."
        case State.NO_DIFFERENCE:
            return _no_difference(verdict)
        case State.CONTROL_STAYS:
            least = max(others, key=lambda each: each.chance)
            return f"Keep {control.name}: {_compared(least, verdict.metric)}."


def _no_difference(verdict: Verdict) -> str:
    control, *others = verdict.figures
    worse = [each.name for each in others if each.outcome is Outcome.WORSE]
    if worse:
        alike = [each.name for each in verdict.figures if each.name not in worse]
        return (
            f"Take {_one_of(alike)}, whichever you like, but not {_one_of(worse)}, "
            f"which {'is' if len(worse) == 1 else 'are'} worse than {control.name}."
        )
    return (
        f"No difference larger than {_percent(verdict.lift)}: take whichever you like."
    )


def _one_of(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _details(verdict: Verdict) -> Iterator[str]:
    if verdict.state is State.WRONG_SPLIT:
        yield from _about_the_split(verdict)
        return
    if verdict.state is State.TOO_EARLY:
        yield _about_buyers(verdict.metric)
        return
    headline = _headline(verdict)
    for each in verdict.figures[1:]:
        said = _compared(each, verdict.metric)
        if each.name != verdict.winner and said not in headline:
            yield f"So far as is certain: {said}."
    for each in verdict.figures:
        yield f"The chance that {each.name} is the best: {_chance(each.chance)}."


def _about_the_split(verdict: Verdict) -> Iterator[str]:
    counts = ", ".join(f"{f.name} {f.visitors:,}" for f in verdict.figures)
    yield (
        f"Visitors by variant: {counts}; as meant, that happens less than once in "
        "1,000 experiments."
    )
    yield (
        "Look for a variant that does not load, for robots, and for links that lead to "
        "one variant alone; then start anew."
    )


def _about_buyers(metric: Metric) -> str:
    more = ", more of them where a few pay much" if metric is Metric.REVENUE else ""
    return (
        f"Each variant needs about {LEAST_BUYERS} buyers before anything shows{more}."
    )


def _left(verdict: Verdict) -> str:
    if verdict.days_left is not None and verdict.days_left > LONG:
        return ", more than a year left: stop, or try something bolder"
    if verdict.days_left is not None:
        return f", about {_counted(verdict.days_left, 'day')} left"
    if verdict.visitors_left is not None:
        return f", about {_counted(_rounded(verdict.visitors_left), 'visitor')} left"
    return ""


def _compared(found: Figures, metric: Metric, name: str = "") -> str:
    """Say how a variant stands against the control, without a full stop."""
    name = name or found.name
    if found.low is None and found.outcome is Outcome.OPEN:
        return f"nobody can tell how {name} compares"
    if metric is Metric.CONVERSION:
        return f"{name} turns {_range(found, 'fewer')} visitors into buyers"
    return f"{name} earns {_range(found, 'less')} per visitor"


def _range(found: Figures, less: str) -> str:
    low, high = found.low, found.high
    if low is None:
        return "more" if found.outcome is Outcome.BETTER else less
    if high is None:
        return _at_least(low, less)
    if low >= 0:
        return f"between {_percent(low)} and {_percent(high)} more"
    if (found.uplift or 0) >= -1:
        low = max(low, -1.0)  # what brings anything brings no less than nothing
    if high <= 0:
        return f"between {_percent(max(high, low))} and {_percent(low)} {less}"
    return f"between {_percent(low)} {less} and {_percent(high)} more"


def _at_least(low: float, less: str) -> str:
    if low >= 0:
        return f"at least {_percent(low)} more"
    return f"between {_percent(low)} {less} and many times more"


def _percent(part: float) -> str:
    """Write a part, whichever its sign, with two digits that tell: 0.31 %, 4.5 %, 120 %."""
    percent = abs(part) * 100
    return f"{percent:.2g} %" if percent < 9.95 else f"{percent:,.0f} %"


def _chance(part: float) -> str:
    if part > 0.99:
        return "over 99 %"
    return f"{part:.0%}".replace("%", " %") if part >= 0.01 else "under 1 %"


def _rounded(number: int) -> int:
    """Keep two digits: nobody knows more of what is to come."""
    return int(float(f"{number:.2g}"))


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
