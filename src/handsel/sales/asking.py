"""What a seller asks for a product, in one currency or several."""

from dataclasses import dataclass
from datetime import datetime

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money
from handsel.models import Product, ProductPrice
from handsel.sales import prices
from handsel.sales.prices import Price

MOST_SUGGESTIONS = 6


@dataclass(frozen=True)
class Asking:
    """All that a seller says of one product's price.

    Args:
        price: the usual price; the least, where it is open.
        sale: the price of these days, until `sale_ends_at` or for ever.
        open_price: whether the buyer names the price.
        suggestions: amounts to choose from, where it is open.
        also: prices in other currencies; a sale there ends with the other.

    Raises BadInputError for what does not go together.
    """

    price: Money
    sale: Money | None = None
    sale_ends_at: datetime | None = None
    open_price: bool = False
    suggestions: tuple[Money, ...] = ()
    also: tuple[Price, ...] = ()

    def __post_init__(self) -> None:
        self._check_sale()
        self._check_suggestions()
        self._check_also()

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
        _check_below(self.sale, self.price)

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

    def _check_also(self) -> None:
        if self.also and self.open_price:
            raise BadInputError(
                "Where buyers name the price it is in one currency.",
                "Leave the other prices out: --only-currency.",
            )
        codes = [self.price.currency, *(each.usual.currency for each in self.also)]
        if len(set(codes)) < len(codes):
            raise BadInputError(
                "There are two prices in one currency.",
                "Give one in each; --only-currency forgets the others.",
            )
        if self.also and not self.price.minor:
            raise BadInputError(
                "What is free is so in any currency.",
                "Name a price, or --only-currency.",
            )
        for each in self.also:
            if not each.usual.minor:
                raise BadInputError(
                    f"{each.usual} is no price.", "What is free is so in any currency."
                )
            if each.sale is not None and self.sale is None:
                raise BadInputError(
                    "A sale is in the first currency, too.", "Say --sale as well."
                )
            if each.sale is not None:
                _check_below(each.sale, each.usual)


def _check_below(sale: Money, price: Money) -> None:
    if sale >= price:
        raise BadInputError(
            f"The sale at {sale} is not below the usual price, {price}.",
            "Lower the one or raise the other; --no-sale ends the sale.",
        )


def _same_currency(price: Money, other: Money, what: str) -> None:
    if other.currency != price.currency:
        raise BadInputError(
            f"The price is in {price.currency}, the {what} in {other.currency}.",
            "Give all of them in one currency.",
        )


def of(product: Product) -> Asking:
    """Give what is asked for a product now."""
    first, *others = prices.every(product)
    return Asking(
        price=first.usual,
        sale=first.sale,
        sale_ends_at=product.sale_ends_at,
        open_price=product.open_price,
        suggestions=tuple(prices.suggested(product)),
        also=tuple(others),
    )


def ask(product: Product, wanted: Asking) -> None:
    """Ask this for a product from now on; orders that were begun keep their price."""
    product.price_minor = wanted.price.minor
    product.currency = wanted.price.currency
    product.sale_minor = wanted.sale.minor if wanted.sale else None
    product.sale_ends_at = wanted.sale_ends_at
    product.open_price = wanted.open_price
    product.suggestions = [each.minor for each in wanted.suggestions]
    known = {each.currency: each for each in product.prices}
    product.prices = [_row(known, each) for each in wanted.also]


def _row(known: dict[str, ProductPrice], price: Price) -> ProductPrice:
    code = price.usual.currency
    row = known.get(code) or ProductPrice(currency=code)
    row.price_minor = price.usual.minor
    row.sale_minor = price.sale.minor if price.sale else None
    return row
