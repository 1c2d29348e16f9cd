"""Invoices at the desk: listed, found, taken along, made up for."""

import csv
import io
import re
from html import unescape
from urllib.parse import quote

import pytest
from sqlalchemy import delete, select

from handsel.models import AuditEntry, Invoice
from handsel.ops import bookkeeping
from handsel.ops.desk import papers as listing
from handsel.ops.privacy import erase
from handsel.shop import Shop
from handsel.web.admin import invoices as pages
from tests import make
from tests.ground.beside import ON_POSTGRES, beside
from tests.ground.shops import Clock
from tests.ground.visitor import words
from tests.ops import keeping
from tests.stories.desks import PASSWORD, Seller

PAGE = "/admin/reports/invoices"


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop that sold three times and gave part of the first back."""
    make.product(shop)
    keeping.buy(shop, times=3)
    keeping.refund(shop, "H-1001", 500)
    return shop


def log(shop: Shop, action: str) -> list[str]:
    """Give what was done like this, and to what."""
    with shop.reading() as session:
        wanted = select(AuditEntry.subject).where(AuditEntry.action == action)
        return list(session.scalars(wanted))


def test_the_papers_of_a_quarter_are_those_its_tax_is_added_up_from(
    sold: Shop, seller: Seller
) -> None:
    tax = seller.get("/admin/reports/tax?period=2026-Q4")
    assert f'href="{PAGE}?period=2026-Q4&amp;test=1"' in tax.text

    said = words(seller.get(f"{PAGE}?period=2026-Q4"))

    assert said.count("Invoice, PDF") == 3
    assert said.count("Credit note, PDF") == 1
    assert "-€5.00" in said.replace("\u2212", "-")
    assert "no invoices of that time" in words(seller.get(f"{PAGE}?period=2020-Q1"))
    assert "no invoices of that year" in words(seller.get(f"{PAGE}?period=2020"))


def test_a_long_quarter_is_paged_and_the_csv_has_all_of_it(
    sold: Shop, seller: Seller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "AT_ONCE", 3)
    monkeypatch.setattr(listing, "CSV_AT_ONCE", 2)

    first = seller.get(PAGE)
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older
    second = seller.get(unescape(older[1]))

    assert (first.text.count(", PDF"), second.text.count(", PDF")) == (3, 1)
    clock.move(minutes=11)
    asked = seller.get(f"{PAGE}.csv?period=2026")
    assert asked.status_code == 403
    sheet = seller.press(
        asked, f"{PAGE}.csv?period=2026", {"confirm_password": PASSWORD}
    )
    rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert sorted(row["number"] for row in rows) == sorted(numbers(sold))
    assert {row["gross"] for row in rows} == {"15.00", "-5.00"}
    assert log(sold, "invoices.exported") == ["2026"]


def numbers(shop: Shop) -> list[str]:
    """Give what stands on all papers."""
    with shop.reading() as session:
        return [paper.number for paper in session.scalars(select(Invoice))]


def test_one_is_found_by_its_number_or_its_orders(sold: Shop, seller: Seller) -> None:
    (first, *_) = numbers(sold)

    for typed in (first, first.lower(), "h-1001", " 1001 "):
        found = seller.get(f"{PAGE}?number={quote(typed)}")
        assert found.status_code == 302, words(found)
        assert found.location == "/admin/orders/H-1001"
    wrong = seller.get(f"{PAGE}?number=<b>77")
    assert wrong.status_code == 422
    assert "no paper and no order &lt;b&gt;77 that has one" in words(wrong)


def test_the_paper_of_somebody_who_was_forgotten_can_still_be_read(
    sold: Shop, seller: Seller
) -> None:
    with sold.reading() as session:
        paper = session.scalars(select(Invoice).order_by(Invoice.id)).first()
        assert paper
        url = f"/admin/invoices/{paper.id}.pdf"
    erase(sold, "reader1@example.com")
    order = seller.get("/admin/orders/H-1001")
    assert f'href="{url}"' in order.text

    pdf = seller.get(url)

    assert pdf.data.startswith(b"%PDF")
    assert paper.number in pdf.headers["Content-Disposition"]
    assert seller.get("/admin/invoices/99.pdf").status_code == 404


def test_missing_papers_are_issued_some_at_a_time(
    sold: Shop, seller: Seller, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    with sold.transaction() as session:
        session.execute(delete(Invoice))
    monkeypatch.setattr(pages, "AT_ONCE", 2)
    clock.move(minutes=1)

    def press() -> str:
        page = seller.get(PAGE)
        return words(seller.do(page, f"{PAGE}/missing", {"untaxed": "1"}))

    assert "3 issued" in press()
    assert "1 issued" in press()
    assert "No purchase lacks a paper." in press()
    assert len(numbers(sold)) == 4
    assert log(sold, "invoices.issued") == ["missing ones"] * 2


@ON_POSTGRES
def test_of_two_who_issue_at_once_the_later_goes_on_behind_the_first(
    sold: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sold.transaction() as session:
        session.execute(delete(Invoice))
    monkeypatch.setattr(bookkeeping, "BATCH", 1)
    later: list[str] = []

    def issue() -> None:
        later.extend(bookkeeping.issue_missing(sold, most=1))

    with beside(sold, issue) as begin:
        first = bookkeeping.issue_missing(sold, most=1, witness=lambda _: begin())

    assert (len(first), len(later)) == (2, 1)  # of the first, money went back
    assert len(bookkeeping.issue_missing(sold)) == 1
    assert bookkeeping.issue_missing(sold) == []
