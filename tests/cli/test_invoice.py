"""`handsel invoice`, and a product's tax class: what they show, write and refuse."""

from pathlib import Path

from pypdf import PdfReader
from sqlalchemy import delete, update

from handsel.models import Invoice
from handsel.models.words import PaperKind
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, run
from tests.ops import keeping


def test_papers_are_listed_shown_and_written(shop: Shop, tmp_path: Path) -> None:
    make.product(shop)
    keeping.buy(shop, times=2)
    keeping.refund(shop, "H-1001", 500)

    real = run(shop, "invoice", "list").stdout
    found = facts(shop, "invoice", "list", "--test")
    shown = run(shop, "invoice", "show", "h-1001").stdout
    target = tmp_path / "paper.pdf"
    run(shop, "invoice", "show", "test-cn-1", "-o", str(target))

    told = run(shop, "order", "show", "H-1001").stdout
    assert "TEST-INV-1 €15.00, tax €0.00 (none)" in told
    assert "TEST-CN-1 €5.00, tax €0.00 (none)" in told
    assert real == "No such paper.\n"
    assert isinstance(found, list)
    numbers = ["TEST-CN-1", "TEST-INV-2", "TEST-INV-1"]
    assert [each["number"] for each in found] == numbers
    assert [each["order"] for each in found] == ["H-1001", "H-1002", "H-1001"]
    listed = run(shop, "invoice", "list", "--order", "1001").stdout
    assert "TEST-INV-1" in listed
    assert "-€5.00" in listed
    assert "TEST-INV-2" not in listed
    assert shown.startswith("Invoice TEST-INV-1\n")
    assert "reader1@example.com" in shown
    assert "€15.00" in shown
    [page] = PdfReader(target).pages
    text = page.extract_text()
    for words in ("Credit note TEST-CN-1", "For invoice TEST-INV-1", "€5.00"):
        assert words in text


def test_wrong_input_is_named(shop: Shop, tmp_path: Path) -> None:
    make.product(shop, slug="free")
    for words, code, said in (
        (["show", "INV-9"], 3, "no paper INV-9"),
        (["show", "H-1009"], 3, "no order H-1009"),
        (["show", ""], 3, "no paper"),
        (["show", "0"], 3, "no order"),
        (["list", "--since", "soon"], 2, "'soon' is no time"),
        (["list", "--order", "H-7"], 3, "no order H-7"),
        (["list", "--most", "0"], 2, "0 is not in the range"),
    ):
        done = run(shop, "invoice", *words)
        assert getattr(done.exception, "exit_code", done.exit_code) == code, words
        assert said in f"{done.output} {done.exception}"


def test_purchases_from_before_there_were_papers_get_theirs(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop, times=3)
    keeping.refund(shop, "H-1002", 1500)
    with shop.transaction() as session:
        session.execute(delete(Invoice))

    lacking = run(shop, "invoice", "show", "H-1001")
    made = facts(shop, "invoice", "issue")
    again = run(shop, "invoice", "issue").stdout

    assert "has no invoice" in str(lacking.exception)
    numbers = ["TEST-INV-4", "TEST-INV-5", "TEST-CN-2", "TEST-INV-6"]
    assert made == {"issued": numbers}
    assert again == "No purchase lacks a paper.\n"


def test_verify_sees_what_is_wrong_with_the_papers(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop, times=3)
    assert run(shop, "verify", "--quick").exit_code == 0
    with shop.transaction() as session:
        session.execute(delete(Invoice).where(Invoice.sequence == 2))
        session.execute(update(Invoice).values(gross_minor=1400))
        session.execute(
            update(Invoice)
            .where(Invoice.sequence == 3)
            .values(kind=PaperKind.CREDIT_NOTE, cause="refund:re_1")
        )

    done = run(shop, "verify", "--quick").stdout

    for said in (
        "Numbers with gaps: TEST-INV- (2 from 1 to 3).",
        "Orders with a payment or a refund without its paper: H-1003.",
        "Papers that say something else than the ledger: TEST-INV-1, TEST-INV-3.",
        "Orders that were credited more than they paid: H-1003.",
    ):
        assert said in done
