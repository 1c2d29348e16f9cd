"""Invoices and credit notes of a quarter: a page of the desk at a time, and as CSV."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from handsel.kit.sheets import cells, lines
from handsel.models import Invoice
from handsel.models.words import PaperKind
from handsel.sales import invoices
from handsel.sales.tax_report import Span, within
from handsel.shop import Shop

AT_ONCE = 50
CSV_AT_ONCE = 1000
HEAD = (
    *("number", "kind", "order", "issued_at", "supplied_at", "title", "currency"),
    *("gross", "tax", "rate", "tax_class", "treatment", "country", "vat_number"),
    *("confirmed", "test"),
)


def page(
    session: Session, span: Span, *, after: int | None = None, most: int = AT_ONCE
) -> Sequence[Invoice]:
    """Give papers whose money moved in this time, newest first.

    Args:
        after: the id of the last one of the page before; one that is not there means
            from the newest on.
    """
    query = select(Invoice).where(*within(span))
    last = session.get(Invoice, after) if after is not None else None
    if last is not None:
        query = query.where(
            Invoice.supplied_at <= last.supplied_at,
            or_(
                Invoice.supplied_at < last.supplied_at,
                and_(Invoice.supplied_at == last.supplied_at, Invoice.id < last.id),
            ),
        )
    newest = query.order_by(Invoice.supplied_at.desc(), Invoice.id.desc())
    return session.scalars(newest.limit(most)).all()


def facts(paper: Invoice) -> dict[str, Any]:
    """Give a paper as lists show it: what a credit note gives back is below nothing."""
    found = invoices.facts(paper)
    if paper.kind is PaperKind.CREDIT_NOTE:
        found |= {name: -found[name] for name in ("gross_minor", "tax_minor")}
    points = paper.basis_points
    rate = "" if points is None else f"{points // 100}.{points % 100:02}"
    return found | {"id": paper.id, "rate": rate}


def csv(shop: Shop, span: Span) -> Iterator[str]:
    """Write all papers of a time as CSV, newest first, line by line, in little memory."""
    return lines(HEAD, map(cells, _every(shop, span)))


def _every(shop: Shop, span: Span) -> Iterator[dict[str, Any]]:
    """Read some at a time: a long look would keep the database from tidying up."""
    last: int | None = None
    while True:
        with shop.reading() as session:
            found = page(session, span, after=last, most=CSV_AT_ONCE)
            rows = [facts(each) for each in found]
        yield from rows
        if len(rows) < CSV_AT_ONCE:
            return
        last = rows[-1]["id"]
