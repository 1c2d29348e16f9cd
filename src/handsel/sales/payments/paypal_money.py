"""How PayPal writes amounts: as decimals, in 25 currencies, three of them without any.

Source: developer.paypal.com/api/rest/reference/currency-codes. BRL, CNY, INR and MYR are
for accounts of those countries alone, which only PayPal knows.
"""

from decimal import Decimal, InvalidOperation

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, exponent

_TWO = (
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS INR MXN MYR NOK NZD PHP PLN SEK SGD "
    "THB USD"
)
# "This currency does not support decimals": two of them have some in ISO 4217.
_WHOLE = ("HUF", "JPY", "TWD")
CURRENCIES = frozenset((*_TWO.split(), *_WHOLE))


def to_paypal(money: Money) -> str:
    """Write an amount as PayPal does, without its currency: `15.00`, `1500` for yen.

    Raises BadInputError (field `price`) when PayPal cannot take exactly this amount: it
    is never rounded.
    """
    if money.currency not in CURRENCIES:
        raise BadInputError(
            f"PayPal does not take {money.currency}.",
            "Choose another currency, such as EUR or USD.",
            field="price",
        )
    if money.currency not in _WHOLE:
        return money.amount
    step: int = 10 ** exponent(money.currency)
    if odd := money.minor % step:
        below = Money(money.minor - odd, money.currency)
        raise BadInputError(
            f"PayPal cannot charge exactly {money}.",
            f"Choose {below} or {below + Money(step, money.currency)}.",
            field="price",
        )
    return str(money.minor // step)


def from_paypal(value: str, currency: str) -> Money:
    """Read an amount of PayPal's.

    Raises ValueError for what is no amount of the currency: to round here would be to
    invent money.
    """
    try:
        minor = Decimal(value).scaleb(exponent(currency))
    except InvalidOperation as error:
        raise ValueError(f"PayPal says {value!r}, which is no amount") from error
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise ValueError(f"PayPal says {value} {currency}, which has no such unit")
    return Money(int(minor), currency)
