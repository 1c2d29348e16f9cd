"""How PayPal writes amounts: as decimals, in 25 currencies, three of them without any.

Source: developer.paypal.com/api/rest/reference/currency-codes. BRL, CNY, INR and MYR are
for accounts of those countries alone, which only PayPal knows.
"""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from handsel.kit.errors import BadInputError
from handsel.kit.money import MAX_MINOR, Money, exponent
from handsel.sales.payments.units import Units, check

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
    check(replace(units(money.currency), least=0), money)
    if money.currency not in _WHOLE:
        return money.amount
    return str(money.minor // _whole(money.currency))


def units(currency: str) -> Units:
    """Say what PayPal can charge; how much at once depends on the buyer's account.

    Raises BadInputError (field `price`) for a currency it does not take.
    """
    if currency not in CURRENCIES:
        raise BadInputError(
            f"PayPal does not take {currency}.",
            "Choose another currency, such as EUR or USD.",
            field="price",
        )
    step = _whole(currency) if currency in _WHOLE else 1
    return Units("PayPal", step, step, MAX_MINOR)


def _whole(currency: str) -> int:
    unit: int = 10 ** exponent(currency)
    return unit


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
