"""What a buyer pays, whatever the price, the sale and the coupon."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import BadInputError
from handsel.kit.money import MAX_MINOR, Money, currencies
from handsel.sales.payments import stripe_money
from handsel.sales.payments.units import Units, can_charge, check
from handsel.sales.pricing import Off, Quote, contained, quote

CODES = sorted(currencies() - {"IQD", "LYD"})


def euros(minor: int) -> Money:
    """Give so many cents."""
    return Money(minor, "EUR")


minors = st.integers(0, MAX_MINOR)
parts = st.builds(Off, st.integers(1, 10_000))
amounts = st.builds(lambda minor: Off(amount=euros(minor)), st.integers(1, MAX_MINOR))
counts = st.builds(
    lambda step, least, most: Units("A bank", step, least * step, most * step),
    st.sampled_from([1, 5, 10, 100]),
    st.integers(1, 60),
    st.integers(10**6, 10**7),
)


@given(minors, st.none() | minors, st.none() | parts | amounts, st.lists(counts))
def test_nobody_pays_more_than_the_price_nor_less_than_nothing(
    usual: int, sale: int | None, off: Off | None, units: list[Units]
) -> None:
    found = quote(
        euros(usual),
        sale=None if sale is None else euros(sale),
        off=off,
        units=units,
    )

    assert euros(0) <= found.total <= found.before <= found.usual == euros(usual)
    assert found.total + found.discount == found.before
    assert found.before == euros(min(usual, usual if sale is None else sale))
    if off is None:
        assert found.total == found.before


@given(
    minors,
    st.none() | parts | amounts,
    st.integers(1, 5000),
    st.lists(counts, max_size=3),
)
def test_the_tax_comes_off_last_and_what_is_left_can_be_charged(
    price: int, off: Off | None, relief: int, units: list[Units]
) -> None:
    taxed = quote(euros(price), off=off, units=units)
    found = quote(euros(price), off=off, relief=relief, units=units)

    assert found.total + found.relief + found.discount == found.before
    assert found.discount == taxed.discount
    assert found.total + found.relief == taxed.total
    assert bool(found.total.minor) is bool(taxed.total.minor)
    if not found.relief.minor:
        return  # what is left without the tax nobody could charge
    net = Fraction(taxed.total.minor * 10_000, 10_000 + relief)
    if not units:
        assert abs(found.total.minor - net) <= Fraction(1, 2)
    else:
        assert found.total.minor <= net + Fraction(1, 2)
        assert all(found.total.minor % each.step == 0 for each in units if off)


@pytest.mark.parametrize("code", CODES)
def test_net_and_tax_make_up_the_price_in_every_currency(code: str) -> None:
    for minor in (1, 99, 100, 1500, MAX_MINOR):
        gross = Money(minor, code)
        for rate in (0, 550, 1900, 2550, 2700):
            tax = contained(gross, rate)
            assert Money(0, code) <= tax <= gross
            assert (gross - tax) + tax == gross
            assert abs(tax.minor - Fraction(minor * rate, 10_000 + rate)) <= Fraction(
                1, 2
            )


@given(minors, parts | amounts, st.lists(counts, min_size=1, max_size=3))
def test_what_a_coupon_leaves_can_be_charged_or_is_nothing(
    price: int, off: Off, units: list[Units]
) -> None:
    left = quote(euros(price), off=off, units=units).total.minor

    assert all(left % each.step == 0 for each in units)
    assert left == 0 or left >= min(each.least for each in units)
    assert (
        left == 0
        or any(can_charge(each, euros(left)) for each in units)
        or (left > max(each.most for each in units))
    )


@given(minors, st.integers(1, 10_000))
def test_a_part_is_exact_to_half_a_cent(price: int, basis_points: int) -> None:
    found = quote(euros(price), off=Off(basis_points))
    exact = Fraction(price * basis_points, 10_000)
    assert abs(found.discount.minor - exact) <= Fraction(1, 2)


@given(st.sampled_from(CODES), st.integers(1, 900_000), st.integers(1, 10_000))
def test_every_currency_of_stripe_is_charged_what_the_page_says(
    currency: str, steps: int, basis_points: int
) -> None:
    units = stripe_money.units(currency)
    price = Money(steps * units.step, currency)
    total = quote(price, off=Off(basis_points), units=[units]).total
    if total.minor:
        sent = stripe_money.to_stripe(total)
        assert stripe_money.from_stripe(sent, currency) == total


@pytest.mark.parametrize(
    ("price", "off", "total"),
    [
        (1500, Off(2000), 1200),
        (1999, Off(5000), 999),  # half a cent is rounded up, off the price
        (1500, Off(10_000), 0),
        (1500, Off(amount=euros(1600)), 0),
        (1500, Off(amount=euros(1)), 1499),
        (1500, Off(9700), 0),  # 45 cents: nobody charges so little
        (1500, Off(9600), 60),
        (0, Off(5000), 0),
    ],
)
def test_what_is_paid(price: int, off: Off, total: int) -> None:
    units = [stripe_money.units("EUR")]
    assert quote(euros(price), off=off, units=units).total == euros(total)


def test_a_sale_lowers_the_price_and_a_coupon_comes_after_it() -> None:
    found = quote(euros(2000), sale=euros(1500), off=Off(1000))
    assert found == Quote(euros(2000), euros(1500), euros(1350), relief=euros(0))
    assert quote(euros(2000), sale=euros(2500)).total == euros(2000)


def test_three_decimals_are_charged_in_steps_the_bank_has() -> None:
    dinars = Money(15_550, "KWD")
    units = [stripe_money.units("KWD")]
    assert quote(dinars, off=Off(3333), units=units).total == Money(10_360, "KWD")


def test_money_of_two_currencies_is_never_mixed() -> None:
    with pytest.raises(ValueError, match="together"):
        quote(euros(1500), off=Off(amount=Money(500, "USD")))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Off(),
        lambda: Off(10_001),
        lambda: Off(-1),
        lambda: Off(100, euros(100)),
        lambda: Off(amount=euros(0)),
    ],
)
def test_a_coupon_takes_off_something_that_makes_sense(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"coupon|part|nothing"):
        make()


@pytest.mark.parametrize(
    ("minor", "words"),
    [
        (49, "does not take less than 0.50 EUR"),
        (55, "cannot charge exactly 0.55 EUR. Choose 0.50 EUR or 0.60 EUR."),
        (1010, "10.10 EUR is more than A bank charges at once. Choose 10.00 EUR"),
    ],
)
def test_what_cannot_be_charged_is_said_with_what_can(minor: int, words: str) -> None:
    units = Units("A bank", step=10, least=50, most=1000)
    with pytest.raises(BadInputError) as caught:
        check(units, euros(minor))
    assert words in str(caught.value)
    assert not can_charge(units, euros(minor))
