"""Money as whole minor units of a currency; a float never meets a price."""

from dataclasses import dataclass


@dataclass(frozen=True, order=False)
class Money:
    """An amount of one currency. `minor` counts its smallest unit: 1500 EUR is €15.00."""

    minor: int
    currency: str
