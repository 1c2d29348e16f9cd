"""Papers about money: what stands on the page, in the mail and on the invoice agrees."""

from collections.abc import Sequence
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.test import TestResponse

from handsel.kit.money import Money
from handsel.models import Invoice
from handsel.models.words import FactKind, PaperKind
from handsel.sales import invoicing, orders
from handsel.sales.payments.base import Fact
from handsel.shop import Shop
from handsel.web import create_app
from tests import make
from tests.ground.till import untrue
from tests.ground.visitor import Visitor, form_of, words
from tests.ops import keeping
from tests.stories.buyers import buy, mails, with_settings


@pytest.fixture
def taxed(shop: Shop) -> Shop:
    """A shop that has 19 % of VAT in its prices."""
    make.product(shop)
    return with_settings(shop, "tax", mode="flat", rate="19", number="DE123456788")


@pytest.fixture
def buyer(taxed: Shop) -> Visitor:
    """Somebody who was never at that shop."""
    return Visitor(taxed, app=create_app(taxed))


def issued(shop: Shop) -> Sequence[Invoice]:
    """Give every paper."""
    with shop.reading() as session:
        return session.scalars(select(Invoice).order_by(Invoice.id)).all()


def test_page_mail_and_invoice_agree_to_the_cent(taxed: Shop, buyer: Visitor) -> None:
    assert "Including 19% VAT" in words(buyer.get("/p/book"))

    opened = buy(buyer)
    link = f"{opened.request.path}/invoice/1"
    paper = words(buyer.get(link))

    assert "Invoice TEST-INV-1" in words(opened)
    assert link in opened.text
    assert "The Book €12.61 VAT 19% €2.39 Total €15.00" in paper
    assert "VAT number DE123456788" in paper
    assert "reader@example.com" in paper
    [mail] = mails(taxed)
    assert "Including VAT 19%: €2.39" in mail.text
    assert f"Invoice TEST-INV-1: {taxed.settings.public_url}{link}" in mail.text
    [found] = issued(taxed)
    assert (found.gross_minor, found.tax_minor, found.number) == (
        1500,
        239,
        "TEST-INV-1",
    )
    assert untrue(taxed) == {}


def test_parts_that_go_back_have_credit_notes_that_make_up_the_whole(
    taxed: Shop, buyer: Visitor
) -> None:
    opened = buy(buyer)
    for minor in (333, 333, 834):
        keeping.refund(taxed, "H-1001", minor)

    _, *back = issued(taxed)
    page = words(buyer.get(opened.request.path))

    assert [each.kind for each in back] == [PaperKind.CREDIT_NOTE] * 3
    assert [each.number for each in back] == [f"TEST-CN-{n}" for n in (1, 2, 3)]
    assert [each.gross_minor for each in back] == [333, 333, 834]
    assert sum(each.tax_minor for each in back) == 239
    assert "Credit note TEST-CN-3" in page
    told = next(mail for mail in mails(taxed) if "€3.33" in mail.subject)
    assert "Credit note TEST-CN-" in told.text
    assert f"{opened.request.path}/invoice/" in told.text
    paper = words(buyer.get(f"{opened.request.path}/invoice/2"))
    assert "For invoice TEST-INV-1" in paper
    assert "€2.80 VAT 19% €0.53 Total €3.33" in paper
    assert untrue(taxed) == {}


def party(buyer: Visitor, page: TestResponse, **typed: str) -> TestResponse:
    """Say whom the paper on a page is made out to."""
    blank = {"name": "", "address": "", "tax_number": ""}
    return buyer.press(page, page.request.path, blank | typed)


def test_a_buyer_puts_a_name_and_an_address_on_every_paper(
    taxed: Shop, buyer: Visitor
) -> None:
    opened = buy(buyer)
    keeping.refund(taxed, "H-1001", 500)
    shown = buyer.get(f"{opened.request.path}/invoice/1")

    wrong = party(buyer, shown, name=" \u200b ", address="Somewhere")
    assert wrong.status_code == 422
    assert "An invoice needs a name." in words(wrong)
    assert "Somewhere" in wrong.text
    saved = party(
        buyer,
        shown,
        name="مؤسسة القلم <b>",
        address="1 Row\r\n\r\n  London\x07 W1 ",
        tax_number="GB 1",
    )

    assert saved.status_code == 303
    for number in (1, 2):
        paper = words(buyer.get(f"{opened.request.path}/invoice/{number}"))
        assert "مؤسسة القلم &lt;b&gt; 1 Row London W1 VAT number GB 1" in paper
    pdf = buyer.get(f"{opened.request.path}/invoice/1.pdf")
    assert pdf.content_type == "application/pdf"
    assert 'filename="TEST-INV-1.pdf"' in pdf.headers["Content-Disposition"]
    assert pdf.headers["Cache-Control"] == "no-store"
    text = PdfReader(BytesIO(pdf.data)).pages[0].extract_text()
    assert "London W1" in text
    assert "€2.39" in text


