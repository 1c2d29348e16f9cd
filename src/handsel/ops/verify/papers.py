"""What is true of invoices and credit notes: I13."""

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.models import Invoice, LedgerEntry, Order, Series
from handsel.models.words import FactKind, PaperKind
from handsel.ops.verify.invariant import EXAMPLES, Invariant, listed, number, result


def papers_in_order(session: Session) -> Invariant:
    """I13: numbers have no gaps, and papers say what the ledger says."""
    total = session.scalar(select(func.count()).select_from(Invoice))
    return result(
        "I13",
        f"The numbers of {total} invoices and credit notes have no gaps, and each of them "
        "is about money that moved.",
        listed("Numbers with gaps", _gaps(session)),
        listed("Payments without an invoice", map(number, _uninvoiced(session))),
        listed("Invoices without a payment", _unpaid(session)),
        listed("Orders that were credited more than they paid", _too_much(session)),
    )


def _gaps(session: Session) -> Iterator[str]:
    """Name each series whose numbers are not one after the other, up to the last given."""
    rows = session.execute(
        select(
            Series.prefix,
            Series.last,
            func.count(Invoice.id),
            func.min(Invoice.sequence),
            func.max(Invoice.sequence),
        )
        .outerjoin(Invoice, Invoice.prefix == Series.prefix)
        .group_by(Series.prefix, Series.last)
    )
    for prefix, last, many, least, most in rows:
        if many and (most != last or most - least + 1 != many):
            yield f"{prefix or 'those without a prefix'} ({many} up to {last})"


def _uninvoiced(session: Session) -> Sequence[int]:
    """Find payments without a paper in orders that have one for another."""
    there = select(Invoice.id).where(Invoice.order_id == LedgerEntry.order_id)
    own = there.where(Invoice.cause == "sale:" + LedgerEntry.object_id)
    wanted = select(LedgerEntry.order_id).where(
        LedgerEntry.kind == FactKind.CAPTURE,
        LedgerEntry.amount_minor > 0,
        there.exists(),
        ~own.exists(),
    )
    return session.scalars(wanted.limit(EXAMPLES)).all()


def _unpaid(session: Session) -> Sequence[str]:
    paid = select(LedgerEntry.id).where(
        LedgerEntry.order_id == Invoice.order_id,
        LedgerEntry.kind == FactKind.CAPTURE,
        LedgerEntry.amount_minor == Invoice.gross_minor,
        Invoice.cause == "sale:" + LedgerEntry.object_id,
    )
    sale = Invoice.cause.startswith("sale:", autoescape=True)
    wanted = select(Invoice).where(sale, ~paid.exists()).limit(EXAMPLES)
    return [paper.number for paper in session.scalars(wanted)]


def _too_much(session: Session) -> list[str]:
    back = func.sum(Invoice.gross_minor).filter(Invoice.kind == PaperKind.CREDIT_NOTE)
    paid = func.sum(Invoice.gross_minor).filter(Invoice.kind == PaperKind.INVOICE)
    wanted = (
        select(Order.id)
        .join(Invoice, Invoice.order_id == Order.id)
        .group_by(Order.id)
        .having(func.coalesce(back, 0) > func.coalesce(paid, 0))
        .limit(EXAMPLES)
    )
    return [number(row) for row in session.scalars(wanted)]
