"""How Stripe writes amounts."""

from handsel.kit.money import Money


def to_stripe(money: Money) -> int:
    """Give the amount as Stripe counts it."""
    return money.minor


def from_stripe(amount: int, currency: str) -> Money:
    """Read an amount of Stripe's; `currency` may be lower case, as Stripe writes it."""
    return Money(amount, currency.upper())
