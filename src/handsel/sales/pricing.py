"""What a buyer pays: sums alone, no database and no calls.

A price may be lowered for a while (a sale), and by a coupon. What is left is an amount
that somebody can charge, or nothing at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm

from handsel.kit.money import Money
from handsel.sales.payments.units import Units

WHOLE = 10_000
"""A hundred percent, in basis points."""


@dataclass(frozen=True)
class Off:
    """What a coupon takes off a price: a part of it, or an amount; never both.

    Args:
        basis_points: 1 to 10,000; 2,500 is a quarter.
    """

    basis_points: int = 0
    amount: Money | None = None

    def __post_init__(self) -> None:
        if bool(self.basis_points) is bool(self.amount):
            raise ValueError("a coupon takes off either a part or an amount")
        if self.amount is None and not 0 < self.basis_points <= WHOLE:
            raise ValueError(f"{self.basis_points} basis points are no part of a price")
        if self.amount is not None and self.amount.minor <= 0:
            raise ValueError(f"{self.amount} is nothing to take off")


@dataclass(frozen=True)
class Quote:
    """What one thing costs one buyer now: `usual` >= `before` >= `total` >= 0.

    Args:
        usual: without a sale and without a coupon.
        before: without a coupon.
        total: what is paid.
        relief: of the difference, the tax that a business does not pay here.
    """

    usual: Money
    before: Money
    total: Money
    relief: Money

    @property
    def discount(self) -> Money:
        """What the coupon takes off."""
        return self.before - self.relief - self.total


def quote(
    usual: Money,
    *,
    sale: Money | None = None,
    off: Off | None = None,
    relief: int = 0,
    units: Sequence[Units] = (),
) -> Quote:
    """Work out what is paid.

    A part of a price is rounded half up, in the buyer's favour when nobody can charge
    exactly what is left: then it is the next amount below, and nothing where that is less
    than anybody charges. The tax comes off last, from what the coupon left.

    Args:
        sale: the price of these days; one above the usual price counts for nothing.
        relief: the rate of the tax in the price that this buyer does not pay here, in
            basis points.
        units: how those count who could charge it; none at all charges anything.
    """
    before = min(usual, sale) if sale is not None else usual
    left = before
    if off is not None:
        left = _chargeable(before - min(before, _taken(before, off)), units)
    # What nobody can charge without the tax is paid with it, and not given away.
    net = _chargeable(left - contained(left, relief), units) if relief else left
    net = net if net.minor else left
    return Quote(usual, before, net, relief=left - net)


def contained(gross: Money, basis_points: int) -> Money:
    """Give the tax in a price that contains it, rounded half up."""
    whole = WHOLE + basis_points
    minor = (2 * gross.minor * basis_points + whole) // (2 * whole)
    return Money(minor, gross.currency)


def _taken(price: Money, off: Off) -> Money:
    if off.amount is not None:
        return off.amount
    # The half is added before the division: whole numbers round half up this way.
    parts = price.minor * off.basis_points
    return Money((2 * parts + WHOLE) // (2 * WHOLE), price.currency)


def _chargeable(money: Money, units: Sequence[Units]) -> Money:
    if not units:
        return money
    step = lcm(*(each.step for each in units))
    fitting = money.minor - money.minor % step
    least = min(each.least for each in units)
    return Money(fitting if fitting >= least else 0, money.currency)
