"""How many visitors an experiment takes, by the rule that will in fact decide it."""

from dataclasses import dataclass
from math import ceil, sqrt

from handsel.analytics.stats.moments import LARGEST
from handsel.analytics.stats.sequential import ALPHA, LEAST_BUYERS, squared_bound
from handsel.kit.errors import BadInputError

POWER = 0.8
"""How often a difference of the planned size is found by the planned end."""

# How many standard errors beyond the bound a difference must be at the planned end: 0.84
# for one look, less for many, as each is a chance. Found by simulation for 14 looks or
# more and 2 to 8 variants; tests/faults/test_peeking.py proves the power.
_BEYOND = 0.76

SHORTEST = 14
"""Days: shorter ones see too few of the week's days, and too few looks for the power."""

SLOWEST = 0.01
"""Visitors a day; with fewer there is no end to be told."""

SMALLEST = 1e-9
"""Of a rate, or of what a visitor brings; below it there is nothing to plan with."""

MOST_VARIANTS = 20


@dataclass(frozen=True)
class Plan:
    """What was fixed before the start.

    Args:
        visitors: of each variant, in an even split.
        lift: the smallest one worth finding, as a part: 0.1 is 10 % more.
        variants: how many there are, with the control.
    """

    visitors: int
    lift: float
    variants: int = 2

    def __post_init__(self) -> None:
        if self.visitors < 1 or not 0 < self.lift <= 10:
            raise ValueError(f"{self} finds nothing")
        if not 2 <= self.variants <= MOST_VARIANTS:
            raise ValueError(f"{self} compares nothing, or too much")

    @property
    def total(self) -> int:
        """How many visitors there are in all variants."""
        return self.visitors * self.variants

    def days(self, daily: float) -> int:
        """Say how long it takes with so many visitors a day; never less than two weeks."""
        if not daily >= SLOWEST:
            raise BadInputError(
                "Without visitors an experiment never ends.",
                "Say how many come to the page on a usual day.",
                field="daily",
            )
        return max(SHORTEST, ceil(self.total / daily))


def plan_rate(rate: float, lift: float, variants: int = 2) -> Plan:
    """Plan an experiment on conversion.

    Args:
        rate: buyers by visitors as it is now.

    Raises BadInputError (fields `rate`, `lift`, `variants`).
    """
    _check(lift, variants)
    if not SMALLEST <= rate < 1 or rate * (1 + lift) >= 1:
        raise BadInputError(
            f"{rate * 100:g} % of the visitors buying, and {lift * 100:g} % more, is no rate.",
            "Both must be above 0 % and below 100 %.",
            field="rate",
        )
    better = rate * (1 + lift)
    noise = rate * (1 - rate) + better * (1 - better)
    return _plan(noise / rate**2, rate, lift, variants)


def plan_revenue(mean: float, deviation: float, lift: float, variants: int = 2) -> Plan:
    """Plan an experiment on revenue per visitor.

    Args:
        mean: what a visitor brings now, counting those who buy nothing.
        deviation: the standard deviation of the same.

    Raises BadInputError (fields `mean`, `deviation`, `lift`, `variants`).
    """
    _check(lift, variants)
    for field, value in (("mean", mean), ("deviation", deviation)):
        if not SMALLEST <= value <= LARGEST:
            raise BadInputError(
                "What a visitor brings, and how far that differs, must be above zero.",
                "Take both from what was sold before.",
                field=field,
            )
    squared = (deviation / mean) ** 2
    # A higher price makes amounts differ more, too; more buyers do so less.
    noise = squared * (1 + (1 + lift) ** 2)
    return _plan(noise, 1 / (1 + squared), lift, variants)


def plan_price(rate: float, price: int, lift: float, variants: int = 2) -> Plan:
    """Plan an experiment on revenue per visitor, where all pay one price.

    Args:
        rate: buyers by visitors as it is now.
        price: in minor units.

    Raises BadInputError (fields `rate`, `mean`, `lift`, `variants`).
    """
    if not SMALLEST <= rate < 1:
        raise BadInputError(
            f"{rate * 100:g} % of the visitors buying is no rate.",
            "It must be above 0 % and below 100 %.",
            field="rate",
        )
    deviation = price * sqrt(rate * (1 - rate))
    return plan_revenue(rate * price, deviation, lift, variants)


def share_of_error(variants: int) -> float:
    """Give how often each comparison with the control may be wrong (Bonferroni)."""
    return ALPHA / (variants - 1)


def _plan(noise: float, weight: float, lift: float, variants: int) -> Plan:
    """Give the size.

    Args:
        noise: the variances of both variants, in squares of the control's mean.
        weight: of a visitor, in equal buyers.
    """
    bound = sqrt(squared_bound(1, 1, share_of_error(variants)))
    size = ((bound + _BEYOND) / lift) ** 2 * noise
    return Plan(ceil(max(size, LEAST_BUYERS / weight)), lift, variants)


def _check(lift: float, variants: int) -> None:
    if not 0.001 <= lift <= 10:
        raise BadInputError(
            f"A difference of {lift * 100:g} % cannot be planned for.",
            "Take one between 0.1 % and 1000 %; 10 % is usual.",
            field="lift",
        )
    if not 2 <= variants <= MOST_VARIANTS:
        raise BadInputError(
            f"An experiment has 2 to {MOST_VARIANTS} variants, with what there is now.",
            "Compare fewer at a time.",
            field="variants",
        )
