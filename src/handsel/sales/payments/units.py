"""Which amounts a provider can charge: no provider counts as ISO 4217 alone says."""

from dataclasses import dataclass

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money


@dataclass(frozen=True)
class Units:
    """The amounts of one currency that a provider can charge, in minor units.

    Args:
        taker: the provider's own name, for people.
        step: every amount is a multiple of it.
        least: more than nothing.
    """

    taker: str
    step: int
    least: int
    most: int


def can_charge(units: Units, price: Money) -> bool:
    """Say whether exactly this price can be charged by who counts like this."""
    whole = price.minor % units.step == 0
    return whole and units.least <= price.minor <= units.most


def check(units: Units, price: Money) -> None:
    """Refuse what cannot be charged exactly. Raises BadInputError (field `price`)."""
    if can_charge(units, price):
        return
    currency, who = price.currency, units.taker
    if price.minor > units.most:
        message = f"{price} is more than {who} charges at once."
        hint = f"Choose {Money(units.most, currency)} or less."
    elif price.minor < units.least:
        least = Money(units.least, currency)
        message = f"{who} does not take less than {least} for a payment."
        hint = f"Choose {least} or more, or nothing at all."
    else:
        below = Money(price.minor - price.minor % units.step, currency)
        message = f"{who} cannot charge exactly {price}."
        hint = f"Choose {below} or {below + Money(units.step, currency)}."
    raise BadInputError(message, hint, field="price")
