"""What a product costs a buyer at this moment, in the currency they choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money, parse_money
from handsel.models import Product
from handsel.sales.payments.units import Units, can_charge, check


@dataclass(frozen=True)
class Price:
    """A price in one currency: the usual one, and that of a sale if there is one."""

    usual: Money
    sale: Money | None = None


def every(product: Product) -> list[Price]:
    """Give the price in each currency, the product's own first, then by their codes.

    Sales that are over are among them.

    Where the price is open, it is the least.
    """
    own = _price(product.price_minor, product.sale_minor, product.currency)
    return [
        own,
        *(
            _price(each.price_minor, each.sale_minor, each.currency)
            for each in sorted(product.prices, key=lambda each: each.currency)
        ),
    ]


def _price(minor: int, sale: int | None, currency: str) -> Price:
    return Price(
        Money(minor, currency), None if sale is None else Money(sale, currency)
    )


def of(product: Product, now: datetime, currency: str = "") -> Price:
    """Give the price in this currency, in the product's own if it has none there.

    With the price of a sale only while there is one.
    """
    found = every(product)
    named = [each for each in found if each.usual.currency == currency.upper()]
    price = (named or found)[0]
    over = product.sale_ends_at is not None and now >= product.sale_ends_at
    return Price(price.usual) if over else price


def current(product: Product, now: datetime) -> Money:
    """Give what a product costs now in its own currency, without a coupon."""
    price = of(product, now)
    return price.sale or price.usual


def suggested(product: Product) -> list[Money]:
    """Give the amounts to choose from where the price is open."""
    return [Money(minor, product.currency) for minor in product.suggestions]


def chosen(product: Product, typed: str, units: Sequence[Units]) -> Money | None:
    """Read what a buyer wants to pay; None where the price is not open.

    Nothing typed means the first suggestion. Raises BadInputError (field `amount`).
    """
    if not product.open_price:
        return None
    least = Money(product.price_minor, product.currency)
    if not typed.strip():
        return (suggested(product) or [least])[0]
    found = _typed_amount(typed, product.currency)
    if found < least:
        raise BadInputError(
            f"The price is {format_money(least, 'en')} or more.",
            "Type that, or more if it is worth more to you.",
            field="amount",
        )
    if found.minor and units and not any(can_charge(each, found) for each in units):
        _refuse_amount(found, units)
    return found


def _typed_amount(typed: str, currency: str) -> Money:
    try:
        chosen = parse_money(typed, currency)
    except BadInputError as error:
        raise BadInputError(error.message, error.hint, field="amount") from None
    if chosen.currency != currency:
        raise BadInputError(
            f"The price is in {currency}.", "Type the number alone.", field="amount"
        )
    return chosen


def _refuse_amount(chosen: Money, units: Sequence[Units]) -> None:
    """Raise BadInputError with what can be charged instead."""
    try:
        check(units[0], chosen)
    except BadInputError as error:
        raise BadInputError(error.message, error.hint, field="amount") from None
