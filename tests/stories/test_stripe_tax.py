"""Tax with payments by Stripe: worked out by Stripe Tax, or by where card and address are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from handsel.models import Invoice
from handsel.models.words import PaperKind, TaxClass, TaxTreatment
from handsel.sales import catalogue
from handsel.sales.catalogue import Changes
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import Till, opened_till, untrue
from tests.ground.visitor import words
from tests.providers.fake_stripe import PUBLISHABLE_KEY, FakeStripe
from tests.stories.buyers import mails


def papers(shop: Shop) -> list[Invoice]:
    """Give every paper."""
    with shop.reading() as session:
        return list(session.scalars(select(Invoice).order_by(Invoice.id)))


@pytest.fixture
def stripe_tax(
    stripe_home: tuple[Path, FakeStripe], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Till]:
    """A shop whose tax Stripe works out, and that could show Stripe's fields itself."""
    monkeypatch.setenv("HANDSEL_TAX__MODE", "stripe")
    monkeypatch.setenv("HANDSEL_STRIPE__PUBLISHABLE_KEY", PUBLISHABLE_KEY)
    with opened_till(*stripe_home, clock) as till:
        make.product(till.shop)
        changes = Changes(tax_class=TaxClass.EBOOK)
        with till.shop.transaction() as session:
            catalogue.edit(session, "book", changes, till.shop.now())
        yield till


def test_what_stripe_tax_finds_in_the_price_stands_on_the_invoice(
    stripe_tax: Till,
) -> None:
    buyer = stripe_tax.visitor()
    assert "Including VAT" in words(buyer.get("/p/book"))

    name = stripe_tax.begin(buyer)
    stripe_tax.stripe.bank.pay(name, country="AT")
    page = buyer.go_on(stripe_tax.come_back(buyer, name))

    assert stripe_tax.stripe.bank.kept["session"][name]["ui_mode"] == "hosted_page"
    [paper] = papers(stripe_tax.shop)
    assert (paper.gross_minor, paper.tax_minor, paper.basis_points) == (1500, 136, None)
    assert paper.treatment is TaxTreatment.PROVIDER
    assert (paper.country, paper.confirmed) == ("AT", True)
    shown = words(buyer.get(f"{page.request.path}/invoice/{paper.id}"))
    assert "€13.64 VAT €1.36 Total €15.00" in shown
    assert "Including VAT: €1.36" in mails(stripe_tax.shop)[0].text
    assert untrue(stripe_tax.shop) == {}


def test_a_part_that_goes_back_takes_its_part_of_the_tax(stripe_tax: Till) -> None:
    buyer = stripe_tax.visitor()
    name = stripe_tax.begin(buyer)
    stripe_tax.stripe.bank.pay(name, country="AT")
    stripe_tax.come_back(buyer, name)

    for minor in (501, 999):
        stripe_tax.stripe.bank.refund(name, minor)
        stripe_tax.shop.hear("stripe", name)

    back = [
        each for each in papers(stripe_tax.shop) if each.kind is PaperKind.CREDIT_NOTE
    ]
    assert [each.gross_minor for each in back] == [501, 999]
    assert sum(each.tax_minor for each in back) == 136


@pytest.fixture
def union(
    stripe_home: tuple[Path, FakeStripe], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Till]:
    """An Italian shop that owes the VAT of its buyers' countries."""
    monkeypatch.setenv("HANDSEL_TAX__MODE", "eu")
    monkeypatch.setenv("HANDSEL_TAX__COUNTRY", "IT")
    with opened_till(*stripe_home, clock) as till:
        make.product(till.shop)
        yield till


@pytest.mark.parametrize(
    ("billing", "expected"),
    [
        ("AT", ("AT", True, 2000, 250)),  # where the bank of the card is, too
        ("DE", ("DE", False, 1900, 239)),
        (None, ("AT", False, 2000, 250)),
    ],
)
def test_address_and_card_say_where_the_buyer_is(
    union: Till,
    billing: str | None,
    expected: tuple[str, bool, int, int],
) -> None:
    name = union.begin(union.visitor())
    union.stripe.bank.pay(name, country=billing)

    union.shop.hear("stripe", name)

    [paper] = papers(union.shop)
    found = (paper.country, paper.confirmed, paper.basis_points, paper.tax_minor)
    assert found == expected
    assert paper.treatment is TaxTreatment.DESTINATION
