"""Amounts survive the way to Stripe and back, in every currency we offer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import BadInputError
from handsel.kit.money import MAX_MINOR, Money, currencies, exponent
from handsel.sales.payments.stripe_money import (
    from_stripe,
    to_stripe,
    units,
)

NOT_AT_STRIPE = {"IQD", "LYD"}
STRIPE_KNOWS = sorted(currencies() - NOT_AT_STRIPE)


def step(currency: str) -> int:
    """Our units that Stripe can tell apart."""
    return {"MGA": 100}.get(currency, 10 if exponent(currency) == 3 else 1)


@given(st.integers(0, 999_999))
def test_an_amount_comes_back_as_it_went_in_every_currency(units: int) -> None:
    for currency in STRIPE_KNOWS:
        price = Money(units * step(currency), currency)
        assert from_stripe(to_stripe(price), currency.lower()) == price


@pytest.mark.parametrize(
    ("price", "sent"),
    [
        (Money(1999, "EUR"), 1999),
        (Money(500, "JPY"), 500),
        (Money(500, "ISK"), 50_000),
        (Money(500, "UGX"), 50_000),
        (Money(500_00, "MGA"), 500),
        (Money(15_500, "KWD"), 15_500),
        (Money(15_00, "HUF"), 1500),
        (Money(15_50, "RSD"), 1550),
        (Money(0, "EUR"), 0),
    ],
)
def test_stripe_reads_the_amount_we_mean(price: Money, sent: int) -> None:
    assert to_stripe(price) == sent
    assert from_stripe(sent, price.currency) == price


@pytest.mark.parametrize(
    ("price", "hint"),
    [
        (Money(15_505, "KWD"), "Choose 15.500 KWD or 15.510 KWD."),
        (Money(1_50, "MGA"), "Choose 1.00 MGA or 2.00 MGA."),
        (Money(1_000_000, "ISK"), "Choose 999999 ISK or less."),
        (Money(MAX_MINOR + 1, "EUR"), "Choose 999999.99 EUR or less."),
        (Money(1500, "LYD"), "Choose another currency, such as EUR or USD."),
    ],
)
def test_what_stripe_cannot_charge_is_refused_not_rounded(
    price: Money, hint: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        to_stripe(price)
    assert caught.value.hint == hint
    assert caught.value.field == "price"


def test_the_largest_charge_passes() -> None:
    assert to_stripe(Money(MAX_MINOR, "EUR")) == MAX_MINOR
    assert to_stripe(Money(999_999, "ISK")) == 99_999_900


def test_an_amount_stripe_should_never_name_is_not_rounded() -> None:
    with pytest.raises(ValueError, match="no such unit"):
        from_stripe(50_050, "isk")


def test_what_stripe_can_charge_is_what_it_takes() -> None:
    for currency in STRIPE_KNOWS:
        known = units(currency)
        assert to_stripe(Money(known.least, currency)) > 0
        assert to_stripe(Money(known.most - known.most % known.step, currency)) > 0
        assert known.step == step(currency)
    for currency in NOT_AT_STRIPE:
        with pytest.raises(BadInputError):
            units(currency)


def test_the_minimum_is_the_one_stripe_names() -> None:
    least = {code: units(code).least for code in ("EUR", "JPY", "HUF", "ISK", "KWD")}
    assert least == {"EUR": 50, "JPY": 50, "HUF": 17_500, "ISK": 1, "KWD": 10}
    assert sum(units(code).least > step(code) for code in STRIPE_KNOWS) == 24
