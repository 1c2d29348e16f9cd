"""I13: whatever is wrong with invoices and credit notes is noticed, and nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import ColumnElement, delete, update

from handsel.kit.money import Money
from handsel.models import Invoice, LedgerEntry, Series
from handsel.models.words import FactKind, PaperKind, TaxTreatment
from handsel.sales import invoicing, orders
from handsel.sales.payments.base import Fact
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ops import keeping
from tests.stories.buyers import with_settings

CREDIT = Invoice.kind == PaperKind.CREDIT_NOTE
LACKING = "Orders with a payment or a refund without its paper"
UNTRUE = "Papers that say something else than the ledger"
TAXED = "Papers with a wrong tax"


@pytest.fixture
def taxed(shop: Shop) -> Shop:
    """A shop with 19 % of VAT: invoices 41 to 43, of the first two money went back."""
    make.product(shop)
    shop = with_settings(shop, "tax", mode="flat", rate="19")
    keeping.buy(shop, times=3)
    keeping.refund(shop, "H-1001", 500)
    keeping.refund(shop, "H-1001", 333)
    keeping.refund(shop, "H-1002", 1500)
    with shop.transaction() as session:
        # Where a seller says that numbers begin holds for real sales alone.
        session.execute(update(Series).values(first=41, last=Series.last + 40))
        session.execute(update(Invoice).values(sequence=Invoice.sequence + 40))
    assert said_of(shop) == ""
    return shop


def said_of(shop: Shop) -> str:
    """Give what I13 says is wrong; nothing is nothing."""
    return keeping.broken(shop, quick=True).get("I13", "")


def heard(shop: Shop, number: str, *facts: Fact) -> None:
    """Write down what happened to the money of an order, and the papers about it."""
    with shop.transaction() as session:
        order = orders.by_number(session, number, to_change=True)
        for fact in facts:
            orders.add_fact(session, order, fact, shop.now())
        invoicing.follow(session, order, shop.settings, shop.now())


def fact(shop: Shop, kind: FactKind, name: str, minor: int) -> Fact:
    """Something that happened just now."""
    return Fact(kind, name, Money(minor, "EUR"), shop.now())


def test_a_series_keeps_the_number_it_began_with(shop: Shop) -> None:
    set_to = with_settings(shop, "invoice", first=41).settings
    with shop.transaction() as session:
        given = [invoicing.next_number(session, "INV-", set_to) for _ in range(2)]

        series = session.get_one(Series, "INV-")

    assert given == [("INV-", 41), ("INV-", 42)]
    assert (series.first, series.last) == (41, 42)


@pytest.mark.parametrize(("sequence", "left"), [(41, 2), (42, 2), (43, 2)])
def test_a_number_that_is_missing_is_noticed_wherever_it_was(
    sequence: int, left: int, taxed: Shop
) -> None:
    with taxed.transaction() as session:
        session.execute(delete(Invoice).where(~CREDIT, Invoice.sequence == sequence))

    assert f"Numbers with gaps: TEST-INV- ({left} from 41 to 43)." in said_of(taxed)


def test_a_number_from_before_the_first_is_noticed(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(
            update(Invoice).where(Invoice.sequence == 42).values(sequence=40)
        )

    assert "TEST-INV- (3 from 41 to 43)" in said_of(taxed)


def test_that_every_paper_is_gone_is_noticed(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(delete(Invoice))

    assert said_of(taxed) == (
        "Numbers with gaps: TEST-CN- (0 from 41 to 43), TEST-INV- (0 from 41 to 43)."
    )


def test_a_series_that_counted_on_and_one_that_was_set_back_are_noticed(
    taxed: Shop,
) -> None:
    for step in (1, -2):
        with taxed.transaction() as session:
            session.execute(
                update(Series)
                .where(Series.prefix == "TEST-INV-")
                .values(last=Series.last + step)
            )

        assert "Numbers with gaps: TEST-INV- (3 from 41 to 4" in said_of(taxed)


def test_a_series_that_nobody_counts_is_noticed(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(delete(Series).where(Series.prefix == "TEST-CN-"))

    assert said_of(taxed) == (
        "Numbers with gaps: TEST-CN- (3, and which is the last is not known)."
    )


def test_credit_notes_that_are_gone_with_their_series_are_noticed(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(delete(Invoice).where(CREDIT))
        session.execute(delete(Series).where(Series.prefix == "TEST-CN-"))

    assert said_of(taxed) == f"{LACKING}: H-1001, H-1002."


def test_the_last_paper_is_missed_though_its_series_was_set_back(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(delete(Invoice).where(CREDIT, Invoice.sequence == 43))
        session.execute(
            update(Series).where(Series.prefix == "TEST-CN-").values(last=42)
        )

    assert said_of(taxed) == f"{LACKING}: H-1002."


def test_a_payment_is_missed_if_its_order_has_another_paper(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(delete(Invoice).where(~CREDIT, Invoice.sequence == 41))

    said = said_of(taxed)

    assert f"{LACKING}: H-1001." in said
    assert "Orders that were credited more than they paid: H-1001." in said


def test_what_came_again_and_has_no_paper_is_noticed(taxed: Shop) -> None:
    lost = fact(taxed, FactKind.DISPUTE_LOST, "du_1", 1500)
    heard(taxed, "H-1003", lost)
    heard(taxed, "H-1003", fact(taxed, FactKind.DISPUTE_WON, "du_1", 1500))
    assert said_of(taxed) == ""
    with taxed.transaction() as session:
        session.execute(delete(Invoice).where(Invoice.cause == "undone:du_1"))
        session.execute(
            update(Series).where(Series.prefix == "TEST-INV-").values(last=43)
        )

    assert said_of(taxed) == f"{LACKING}: H-1003."


def test_taxes_that_were_set_to_nothing_are_noticed(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(update(Invoice).values(tax_minor=0))

    assert said_of(taxed) == f"{TAXED}: TEST-INV-41, TEST-INV-42, TEST-INV-43."


@pytest.mark.parametrize(
    ("which", "damage", "said"),
    [
        (~CREDIT, {"tax_minor": 240}, "TEST-INV-43"),
        (~CREDIT, {"basis_points": 2000}, "TEST-INV-43"),
        (~CREDIT, {"basis_points": None}, "TEST-INV-43"),
        (CREDIT, {"tax_minor": 238}, "TEST-CN-43"),
    ],
    ids=str,
)
def test_a_tax_that_is_not_by_its_rate_and_sum_is_noticed(
    which: ColumnElement[bool], damage: Mapping[str, Any], said: str, taxed: Shop
) -> None:
    with taxed.transaction() as session:
        session.execute(
            update(Invoice).where(which, Invoice.sequence == 43).values(**damage)
        )

    assert said_of(taxed) == f"{TAXED}: {said}."


@pytest.mark.parametrize(
    ("which", "damage", "said"),
    [
        (~CREDIT, {"gross_minor": 1499}, "TEST-INV-43"),
        (~CREDIT, {"cause": "sale:another"}, "TEST-INV-43"),
        (~CREDIT, {"currency": "USD"}, "TEST-INV-43"),
        (CREDIT, {"gross_minor": 1499}, "TEST-CN-43"),
        (CREDIT, {"cause": "refund:another"}, "TEST-CN-43"),
        (CREDIT, {"kind": PaperKind.INVOICE}, "TEST-CN-43"),
    ],
    ids=str,
)
def test_a_paper_that_says_something_else_than_the_ledger_is_noticed(
    which: ColumnElement[bool], damage: Mapping[str, Any], said: str, taxed: Shop
) -> None:
    with taxed.transaction() as session:
        session.execute(
            update(Invoice).where(which, Invoice.sequence == 43).values(**damage)
        )

    assert f"{UNTRUE}: {said}." in said_of(taxed)


def test_papers_of_one_order_in_two_currencies_are_noticed(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(update(Invoice).where(CREDIT).values(currency="USD"))
        refund = LedgerEntry.kind == FactKind.REFUND
        session.execute(update(LedgerEntry).where(refund).values(currency="USD"))

    assert said_of(taxed) == "Orders with papers in several currencies: H-1001, H-1002."


def test_orders_from_before_there_were_papers_are_not_wrong(taxed: Shop) -> None:
    with taxed.transaction() as session:
        session.execute(delete(Invoice))
        session.execute(delete(Series))
    assert said_of(taxed) == ""

    keeping.buy(taxed)

    assert said_of(taxed) == ""


def test_what_asks_for_no_paper_is_not_missed(taxed: Shop, clock: Clock) -> None:
    heard(
        taxed,
        "H-1003",
        fact(taxed, FactKind.REFUND, "nothing", 0),
        fact(taxed, FactKind.REFUND, "undone at once", 500),
        fact(taxed, FactKind.VOID, "undone at once", 500),
        fact(taxed, FactKind.DISPUTE_OPEN, "du_1", 1500),
    )
    assert said_of(taxed) == ""
    clock.move(hours=1)
    heard(taxed, "H-1003", fact(taxed, FactKind.REFUND, "re_1", 400))
    heard(taxed, "H-1003", fact(taxed, FactKind.DISPUTE_LOST, "du_1", 1500))
    clock.move(hours=1)
    heard(taxed, "H-1003", fact(taxed, FactKind.REFUND, "beyond", 700))

    assert said_of(taxed) == ""


def test_parts_that_go_back_and_come_again_are_worked_out_as_they_were(
    taxed: Shop, clock: Clock
) -> None:
    for number, minor in enumerate((333, 334, 1, 77)):
        clock.move(hours=1)
        heard(taxed, "H-1003", fact(taxed, FactKind.REFUND, f"re_{number}", minor))
        if number % 2:
            clock.move(hours=1)
            heard(taxed, "H-1003", fact(taxed, FactKind.VOID, f"re_{number}", minor))

    assert said_of(taxed) == ""


def test_the_tax_that_a_provider_found_is_taken_as_it_is(taxed: Shop) -> None:
    by_provider = with_settings(taxed, "tax", mode="stripe")
    [bought] = keeping.buy(by_provider)
    with taxed.transaction() as session:
        session.execute(
            update(Invoice)
            .where(Invoice.treatment == TaxTreatment.PROVIDER)
            .values(tax_minor=123)
        )
    keeping.refund(taxed, bought["number"], 500)
    assert said_of(taxed) == ""

    with taxed.transaction() as session:
        session.execute(
            update(Invoice)
            .where(Invoice.treatment == TaxTreatment.PROVIDER, CREDIT)
            .values(tax_minor=40)
        )

    assert said_of(taxed) == f"{TAXED}: TEST-CN-44."
