"""Invoices and credit notes at the desk: listed, as PDF and CSV, and made up for."""

from typing import Any

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import NotFoundError
from handsel.kit.text import content_disposition
from handsel.models import Invoice, Order
from handsel.models.words import PaperKind
from handsel.ops import bookkeeping, paperpdf
from handsel.ops.desk import papers as listing
from handsel.sales import papers
from handsel.web.admin import written
from handsel.web.admin.desk import (
    NUMBER,
    audited,
    confirmed,
    desk,
    done,
    row_number,
)
from handsel.web.admin.money_reports import asked_span, quarters, said_span, sure_span
from handsel.web.admin.reports import tabs
from handsel.web.admin.sheets import streamed
from handsel.web.pages import page, the_shop

AT_ONCE = 1000
"""Purchases that get their missing papers at one press, so that nobody waits long."""


@desk.get("/reports/invoices")
def report_invoices() -> AnyResponse:
    """List the papers of a quarter or year, newest first, or find one by its number."""
    wanted = request.args.get("number", "").strip()
    try:
        if wanted:
            return redirect(_order_of(wanted))
    except NotFoundError:
        return _list(f"There is no paper and no order {wanted} that has one.", wanted)
    return _list()


def _order_of(number: str) -> str:
    """Give the page of the order that a paper is of. Raises NotFoundError."""
    with the_shop().reading() as session:
        _, order = bookkeeping.paper(session, number)
        return url_for("desk.order", number=order.number)


def _list(error: str = "", number: str = "") -> Response:
    said, span, wrong = asked_span()
    after = request.args.get("after", type=row_number)
    with the_shop().reading() as session:
        found = listing.page(session, span, after=after, most=listing.AT_ONCE + 1)
        rows = [_row(each) for each in found[: listing.AT_ONCE]]
    kept = said_span(said, span)
    older = found[listing.AT_ONCE - 1].id if len(found) > listing.AT_ONCE else None
    return page(
        "admin/report_invoices.html",
        422 if error or wrong else 200,
        tabs=tabs("invoices"),
        error=error or wrong,
        number=number,
        said=said,
        quarters=quarters(),
        test=span.test,
        rows=rows,
        older_url=url_for("desk.report_invoices", **kept, after=older) if older else "",
        newest_url=url_for("desk.report_invoices", **kept) if after else "",
        csv_url=url_for("desk.report_invoices_csv", **kept),
    )


def _row(paper: Invoice) -> dict[str, Any]:
    found = listing.facts(paper)
    return {
        "number": paper.number,
        "kind": papers.HEADINGS[paper.kind],
        "back": paper.kind is PaperKind.CREDIT_NOTE,
        "url": url_for("desk.invoice_pdf", paper_id=paper.id),
        "at": paper.supplied_at,
        "order": found["order"],
        "order_url": url_for("desk.order", number=found["order"]),
        "country": written.country(paper.country) if paper.country else "(unknown)",
        "rule": found["treatment"].replace("_", " "),
        "tax": written.money(found["tax_minor"], paper.currency),
        "total": written.money(found["gross_minor"], paper.currency),
    }


@desk.route("/reports/invoices.csv", methods=["GET", "POST"])
def report_invoices_csv() -> Response:
    """Give the papers of a time as CSV; the password was asked for, if need be.

    Raises BadInputError.
    """
    said, span = sure_span()
    confirmed()
    shop = the_shop()
    with shop.transaction() as session:
        audited(session, "invoices.exported", said)
    return streamed(listing.csv(shop, span), f"invoices-{said.lower()}")


@desk.get(f"/invoices/<{NUMBER}:paper_id>.pdf")
def invoice_pdf(paper_id: int) -> Response:
    """Give one paper as a PDF, also of a buyer who was forgotten. Raises NotFoundError."""
    shop = the_shop()
    with shop.reading() as session:
        found = session.get(Invoice, paper_id)
        if found is None:
            raise NotFoundError("There is no such paper.")
        order = session.get_one(Order, found.order_id)
        words = papers.in_words(session, order, found, shop.settings.shop.locale)
    response = Response(paperpdf.render(words), content_type="application/pdf")
    name = content_disposition(f"{words.number}.pdf")
    response.headers["Content-Disposition"] = name
    return response


@desk.post("/reports/invoices/missing")
def issue_missing() -> AnyResponse:
    """Issue papers that are missing, of so many purchases at once; safe to repeat."""
    confirmed()
    untaxed = "untaxed" in request.form
    made = bookkeeping.issue_missing(
        the_shop(),
        untaxed=untaxed,
        most=AT_ONCE,
        witness=lambda session: audited(
            session, "invoices.issued", "missing ones", untaxed=untaxed
        ),
    )
    if not made:
        return done("desk.report_invoices", "No purchase lacks a paper.")
    words = f"{len(made):,} issued, {made[0]} to {made[-1]}."
    if len(made) >= AT_ONCE:
        words += " There may be more: press again."
    return done("desk.report_invoices", words)
