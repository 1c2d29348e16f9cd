"""`handsel report tax`: what a seller writes into the tax return."""

import csv
import io
from datetime import UTC, datetime, timedelta

from handsel.kit.money import Money
from handsel.models import Invoice, Order
from handsel.models.words import PaperKind, TaxClass, TaxTreatment
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, run
from tests.ops import keeping

DESTINATION, OUTSIDE = TaxTreatment.DESTINATION, TaxTreatment.OUTSIDE


class Books:
    """Papers of one order, as a year of sales would leave them."""

    def __init__(self, shop: Shop) -> None:
        make.product(shop)
        keeping.buy(shop)
        self.shop = shop
        with shop.reading() as session:
            self.order = session.get_one(Order, 1).id

    def add(
        self,
        day: str,
        gross: int,
        tax: int,
        country: str,
        *,
        currency: str = "EUR",
        back: bool = False,
        confirmed: bool = True,
    ) -> None:
        """Write a paper down; `back`: a credit note."""
        with self.shop.transaction() as session:
            number = len(session.query(Invoice).all()) + 1
            moved = datetime.fromisoformat(day).replace(tzinfo=UTC)
            paper = Invoice(
                order_id=self.order,
                kind=PaperKind.CREDIT_NOTE if back else PaperKind.INVOICE,
                cause=f"sale:{number}",
                prefix="X-",
                sequence=number,
                issued_at=moved + timedelta(days=40),
                supplied_at=moved,
                title="The Book",
                currency=currency,
                gross_minor=gross,
                tax_minor=tax,
                basis_points=1900 if tax else 0,
                tax_word="VAT",
                tax_class=TaxClass.STANDARD,
                treatment=DESTINATION if tax else OUTSIDE,
                country=country,
                confirmed=confirmed,
                test=False,
                seller={},
            )
            session.add(paper)


def a_year(shop: Shop) -> None:
    """Write a few papers at the edges of quarters."""
    books = Books(shop)
    books.add("2026-03-31T23:59:59.999999", 1190, 190, "DE")
    books.add("2026-04-01T00:00:00", 2380, 380, "DE")
    books.add("2026-04-02", 1190, 190, "DE", back=True)
    books.add("2026-05-01", 1000, 0, "US")
    books.add("2026-05-01", 1190, 190, "FR", confirmed=False)
    books.add("2026-05-01", 500, 0, "US", currency="USD")
    books.add("2026-12-31T23:59:59", 1190, 190, "DE")


def test_each_quarter_country_and_currency_is_added_up_by_itself(shop: Shop) -> None:
    a_year(shop)

    found = facts(shop, "report", "tax", "2026-Q2")
    assert isinstance(found, dict)
    rows = [
        (r["currency"], r["country"], r["net_minor"], r["tax_minor"], r["sales_minor"])
        for r in found["rows"]
    ]
    assert rows == [
        ("EUR", "DE", 1000, 190, 1190),
        ("EUR", "FR", 1000, 190, 1190),
        ("EUR", "US", 1000, 0, 1000),
        ("USD", "US", 500, 0, 500),
    ]
    first = found["rows"][0]
    assert (first["invoices"], first["credit_notes"]) == (1, 1)
    sums = [(t["currency"], t["net_minor"], t["tax_minor"]) for t in found["totals"]]
    assert sums == [("EUR", 3000, 380), ("USD", 500, 0)]
    year = facts(shop, "report", "tax", "2026")
    assert isinstance(year, dict)
    assert [t["quarter"] for t in year["totals"]] == [
        *("2026-Q1", "2026-Q2", "2026-Q2", "2026-Q4")
    ]
    assert facts(shop, "report", "tax") == year


def test_people_read_tables_with_sums_and_what_is_unsure(shop: Shop) -> None:
    a_year(shop)

    shown = run(shop, "report", "tax", "2026q2").stdout

    assert "2026-Q2 in EUR" in shown
    assert "2026-Q2 in USD" in shown
    [line] = [line for line in shown.splitlines() if line.startswith("DE")]
    assert line.split() == [
        *("DE", "destination", "standard", "19%", "€10.00", "€1.90", "€11.90", "1", "1")
    ]
    assert "evidence: 1 of these papers." in shown
    tests = run(shop, "report", "tax", "--test").stdout
    assert "€15.00" in tests
    assert run(shop, "report", "tax", "2025").stdout == (
        "There are no invoices of that time.\n"
    )


def test_a_spreadsheet_gets_plain_numbers(shop: Shop) -> None:
    a_year(shop)

    text = run(shop, "report", "tax", "2026-Q2", "--csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["country"] for row in rows] == ["DE", "FR", "US", "US"]
    assert rows[0]["rate"] == "19.00"
    assert (rows[0]["net"], rows[0]["tax"], rows[0]["sales"]) == (
        *("10.00", "1.90", "11.90"),
    )


def test_what_real_sales_leave_is_what_is_reported(shop: Shop) -> None:
    make.product(shop, price=Money(999, "EUR"))
    keeping.buy(shop, times=3)
    keeping.refund(shop, "H-1002", 999)

    found = facts(shop, "report", "tax", "--test")

    assert isinstance(found, dict)
    [row] = found["rows"]
    assert row["sales_minor"] == 2 * 999
    assert (row["treatment"], row["invoices"], row["credit_notes"]) == ("none", 3, 1)


def test_wrong_input_is_named(shop: Shop) -> None:
    for words in (["2026-Q5"], ["26"], ["soon"], [""], ["2026", "--csv", "--json"]):
        done = run(shop, "report", "tax", *words)
        assert getattr(done.exception, "exit_code", done.exit_code) == 2, words