def test_nobody_reads_or_changes_the_papers_of_somebody_else(
    taxed: Shop, buyer: Visitor
) -> None:
    mine, theirs = buy(buyer), buy(buyer.device(), email="other@example.com")

    for end in ("invoice/2", "invoice/2.pdf", "invoice/99"):
        assert buyer.get(f"{mine.request.path}/{end}").status_code == 404
    page = buyer.get(f"{mine.request.path}/invoice/1")
    fields = form_of(page, page.request.path).fields | {"name": "Me"}
    for address in (
        f"{mine.request.path}/invoice/2",
        f"{theirs.request.path}/invoice/2",
    ):
        buyer.post(address, fields)
    assert "other@example.com" in words(buyer.get(f"{theirs.request.path}/invoice/2"))
    assert "Me" not in words(buyer.get(f"{theirs.request.path}/invoice/2"))
    assert buyer.post(page.request.path, {"name": "Me"}).status_code == 422
    assert "bdi>Me<" not in buyer.get(page.request.path).text


def test_a_refund_that_came_back_is_invoiced_again(taxed: Shop, buyer: Visitor) -> None:
    buy(buyer)
    with taxed.transaction() as session:
        order = orders.by_number(session, "H-1001", to_change=True)
        for kind in (FactKind.REFUND, FactKind.VOID):
            fact = Fact(kind, "re_1", Money(500, "EUR"), taxed.now())
            orders.add_fact(session, order, fact, taxed.now())
            invoicing.follow(session, order, taxed.settings, taxed.now())
            invoicing.follow(session, order, taxed.settings, taxed.now())

    assert [(p.number, p.gross_minor, p.tax_minor) for p in issued(taxed)] == [
        ("TEST-INV-1", 1500, 239),
        ("TEST-CN-1", 500, 80),
        ("TEST-INV-2", 500, 80),
    ]


def test_a_dispute_that_is_lost_is_credited_up_to_what_is_left(
    taxed: Shop, buyer: Visitor
) -> None:
    buy(buyer)
    keeping.refund(taxed, "H-1001", 333)
    with taxed.transaction() as session:
        order = orders.by_number(session, "H-1001", to_change=True)
        for kind in (FactKind.DISPUTE_OPEN, FactKind.DISPUTE_LOST):
            fact = Fact(kind, "du_1", Money(1500, "EUR"), taxed.now())
            orders.add_fact(session, order, fact, taxed.now())
            invoicing.follow(session, order, taxed.settings, taxed.now())

    _, first, second = issued(taxed)
    assert (first.gross_minor, second.gross_minor) == (333, 1167)
    assert first.tax_minor + second.tax_minor == 239


def test_a_dispute_that_is_lost_after_a_refund_is_credited_when_that_comes_back(
    taxed: Shop, buyer: Visitor
) -> None:
    buy(buyer)
    keeping.refund(taxed, "H-1001", 1500)
    lost = Fact(FactKind.DISPUTE_LOST, "du_1", Money(1500, "EUR"), taxed.now())
    with taxed.transaction() as session:
        order = orders.by_number(session, "H-1001", to_change=True)
        orders.add_fact(session, order, lost, taxed.now())
        assert invoicing.follow(session, order, taxed.settings, taxed.now()) == []
        [refund] = [
            each
            for each in orders.facts_of(session, order)
            if each.kind is FactKind.REFUND
        ]
        void = Fact(FactKind.VOID, refund.object_id, refund.amount, taxed.now())
        orders.add_fact(session, order, void, taxed.now())
        made = invoicing.follow(session, order, taxed.settings, taxed.now())

    assert [each.kind for each in made] == [PaperKind.INVOICE, PaperKind.CREDIT_NOTE]
    assert [each.gross_minor for each in made] == [1500, 1500]
    assert untrue(taxed) == {}


def test_what_stands_on_a_paper_stays_whatever_is_set_later(
    taxed: Shop, buyer: Visitor
) -> None:
    opened = buy(buyer)
    later = with_settings(
        with_settings(taxed, "tax", mode="none"), "invoice", seller="Another Ltd"
    )
    keeping.refund(later, "H-1001", 1500)

    paper = Visitor(later).get(f"{opened.request.path}/invoice/2")

    assert "Ada&#39;s Books" in words(paper)
    assert "Another Ltd" not in paper.text
    assert "€12.61 VAT 19% €2.39" in words(paper)


def test_without_tax_the_invoice_says_nothing_of_it(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    note = "Small business, no VAT (§ 19 UStG)."
    small = with_settings(shop, "invoice", note=note, prefix="2026/", first=41)
    door = Visitor(small, app=create_app(small))

    opened = buy(door)
    paper = words(door.get(f"{opened.request.path}/invoice/1"))

    assert "Invoice TEST-2026/1" in paper
    assert "The Book €15.00 Total €15.00" in paper
    assert note in paper
    assert "VAT" not in paper.replace(note, "")
    assert "Including" not in words(door.get("/p/book"))
    assert "Including" not in mails(small)[0].text
    name = door.get(f"{opened.request.path}/invoice/1.pdf").headers
    assert "/1" not in name["Content-Disposition"]


def test_what_is_free_has_no_invoice(shop: Shop, visitor: Visitor) -> None:
    make.product(shop, price=Money(0, "EUR"))
    page = visitor.get("/buy/book")
    opened = visitor.press_and_follow(page, "/buy/book", {"email": "a@example.com"})

    assert "For your books" not in words(opened)
    assert issued(shop) == []
    assert "Invoice" not in mails(shop)[0].text
