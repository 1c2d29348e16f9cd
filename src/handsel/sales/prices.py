"""What a seller asks for a product, and what that comes to for a buyer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, parse_money
from handsel.models import Product
from handsel.sales.payments.units import Units, can_charge, check

MOST_SUGGESTIONS = 6


@dataclass(frozen=True)
class Asking:
    """All that a seller says of one product's price.

    Args:
        price: the usual price; the least, where it is open.
        sale: the price of these days, until `sale_ends_at` or for ever.
        open_price: whether the buyer names the price.
        suggestions: amounts to choose from, where it is open.

    Raises BadInputError for what does not go together.
    """

    price: Money
    sale: Money | None = None
    sale_ends_at: datetime | None = None
    open_price: bool = False
    suggestions: tuple[Money, ...] = ()

    def __post_init__(self) -> None:
        self._check_sale()
        self._check_suggestions()

    def _check_sale(self) -> None:
        if self.sale is None and self.sale_ends_at is None:
            return
        if self.sale is None:
            raise BadInputError("There is no sale to end.", "Say --sale 9.99 as well.")
        if self.open_price:
            raise BadInputError(
                "Where buyers name the price there is no sale.",
                "Lower the least price, or end the one or the other.",
            )
        _same_currency(self.price, self.sale, "sale")
        if self.sale >= self.price:
            raise BadInputError(
                f"The sale at {self.sale} is not below the usual price, {self.price}.",
                "Lower the one or raise the other; --no-sale ends the sale.",
            )

    def _check_suggestions(self) -> None:
        if self.suggestions and not self.open_price:
            raise BadInputError(
                "Amounts are only suggested where buyers name the price.",
                "Say --open-price as well.",
            )
        if len(self.suggestions) > MOST_SUGGESTIONS:
            raise BadInputError(
                f"{len(self.suggestions)} suggestions are too many to choose from.",
                f"Give {MOST_SUGGESTIONS} at the most.",
            )
        for each in self.suggestions:
            _same_currency(self.price, each, "suggestion")
            if each < self.price:
                raise BadInputError(
                    f"{each} is less than the least price, {self.price}.",
                    "Suggest that or more.",
                )


def _same_currency(price: Money, other: Money, what: str) -> None:
    if other.currency != price.currency:
        raise BadInputError(
            f"The price is in {price.currency}, the {what} in {other.currency}.",
            "Give all of them in one currency.",
        )


def asking(product: Product) -> Asking:
    """Give what is asked for a product now."""
    code = product.currency
    return Asking(
        price=usual(product),
        sale=None if product.sale_minor is None else Money(product.sale_minor, code),
        sale_ends_at=product.sale_ends_at,
        open_price=product.open_price,
        suggestions=tuple(suggested(product)),
    )


def ask(product: Product, wanted: Asking) -> None:
    """Ask this for a product from now on; orders that were begun keep their price."""
    product.price_minor = wanted.price.minor
    product.currency = wanted.price.currency
    product.sale_minor = wanted.sale.minor if wanted.sale else None
    product.sale_ends_at = wanted.sale_ends_at
    product.open_price = wanted.open_price
    product.suggestions = [each.minor for each in wanted.suggestions]


def usual(product: Product) -> Money:
    """Give a product's price without a sale; the least, where the price is open."""
    return Money(product.price_minor, product.currency)


def sale(product: Product, now: datetime) -> Money | None:
    """Give the price of these days, if there is a sale."""
    if product.sale_minor is None:
        return None
    if product.sale_ends_at is not None and now >= product.sale_ends_at:
        return None
    return Money(product.sale_minor, product.currency)


def current(product: Product, now: datetime) -> Money:
    """Give what a product costs now, without a coupon."""
    return sale(product, now) or usual(product)


def suggested(product: Product) -> list[Money]:
    """Give the amounts to choose from where the price is open."""
    return [Money(minor, product.currency) for minor in product.suggestions]


def chosen(product: Product, typed: str, units: Sequence[Units]) -> Money | None:
    """Read what a buyer wants to pay; None where the price is not open.

    Nothing typed means the first suggestion. Raises BadInputError (field `amount`).
    """
    if not product.open_price:
        return None
    least = usual(product)
    if not typed.strip():
        return (suggested(product) or [least])[0]
    found = _typed_amount(typed, product.currency)
    if found < least:
        raise BadInputError(
            f"The price is {least} or more.",
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
