"""How PayPal writes amounts, and what it keeps for us of a payment."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import BadInputError
from handsel.kit.money import MAX_MINOR, Money, currencies
from handsel.sales.payments.paypal_money import CURRENCIES, from_paypal, to_paypal
from handsel.sales.payments.paypal_reference import MOST, Agreed

ENDS = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(1500, "EUR"), "15.00"),
        (Money(5, "USD"), "0.05"),
        (Money(1500, "JPY"), "1500"),
        (Money(150_000, "HUF"), "1500"),
        (Money(150_000, "TWD"), "1500"),
    ],
    ids=str,
)
def test_an_amount_is_written_with_the_decimals_paypal_wants(
    money: Money, written: str
) -> None:
    assert to_paypal(money) == written
    assert from_paypal(written, money.currency) == money


@pytest.mark.parametrize("money", [Money(150_050, "HUF"), Money(1, "TWD")], ids=str)
def test_half_a_forint_is_not_rounded(money: Money) -> None:
    with pytest.raises(BadInputError, match="Choose") as refused:
        to_paypal(money)
    assert refused.value.field == "price"


def test_paypal_takes_25_currencies_and_no_other() -> None:
    assert len(CURRENCIES) == 25
    assert currencies() >= CURRENCIES
    for currency in currencies() - CURRENCIES:
        with pytest.raises(BadInputError, match="does not take"):
            to_paypal(Money(1500, currency))


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(1, MAX_MINOR))
def test_what_paypal_takes_comes_back_as_it_went(currency: str, minor: int) -> None:
    money = Money(minor, currency)
    try:
        written = to_paypal(money)
    except BadInputError:
        assert currency in ("HUF", "TWD")
    else:
        assert from_paypal(written, currency) == money


@pytest.mark.parametrize(
    ("value", "currency"),
    [("0.5", "JPY"), ("1.005", "EUR"), ("x", "EUR"), ("", "EUR"), ("NaN", "EUR"),
     ("Infinity", "EUR"), ("1", "XXX")],
)  # fmt: skip
def test_what_is_no_amount_is_not_read_as_one(value: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"PayPal|currency"):
        from_paypal(value, currency)


words = st.text(max_size=8)


@given(
    st.dictionaries(words, words, max_size=2), st.integers(0, MAX_MINOR), st.booleans()
)
def test_whatever_the_shop_wants_kept_comes_back_unchanged(
    reference: dict[str, str], minor: int, closed: bool
) -> None:
    agreed = Agreed(Money(minor, "EUR"), ENDS, reference, closed)
    try:
        written = agreed.written()
    except ValueError:
        return
    assert Agreed.read(written) == agreed
    assert len(written) <= MOST
    assert not set(written) - set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.,"
    )


def test_a_purchase_with_the_longest_names_still_fits() -> None:
    price = Money(MAX_MINOR, "EUR")
    reference = {
        "shop": "M" * 22,
        "product": "a-" * 30,
        "price": str(price.minor),
        "currency": "EUR",
        "coupon": "A" * 40,
        "discount": str(MAX_MINOR),
    }
    agreed = Agreed(price, ENDS, reference)
    assert Agreed.read(agreed.written()) == agreed
    assert Agreed.read(agreed.ended().written()) == Agreed(price, ENDS, reference, True)


def test_one_letter_as_a_name_is_kept_too() -> None:
    agreed = Agreed(Money(1, "EUR"), ENDS, {"s": "1", "p": "", "": "x", "price": "2"})
    assert Agreed.read(agreed.written()) == agreed


def test_what_does_not_fit_is_not_cut() -> None:
    with pytest.raises(ValueError, match="254 letters"):
        Agreed(Money(1, "EUR"), ENDS, {"product": "a" * 250}).written()


@pytest.mark.parametrize(
    "text",
    ["", "o", "INV-1001", "o,1,2", "o,x,1500,EUR", "o,1,1500,XXX", "y,1,1500,EUR",
     "o,1,1500,EUR,", "o,1,1500,EUR,a", "o,1,1500,EUR,a.b.c", "o,99999999999999999,1,EUR",
     "o,1,1500,EUR,a._FF"],
)  # fmt: skip
def test_what_others_wrote_there_is_not_ours(text: str) -> None:
    assert Agreed.read(text) is None
