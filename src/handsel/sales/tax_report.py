"""What tax was in the sales of a time, by quarter, country and rate: for the tax return.

Papers are added up, not orders, each in the quarter in which its money moved: what was
refunded counts when it went back, as a return wants it. Each currency is added up for
itself, and each business by its VAT number.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Executable, case, func, select
from sqlalchemy.orm import Session

from handsel.models import Invoice
from handsel.models.words import PaperKind


@dataclass(frozen=True)
class Span:
    """From when on, and before when; None means from the first paper, or up to now.

    Args:
        test: papers of test purchases instead of the real ones.
    """

    since: datetime | None = None
    until: datetime | None = None
    test: bool = False


_SIGN = case((Invoice.kind == PaperKind.CREDIT_NOTE, -1), else_=1)
_GROUP = (
    Invoice.currency,
    Invoice.treatment,
    Invoice.country,
    Invoice.tax_class,
    Invoice.basis_points,
    Invoice.vat_number,
)


def by_country(session: Session, span: Span) -> list[dict[str, Any]]:
    """Add tax up for each quarter, currency, rule, country, class and rate.

    Gives `quarter` ("2026-Q4"), `sales_minor` (with the tax), `net_minor`, `tax_minor`, all
    less what went back, `invoices`, `credit_notes`, and `unconfirmed`: how many of these
    papers are about a buyer of whom no two pieces of evidence agree.
    """
    papers = select(func.min(Invoice.supplied_at), func.max(Invoice.supplied_at)).where(
        *within(span)
    )
    first, last = session.execute(papers).one()
    rows = []
    begin = _begin(first) if first else None
    while begin and begin <= last:
        end = _next(begin)
        since = max(begin, span.since or begin)
        until = min(end, span.until or end)
        found = session.execute(_sums(Span(since, until, span.test)))
        name = f"{begin.year}-Q{begin.month // 3 + 1}"
        rows += sorted((_facts(name, row) for row in found), key=_place)
        begin = end
    return rows


def _begin(moment: datetime) -> datetime:
    """Give the first moment of a quarter."""
    month = moment.month - (moment.month - 1) % 3
    return datetime(moment.year, month, 1, tzinfo=UTC)


def _next(begin: datetime) -> datetime:
    month = begin.month + 3
    return begin.replace(year=begin.year + month // 13, month=(month - 1) % 12 + 1)


def within(span: Span) -> list[ColumnElement[bool]]:
    """Say which papers are of a time: those whose money moved in it."""
    wanted: list[ColumnElement[bool]] = [Invoice.test.is_(span.test)]
    if span.since is not None:
        wanted.append(Invoice.supplied_at >= span.since)
    if span.until is not None:
        wanted.append(Invoice.supplied_at < span.until)
    return wanted


def _sums(span: Span) -> Executable:
    return (
        select(
            *_GROUP,
            func.sum(_SIGN * Invoice.gross_minor).label("gross"),
            func.sum(_SIGN * Invoice.tax_minor).label("tax"),
            func.count().filter(Invoice.kind == PaperKind.INVOICE).label("invoices"),
            func.count().label("papers"),
            func.count().filter(Invoice.confirmed.is_(False)).label("unconfirmed"),
        )
        .where(*within(span))
        .group_by(*_GROUP)
    )


def _facts(quarter: str, row: Any) -> dict[str, Any]:
    gross, tax = int(row.gross), int(row.tax)
    return {
        "quarter": quarter,
        "currency": row.currency,
        "treatment": str(row.treatment),
        "country": row.country,
        "tax_class": str(row.tax_class),
        "basis_points": row.basis_points,
        "vat_number": row.vat_number,
        "sales_minor": gross,
        "net_minor": gross - tax,
        "tax_minor": tax,
        "invoices": row.invoices,
        "credit_notes": row.papers - row.invoices,
        "unconfirmed": row.unconfirmed,
    }


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("currency", "treatment", "country", "vat_number", "tax_class")
    return (*(row[name] or "" for name in names), row["basis_points"] or 0)


def totals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add up each currency of each quarter."""
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["quarter"], row["currency"])
        start = {"sales_minor": 0, "net_minor": 0, "tax_minor": 0}
        found = sums.setdefault(key, {"quarter": key[0], "currency": key[1], **start})
        for name in start:
            found[name] += row[name]
    return list(sums.values())
