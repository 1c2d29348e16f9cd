"""Money counts whole units, reads what people type, and never guesses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import BadInputError
from handsel.kit.money import (
    MAX_MINOR,
    Money,
    currencies,
    exponent,
    format_money,
    parse_money,
)

amounts = st.integers(0, MAX_MINOR)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.mark.parametrize("minor", [True, 15.0, "15", None])
def test_money_is_counted_in_whole_units(minor: int) -> None:
    with pytest.raises(ValueError, match="whole units"):
        Money(minor, "EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "XXX", "XAU", "DEM", "ZZZ"])
def test_a_currency_nobody_pays_with_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="no currency code"):
        Money(1, currency)


def test_amounts_of_one_currency_add_up_and_compare() -> None:
    assert eur(1500) + eur(499) == eur(1999)
    assert eur(500) - eur(1500) == eur(-1000)
    assert sum([eur(1), eur(2)], start=eur(0)) == eur(3)
    assert eur(1) < eur(2) <= eur(2)
    assert eur(2) > eur(1) >= eur(1)
    assert eur(100) != Money(100, "USD")
    assert len({eur(1), eur(1), eur(2)}) == 2


def test_two_currencies_are_never_counted_together() -> None:
    dollars = Money(1, "USD")
    for mistake in (
        lambda: eur(1) + dollars,
        lambda: eur(1) - dollars,
        lambda: eur(1) < dollars,
        lambda: eur(1) >= dollars,
        lambda: max(eur(1), dollars),
    ):
        with pytest.raises(ValueError, match="cannot be counted together"):
            mistake()


def test_decimals_are_those_of_iso_4217() -> None:
    assert [exponent(code) for code in ("EUR", "JPY", "KWD", "ISK")] == [2, 0, 3, 0]
    # Where Babel's table for cash says 0, banks and providers count two.
    assert {exponent(code) for code in ("RSD", "LBP", "ALL", "HUF", "TWD")} == {2}
    assert {exponent(code) for code in ("IQD", "LYD")} == {3}


@given(amounts)
def test_what_is_written_is_read_back_equal_in_every_currency(minor: int) -> None:
    for currency in currencies():
        price = Money(minor, currency)
        assert parse_money(str(price), "EUR") == price
        assert parse_money(price.amount, currency) == price


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("15", eur(1500)),
        ("15.00", eur(1500)),
        ("15,00", eur(1500)),
        ("15.5", eur(1550)),
        (" 15.00 EUR ", eur(1500)),
        ("eur 15", eur(1500)),
        ("15EUR", eur(1500)),
        ("€15", eur(1500)),
        ("15 €", eur(1500)),
        ("15,00\N{NO-BREAK SPACE}€", eur(1500)),
        ("0", eur(0)),
        ("0.01", eur(1)),
        ("007", eur(700)),
        ("999999.99", eur(MAX_MINOR)),
        ("USD 9.99", Money(999, "USD")),
        ("1500 JPY", Money(1500, "JPY")),
        ("1.500 KWD", Money(1500, "KWD")),
        ("₹499", Money(49900, "INR")),
        ("49 zł", Money(4900, "PLN")),
        ("249 Kč", Money(24900, "CZK")),
        ("١٥٫٥٠", eur(1550)),
        ("۱۵", eur(1500)),
        ("１５", eur(1500)),
    ],
)
def test_a_price_is_read_as_people_type_it(typed: str, price: Money) -> None:
    assert parse_money(typed, "EUR") == price


def test_a_shared_symbol_means_the_currency_of_the_shop() -> None:
    assert parse_money("$9.99", "USD") == Money(999, "USD")
    assert parse_money("$9.99", "CAD") == Money(999, "CAD")
    assert parse_money("¥500", "JPY") == Money(500, "JPY")
    with pytest.raises(BadInputError, match=r"several currencies.*15\.00 USD"):
        parse_money("$9.99", "EUR")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "There is no price."),
        ("   ", "There is no price."),
        ("-5", "A price cannot be below zero."),
        ("\N{MINUS SIGN}5", "A price cannot be below zero."),
        ("(5)", "A price cannot be below zero."),
        ("€-5", "“-5” is not a plain number."),
        ("1,500", "“1,500” can be read as two prices."),
        ("1.500", "“1.500” can be read as two prices."),
        ("1.500 JPY", "“1.500” can be read as two prices."),
        ("1,500 KWD", "“1,500” can be read as two prices."),
        ("1,500.00", "“1,500.00” is not a plain number."),
        ("1 500", "“1 500” is not a plain number."),
        ("1'500", "“1'500” is not a plain number."),
        ("1٬500", "“1٬500” is not a plain number."),
        (".50", "“.50” is not a plain number."),
        ("15.", "“15.” is not a price."),
        ("15.0000", "EUR has 2 decimals."),
        ("1.5 JPY", "JPY has no decimals."),
        ("15.5000 KWD", "KWD has 3 decimals."),
        ("nan", "“nan” is not a price."),
        ("inf", "“inf” is not a price."),
        ("1e3", "“1e3” is not a price."),
        ("0x10", "“0x10” is not a price."),
        ("1_000", "“1_000” is not a plain number."),
        ("15²", "is not a price."),
        ("1½", "is not a price."),
        ("free", "“free” is not a price."),
        ("15 XXX", "“XXX” is not a currency."),
        ("15 EUR USD", "“15 EUR USD” is not a price."),
        ("EUR 15 EUR", "“EUR 15 EUR” is not a price."),
        ("€15€", "“€15€” is not a price."),
        ("₿1", "“₿1” is not a plain number."),
        ("1000000", "The highest price is 999999.99 EUR."),
        ("100000000 JPY", "The highest price is 99999999 JPY."),
        ("9" * 30, "The highest price is 999999.99 EUR."),
        ("15\n16", "is not a plain number."),
        ("15\0", "is not a price."),
        ("€" + " " * 5000 + "1", "is not a price."),
        ("x" * 5000, "“xxxxxxxxxxxxxxxxxxxx…” is not a price."),
    ],
)
def test_what_is_no_clear_price_is_refused_in_words(typed: str, says: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_money(typed, "EUR")
    assert says in caught.value.message
    assert caught.value.hint.startswith("Type digits only, like 15")
    assert caught.value.field == "price"


@given(st.text())
def test_anything_typed_is_a_price_or_a_sentence(typed: str) -> None:
    try:
        price = parse_money(typed, "EUR")
    except BadInputError as error:
        assert len(error.message) < 100  # noqa: PT017 - most texts are refused, some not
    else:
        assert 0 <= price.minor <= MAX_MINOR


@pytest.mark.parametrize(
    ("price", "locale", "written"),
    [
        (eur(1500), "en", "€15.00"),
        (eur(123_456), "de", "1.234,56\N{NO-BREAK SPACE}€"),
        (eur(123_456), "de-AT", "€\N{NO-BREAK SPACE}1.234,56"),
        (Money(1500, "JPY"), "en", "¥1,500"),
        (Money(15_500, "KWD"), "en", "KWD\N{NO-BREAK SPACE}15.500"),
        (Money(15_50, "RSD"), "en", "RSD\N{NO-BREAK SPACE}15.50"),
        (Money(999, "USD"), "en_US", "$9.99"),
        (eur(0), "en", "€0.00"),
        (Money(999, "CAD"), "en", "CA$9.99"),
        (eur(-1), "en", "-€0.01"),
        (eur(10**17 + 1), "en", "€1,000,000,000,000,000.01"),
    ],
)
def test_prices_are_written_as_readers_expect(
    price: Money, locale: str, written: str
) -> None:
    assert format_money(price, locale) == written
