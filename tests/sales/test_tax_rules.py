"""Who is taxed how, and how much of a price is tax, whatever the price."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.money import MAX_MINOR, Money
from handsel.models.words import FactKind, PaperKind, TaxClass, TaxTreatment
from handsel.sales.invoicing import missing
from handsel.sales.payments.base import Fact
from handsel.sales.pricing import contained
from handsel.sales.tax import rules
from handsel.sales.tax.rules import Places, Tax
from handsel.settings.tax import TaxSettings

DAY = date(2026, 11, 23)
EU = TaxSettings(mode="eu", country="AT")

minors = st.integers(0, MAX_MINOR)
rates = st.integers(0, 10_000)


@given(minors, rates)
def test_the_tax_in_a_price_is_right_to_half_a_cent(gross: int, rate: int) -> None:
    tax = contained(Money(gross, "EUR"), rate).minor

    exact = Fraction(gross * rate, 10_000 + rate)
    assert -Fraction(1, 2) < tax - exact <= Fraction(1, 2)
    assert 0 <= tax <= gross


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=8), rates)
def test_the_tax_of_all_parts_is_the_tax_of_the_whole(
    parts: list[int], rate: int
) -> None:
    whole = sum(parts)
    tax = contained(Money(whole, "EUR"), rate).minor

    shares = [
        rules.share(tax, whole, sum(parts[:n]), part) for n, part in enumerate(parts)
    ]

    assert sum(shares) == tax
    for share, part in zip(shares, parts, strict=True):
        assert 0 <= share <= part
        assert abs(share - Fraction(tax * part, whole)) <= 1


@pytest.mark.parametrize(
    ("billing", "card", "network", "expected"),
    [
        ("DE", "DE", "AT", ("DE", True)),
        ("AT", "DE", "DE", ("DE", True)),
        ("DE", "AT", "DE", ("DE", True)),
        ("DE", "AT", "FR", ("DE", False)),
        (None, "AT", "FR", ("AT", False)),
        (None, None, "FR", ("FR", False)),
        (None, "FR", "FR", ("FR", True)),
        ("DE", None, None, ("DE", False)),
        (None, None, None, (None, False)),
    ],
)
def test_two_pieces_of_evidence_that_agree_say_where_a_buyer_is(
    billing: str | None,
    card: str | None,
    network: str | None,
    expected: tuple[str | None, bool],
) -> None:
    assert rules.where(Places(billing, card, network)) == expected


def taxed(settings: TaxSettings, *places: str | None) -> Tax:
    """Tax a sale of something ordinary to somebody at these places."""
    return rules.tax(settings, TaxClass.STANDARD, Places(*places), DAY)


def test_each_mode_taxes_by_its_own_rule() -> None:
    none, flat = TaxSettings(), TaxSettings(mode="flat", rate="8.1")

    assert taxed(none, "DE", "DE") == Tax(TaxTreatment.NONE, 0, "DE")
    assert taxed(flat, "DE", "FR") == Tax(TaxTreatment.FLAT, 810, "DE")
    assert taxed(flat) == Tax(TaxTreatment.FLAT, 810, None)
    assert taxed(EU, "AT", "AT") == Tax(TaxTreatment.DOMESTIC, 2000, "AT", True)
    assert taxed(EU, "DE", "DE") == Tax(TaxTreatment.DESTINATION, 1900, "DE", True)
    assert taxed(EU, "US", "US") == Tax(TaxTreatment.OUTSIDE, 0, "US", True)
    assert taxed(EU, "DE", "US") == Tax(TaxTreatment.DESTINATION, 1900, "DE", False)
    assert taxed(EU) == Tax(TaxTreatment.DOMESTIC, 2000, "AT", False)


def test_a_seller_outside_of_the_union_owes_it_the_rate_of_the_buyer() -> None:
    swiss = TaxSettings(mode="eu", country="CH")

    assert taxed(swiss, "DE", "DE") == Tax(TaxTreatment.DESTINATION, 1900, "DE", True)
    assert taxed(swiss, "CH", "CH").treatment is TaxTreatment.OUTSIDE
    assert taxed(swiss) == Tax(TaxTreatment.OUTSIDE, 0, "CH", False)


def test_monaco_is_france() -> None:
    french, monegasque = (
        TaxSettings(mode="eu", country=country) for country in ("FR", "MC")
    )
    home = Tax(TaxTreatment.DOMESTIC, 2000, "FR", True)

    assert taxed(EU, "MC", "FR") == Tax(TaxTreatment.DESTINATION, 2000, "FR", True)
    assert taxed(french, "MC", "MC") == taxed(monegasque, "FR", "MC") == home


def test_without_the_one_stop_shop_consumers_in_the_union_pay_the_home_rate() -> None:
    small = EU.model_copy(update={"one_stop_shop": False})
    swiss = small.model_copy(update={"country": "CH"})

    assert taxed(small, "DE", "DE") == Tax(TaxTreatment.DOMESTIC, 2000, "AT", True)
    assert taxed(small, "US", "US") == Tax(TaxTreatment.OUTSIDE, 0, "US", True)
    assert taxed(swiss, "DE", "DE") == Tax(TaxTreatment.DESTINATION, 1900, "DE", True)


def test_stripe_goes_by_the_address() -> None:
    stripe = TaxSettings(mode="stripe")

    assert taxed(stripe, "DE", "AT", "AT") == Tax(TaxTreatment.PROVIDER, 0, "DE")
    assert taxed(stripe, None, "AT").country == "AT"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("19", 1900), ("8.1", 810), ("25.5", 2550), ("0.05", 5), ("", 0)],
)
def test_a_rate_in_percent_is_read_without_a_float(typed: str, expected: int) -> None:
    assert TaxSettings(rate=typed).basis_points == expected


def fact(kind: FactKind, name: str, minor: int = 1500, second: int = 0) -> Fact:
    """Tell of money that moved."""
    at = datetime(2026, 11, 23, 12, 0, second, tzinfo=UTC)
    return Fact(kind, name, Money(minor, "EUR"), at)


SALE = fact(FactKind.CAPTURE, "pi_1")


def causes(*facts: Fact, issued: tuple[str, ...] = ()) -> list[tuple[str, PaperKind]]:
    """Say which papers these facts still ask for."""
    return [(each.cause, each.kind) for each in missing(facts, issued)]


def test_each_movement_of_money_asks_for_one_paper() -> None:
    part = fact(FactKind.REFUND, "re_1", 500, second=5)
    lost = fact(FactKind.DISPUTE_LOST, "du_1", 1000, second=9)
    opened = fact(FactKind.DISPUTE_OPEN, "du_1", 1000, second=9)
    every = [
        ("sale:pi_1", PaperKind.INVOICE),
        ("refund:re_1", PaperKind.CREDIT_NOTE),
        ("dispute:du_1", PaperKind.CREDIT_NOTE),
    ]

    assert causes(lost, opened, part, SALE) == every
    assert causes(lost, part, SALE, issued=("sale:pi_1",)) == every[1:]
    assert causes(lost, part, SALE, issued=tuple(c for c, _ in every)) == []
    assert causes(fact(FactKind.MANUAL_GRANT, "gift", 0), opened) == []


def test_what_came_to_nothing_before_it_was_written_down_asks_for_none() -> None:
    refund, void = fact(FactKind.REFUND, "re_1"), fact(FactKind.VOID, "re_1")
    lost, won = fact(FactKind.DISPUTE_LOST, "du_1"), fact(FactKind.DISPUTE_WON, "du_1")
    there = ("sale:pi_1", "refund:re_1")

    assert causes(SALE, refund, void) == [("sale:pi_1", PaperKind.INVOICE)]
    assert causes(SALE, lost, won, issued=("sale:pi_1",)) == []
    settled = fact(FactKind.DISPUTE_SETTLED, "du_1")
    credited = ("sale:pi_1", "dispute:du_1")
    once = [("undone:du_1", PaperKind.INVOICE)]
    assert causes(SALE, lost, won, settled, issued=credited) == once
    again = ("undone:re_1", PaperKind.INVOICE)
    assert causes(SALE, refund, void, issued=there) == [again]
    assert causes(SALE, refund, void, issued=(*there, "undone:re_1")) == []
