"""How Stripe writes amounts: mostly as ISO 4217 does, with a dozen exceptions.

Source: docs.stripe.com/currencies (zero-decimal, three-decimal and special currencies,
minimum and maximum charge).
"""

from dataclasses import replace

from handsel.kit.errors import BadInputError
from handsel.kit.money import MAX_MINOR, Money, exponent
from handsel.sales.payments.units import Units, check

# Every currency that is not named here has two. ISK and UGX have none, but go with two
# that must be 00 (Stripe names UGX among the zero-decimal ones too; this rule wins).
# The last of three decimals must be 0.
_DECIMALS = {
    code: decimals
    for decimals, codes in {
        0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF",
        3: "BHD JOD KWD OMR TND",
    }.items()
    for code in codes.split()
}

_MINIMUM = {
    "AED": 200,
    "AUD": 50,
    "BGN": 100,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}


def to_stripe(money: Money) -> int:
    """Give the amount as Stripe counts it.

    Raises BadInputError (field `price`) when Stripe cannot take exactly this amount:
    it is never rounded.
    """
    shift = _shift(money.currency)
    check(replace(units(money.currency), least=0), money)
    return _scaled(money.minor, shift)


def _scaled(minor: int, shift: int) -> int:
    """Write our number as Stripe's, which is longer by so many decimals."""
    amount: int = minor * 10 ** max(shift, 0) // 10 ** max(-shift, 0)
    return amount


def from_stripe(amount: int, currency: str) -> Money:
    """Read an amount of Stripe's; `currency` may be lower case, as Stripe writes it.

    Raises ValueError for an amount the currency does not have, such as half a krona of
    Iceland: to round here would be to invent money.
    """
    code = currency.upper()
    shift = _shift(code)
    minor, odd = divmod(amount * 10 ** max(-shift, 0), 10 ** max(shift, 0))
    if odd:
        raise ValueError(f"Stripe says {amount} {code}, but {code} has no such unit")
    return Money(minor, code)


def units(currency: str) -> Units:
    """Say what Stripe can charge.

    The minimum of the currency of the seller's bank account counts as well, and Stripe
    alone knows it. Raises BadInputError (field `price`) for a currency it does not take.
    """
    shift = _shift(currency)
    step = 10 if exponent(currency) == 3 else 10 ** max(-shift, 0)
    most = from_stripe(MAX_MINOR - MAX_MINOR % 100, currency) if shift > 0 else None
    least = from_stripe(_MINIMUM.get(currency, 0), currency).minor
    return Units("Stripe", step, max(least, step), most.minor if most else MAX_MINOR)


def _shift(currency: str) -> int:
    """Say by how many decimals Stripe's number is longer than ours."""
    ours, theirs = exponent(currency), _DECIMALS.get(currency, 2)
    if ours > theirs == 2:
        raise BadInputError(
            f"Stripe does not take {currency}.",
            "Choose another currency, such as EUR or USD.",
            field="price",
        )
    return theirs - ours
