"""The doctor names rates that may be old, a number that is none, and missing papers."""

import pytest
from sqlalchemy import delete

from handsel.kit.money import is_country
from handsel.models import Invoice
from handsel.ops.doctor import Finding, examine
from handsel.settings import tax
from handsel.settings.tax import InvoiceSettings, TaxSettings
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ops import keeping


def findings(shop: Shop, database_url: str, **tax: str) -> dict[str, Finding]:
    """Give what is found about tax and papers, with these settings."""
    environ = {f"HANDSEL_TAX__{name.upper()}": value for name, value in tax.items()}
    environ["HANDSEL_DATABASE__URL"] = database_url
    found = examine(shop.home, shop.now(), environ)
    return {each.id: each for each in found if each.id.startswith("H09")}


def test_rates_are_old_a_year_after_they_were_looked_at(
    shop: Shop, database_url: str, clock: Clock
) -> None:
    union = {"mode": "eu", "country": "AT", "number": "ATU13585627"}
    assert set(findings(shop, database_url, **union)) == {"H093"}

    clock.move(days=400)

    assert set(findings(shop, database_url, **union)) == {"H090", "H093"}
    assert findings(shop, database_url) == {}


@pytest.mark.parametrize(
    ("country", "number", "named"),
    [
        ("AT", "", True),
        ("AT", "12345", True),
        ("AT", "u13585627", False),
        ("CH", "CHE-123.456.788 MWST", False),
    ],
)
def test_a_seller_of_the_union_has_a_number_of_it(
    shop: Shop, database_url: str, country: str, number: str, named: bool
) -> None:
    found = findings(shop, database_url, mode="eu", country=country, number=number)

    assert ("H091" in found) is named


def test_purchases_without_a_paper_are_counted(shop: Shop, database_url: str) -> None:
    make.product(shop)
    keeping.buy(shop, times=2)
    assert findings(shop, database_url) == {}
    with shop.transaction() as session:
        session.execute(delete(Invoice))

    assert "2 purchases have no invoice" in findings(shop, database_url)["H092"].problem


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "flat"}, "tax.rate: the flat mode needs the rate"),
        ({"mode": "eu"}, "tax.country: the eu mode needs your own country"),
        ({"mode": "eu", "country": "UK"}, "UK is no country"),
        ({"mode": "flat", "rate": "200"}, "tax.rate"),
        ({"vies_base": "http://127.0.0.1:1"}, "only accepted with HANDSEL_ENV=test"),
    ],
)
def test_settings_that_contradict_each_other_are_named(
    shop: Shop, settings: dict[str, str], said: str
) -> None:
    environ = {f"HANDSEL_TAX__{name.upper()}": each for name, each in settings.items()}

    problems = [each.problem for each in examine(shop.home, shop.now(), environ)]

    assert any(said in problem for problem in problems)


def test_countries_are_known_by_their_letters() -> None:
    assert all(map(is_country, ("AT", "GB", "US", "MC", "GR")))
    assert not any(map(is_country, ("UK", "EL", "XI", "at", "", "AUT")))


def test_an_invoice_needs_the_sellers_address_and_number(
    shop: Shop, database_url: str
) -> None:
    flat = findings(shop, database_url, mode="flat", rate="19")

    assert "shop.address and tax.number are empty" in flat["H093"].problem


@pytest.mark.parametrize(
    ("prefix", "credit", "said"),
    [
        ("INV", "inv", "should differ"),
        ("", "1", "neither end in a digit"),
        ("TEST-CN-", "CN-", "nor begin with TEST-"),
        ("", "CN-", ""),
        ("2027-", "G-2027/", ""),
    ],
)
def test_no_two_papers_can_be_called_the_same(
    prefix: str, credit: str, said: str
) -> None:
    invoice = InvoiceSettings(prefix=prefix, credit_prefix=credit)

    found = "".join(tax.problems(TaxSettings(), invoice, []))

    assert said in found
    assert bool(said) is bool(found)
