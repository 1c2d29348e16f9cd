"""What is known of a variant: counts and sums, in whole numbers."""

from dataclasses import dataclass
from enum import StrEnum

LARGEST = 10**30
"""More than anything that is counted here."""


class Metric(StrEnum):
    """What an experiment decides by."""

    CONVERSION = "conversion"
    REVENUE = "revenue"


@dataclass(frozen=True)
class Sample:
    """Visitors, and the sum and the sum of squares of what each of them brought.

    May sum up to less than nothing, where more was refunded than sold. Raises ValueError
    for what no visitors can have brought.
    """

    n: int
    total: int
    squares: int

    def __post_init__(self) -> None:
        if min(self.n, self.squares) < 0:
            raise ValueError(f"{self} counts fewer than none")
        if self.total**2 > self.n * self.squares:
            raise ValueError(f"{self} has too small a sum of squares")

    def __add__(self, other: "Sample") -> "Sample":
        return Sample(
            self.n + other.n, self.total + other.total, self.squares + other.squares
        )

    @property
    def mean(self) -> float:
        """What a visitor brings; nothing where there is none."""
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """How far visitors differ, as a square; nothing for fewer than two."""
        if self.n < 2:
            return 0.0
        # In whole numbers, so that no digits are lost where both are large and near.
        return (self.n * self.squares - self.total**2) / (self.n * (self.n - 1))

    @property
    def weight(self) -> float:
        """How many equal buyers are as good as those there are: their effective number.

        Where all spend the same this is their number; where one spends as much as
        all the others together it is less than four.
        """
        if self.total <= 0:
            return 0.0
        return self.total**2 / self.squares


@dataclass(frozen=True)
class Arm:
    """One variant as it stands.

    Args:
        revenue: what all of its visitors paid, after refunds, in minor units.
        squares: the same with the amount of each visitor squared.
        share: how many of all shares of the visitors it is meant to get.
    """

    name: str
    visitors: int
    buyers: int
    revenue: int = 0
    squares: int = 0
    share: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.buyers <= self.visitors:
            raise ValueError(
                f"{self} has more buyers than visitors, or fewer than none"
            )
        if self.share < 1:
            raise ValueError(f"{self} is meant to have no visitors")
        counted = self.visitors, abs(self.revenue), self.squares, self.share
        if max(counted) > LARGEST:
            raise ValueError(f"{self} is more than can be counted")
        for metric in Metric:
            self.sample(metric)

    def sample(self, metric: Metric) -> Sample:
        """Give the sums that a metric looks at."""
        if metric is Metric.REVENUE:
            return Sample(self.visitors, self.revenue, self.squares)
        return Sample(self.visitors, self.buyers, self.buyers)
