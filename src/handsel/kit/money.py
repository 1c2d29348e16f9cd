"""Money as whole minor units of a currency; a float never meets a price.

How many decimals a currency has is ISO 4217's word. Babel's own numbers (CLDR) are for
cash in a purse, not for amounts: they give the Serbian dinar none, banks give it two.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache, total_ordering

from babel.core import Locale, UnknownLocaleError, get_global
from babel.numbers import NumberPattern, parse_pattern

from handsel.kit.errors import BadInputError

MAX_MINOR = 99_999_999
"""The largest price: eight digits, as payment providers take them."""

# ISO 4217; every currency that is not named here has two.
_DECIMALS = {
    code: decimals
    for decimals, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
    }.items()
    for code in codes.split()
}

# What a symbol can stand for.
_SYMBOLS = {
    symbol: codes.split()
    for symbol, codes in {
        "€": "EUR",
        "$": "USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD"
        " SRD TTD TWD XCD ARS CLP COP CUP DOP MXN UYU",
        "£": "GBP EGP FKP GIP LBP SDG SHP SSP SYP",
        "¥": "JPY CNY",
        "₩": "KRW KPW",
        "₹": "INR",
        "₪": "ILS",
        "₫": "VND",
        "₺": "TRY",
        "₴": "UAH",
        "₦": "NGN",
        "₱": "PHP",
        "zł": "PLN",
        "Kč": "CZK",
    }.items()
}

_CODE = r"[A-Za-z]{3}"
_SYMBOL = "|".join(re.escape(symbol) for symbol in _SYMBOLS)
_TYPED = re.compile(
    rf"(?P<before>{_CODE}|{_SYMBOL})?\s*(?P<number>[^A-Za-z]*\d)"
    rf"\s*(?P<after>{_CODE}|{_SYMBOL})?"
)


@total_ordering
@dataclass(frozen=True, order=False)
class Money:
    """An amount of one currency. `minor` counts its smallest unit: 1500 EUR is €15.00.

    May be below zero (a balance after refunds). Sums and comparisons of two currencies
    raise ValueError, as do a `minor` that is no integer and an unknown currency.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise ValueError(f"money is counted in whole units, not {self.minor!r}")
        exponent(self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def __str__(self) -> str:
        """Give `15.00 EUR`, for lists, files and commands; `parse_money` reads it."""
        return f"{self.amount} {self.currency}"

    @property
    def amount(self) -> str:
        """The number alone, as forms and structured data want it: `15.00`."""
        return f"{self.to_decimal():f}"

    def to_decimal(self) -> Decimal:
        """Give the exact amount in the currency's main unit."""
        sign, digits, _ = Decimal(self.minor).as_tuple()
        return Decimal((sign, digits, -exponent(self.currency)))

    def _same(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} cannot be counted together")
        return other


def exponent(currency: str) -> int:
    """Say how many decimals a currency has: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217).

    Raises ValueError for a currency nobody has paid with since 2020.
    """
    if currency not in currencies():
        raise ValueError(f"{currency!r} is no currency code of ISO 4217")
    return _DECIMALS.get(currency, 2)


@cache
def currencies() -> frozenset[str]:
    """Name every currency that is, or since 2020 was, somewhere legal tender."""
    return frozenset(
        code
        for used in get_global("territory_currencies").values()
        for code, _start, end, tender in used
        if tender and (end is None or end >= (2020,))
    )


def parse_money(text: str, default_currency: str) -> Money:
    """Read a price as a person types it: `15`, `15,00`, `15.00 EUR`, `€15`.

    Point and comma both mean decimals, and digits of any script are read. A symbol that
    several currencies share means `default_currency` or is refused. Never guesses:
    `1,500` could be two prices. Raises BadInputError (field `price`).
    """
    typed = text.strip()
    if not typed:
        raise _bad("There is no price.", default_currency)
    if typed[0] in "-\N{MINUS SIGN}(":
        raise _bad("A price cannot be below zero.", default_currency)
    found = _TYPED.fullmatch(typed) if len(typed) <= 40 else None
    if not found or (found["before"] and found["after"]):
        raise _bad(f"“{_short(text)}” is not a price.", default_currency)
    currency = _currency(found["before"] or found["after"], default_currency)
    return Money(_minor(found["number"], currency), currency)


def format_money(money: Money, locale: str, *, whole: bool = False) -> str:
    """Write an amount as people of a locale do: `€15.00` for `en`, `15,00 €` for `de`.

    `whole`: without decimals, which it then must not have.
    """
    written: str = _written(money, locale, whole)
    return written


# A page of the desk writes hundreds, most of them as it did a minute ago.
@lru_cache(maxsize=4096)
def _written(money: Money, locale: str, whole: bool) -> str:
    spoken, pattern = _pattern(locale, 0 if whole else exponent(money.currency))
    written = pattern.apply(
        money.to_decimal(), spoken, currency=money.currency, currency_digits=False
    )
    # CLDR wants a space between letters and digits, which Babel leaves out: KWD 15.500.
    return re.sub(r"(?<=[^\W\d_])(?=\d)", "\N{NO-BREAK SPACE}", written)


@cache
def _pattern(locale: str, decimals: int) -> tuple[Locale, NumberPattern]:
    """Read once how a locale writes amounts: a page of the desk writes hundreds."""
    spoken = Locale.parse(locale.replace("-", "_"))
    pattern = parse_pattern(spoken.currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals, decimals)
    return spoken, pattern


def format_rate(basis_points: int, locale: str) -> str:
    """Write a rate in percent as people of a locale do: 2,550 is 25.5%."""
    rate = Decimal(basis_points).scaleb(-4)
    spoken = Locale.parse(locale.replace("-", "_"))
    pattern = spoken.percent_formats[None]
    pattern = parse_pattern(pattern.pattern)
    pattern.frac_prec = (0, 2)
    return str(pattern.apply(rate, spoken))


def is_country(code: str) -> bool:
    """Say whether two letters are those of a country (ISO 3166-1): GB is one, UK is not."""
    return len(code) == 2 and code in get_global("territory_currencies")


def is_locale(name: str) -> bool:
    """Say whether `format_money` knows how people of this locale write."""
    try:
        Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return False
    return True


def _currency(mark: str | None, default: str) -> str:
    if mark is None:
        return default
    candidates = _SYMBOLS.get(mark, [mark.upper()])
    if default in candidates:
        return default
    if len(candidates) > 1:
        raise _bad(f"“{mark}” stands for several currencies.", candidates[0])
    if candidates[0] not in currencies():
        raise _bad(f"“{mark}” is not a currency.", default)
    return candidates[0]


def _minor(number: str, currency: str) -> int:
    decimals = exponent(currency)
    found = re.fullmatch(r"(\d+)(?:([.,\N{ARABIC DECIMAL SEPARATOR}])(\d+))?", number)
    if not found:
        raise _bad(f"“{_short(number)}” is not a plain number.", currency)
    whole, mark, fraction = found[1], found[2], found[3] or ""
    # With three decimals 1.500 is one and a half, but 1,500 may be a thousand more.
    if len(fraction) == 3 and (decimals != 3 or mark == ","):
        raise _bad(f"“{number}” can be read as two prices.", currency)
    if len(fraction) > decimals:
        raise _bad(f"{currency} has {_places(decimals)}.", currency)
    minor = int(whole + fraction.ljust(decimals, "0"))
    if minor > MAX_MINOR:
        largest = Money(MAX_MINOR, currency)
        raise _bad(f"The highest price is {largest}.", currency)
    return minor


def _places(decimals: int) -> str:
    return f"{decimals} decimals" if decimals else "no decimals"


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:20] + "…"


def _bad(message: str, currency: str) -> BadInputError:
    example = Money(15 * 10 ** exponent(currency), currency)
    hint = f"Type digits only, like {example.amount}, or with a currency: {example}."
    return BadInputError(message, hint, field="price")
