"""What is true of invoices and credit notes: I13.

The papers of each order are gone through in the order they were written, beside its
ledger, and worked out once more: by sums of their own, because those that wrote them
cannot find their own mistakes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.models import Invoice, Series
from handsel.models.words import FactKind, PaperKind, TaxTreatment
from handsel.ops.verify import money
from handsel.ops.verify.invariant import Invariant, listed, number, result
from handsel.sales import invoicing
from handsel.sales.payments.base import Fact
from handsel.sales.pricing import contained
from handsel.sales.tax import rules

_CAUSES = {
    FactKind.CAPTURE: ("sale", PaperKind.INVOICE),
    FactKind.REFUND: ("refund", PaperKind.CREDIT_NOTE),
    FactKind.DISPUTE_LOST: ("dispute", PaperKind.CREDIT_NOTE),
    FactKind.VOID: ("undone", PaperKind.INVOICE),
    FactKind.DISPUTE_WON: ("undone", PaperKind.INVOICE),
    FactKind.DISPUTE_SETTLED: ("undone", PaperKind.INVOICE),
}


def papers_in_order(session: Session) -> Invariant:
    """I13: numbers have no gaps, and papers say what the ledger says, and its tax.

    An order that was paid and has no paper at all is none of its business: it may be from
    before there were any.
    """
    total, found = 0, _Found()
    for orders in money.order_batches(session):
        papers = _papers(session, orders)
        facts = money.facts_of(session, orders) if papers else {}
        for order in orders:
            if there := papers.get(order.id):
                total += len(there)
                _look(order, facts[order.id], there, found)
    return result(
        "I13",
        f"The numbers of {total} invoices and credit notes have no gaps, and each of them "
        "is about money that moved.",
        listed("Numbers with gaps", _gaps(session)),
        listed("Orders with a payment or a refund without its paper", found.lacking),
        listed("Papers that say something else than the ledger", found.untrue),
        listed("Papers with a wrong tax", found.taxed_wrongly),
        listed("Orders that were credited more than they paid", found.over),
        listed("Orders with papers in several currencies", found.mixed),
    )


def _gaps(session: Session) -> Iterator[str]:
    """Name each series that does not go from its first number to its last, one by one."""
    there = (func.count(Invoice.id), func.min(Invoice.sequence))
    most = func.max(Invoice.sequence)
    rows = session.execute(
        select(Series.prefix, Series.first, Series.last, *there, most)
        .outerjoin(Invoice, Invoice.prefix == Series.prefix)
        .group_by(Series.prefix, Series.first, Series.last)
        .order_by(Series.prefix)
    )
    for prefix, first, last, *found in rows:
        whole = [last - first + 1, first, last] if last >= first else [0, None, None]
        if found != whole:
            yield f"{_named(prefix)} ({found[0]} from {first} to {last})"
    uncounted = (
        select(Invoice.prefix, func.count())
        .where(~select(Series).where(Series.prefix == Invoice.prefix).exists())
        .group_by(Invoice.prefix)
        .order_by(Invoice.prefix)
    )
    for prefix, many in session.execute(uncounted):
        yield f"{_named(prefix)} ({many}, and which is the last is not known)"


def _named(prefix: str) -> str:
    return prefix or "those without a prefix"


@dataclass
class _Found:
    """What is wrong: numbers of orders, and of papers."""

    lacking: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    taxed_wrongly: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)


def _papers(session: Session, orders: Sequence[Any]) -> Mapping[int, list[Any]]:
    """Give what counts of the papers of each order that has any, the oldest first."""
    found: dict[int, list[Any]] = defaultdict(list)
    rows = session.execute(
        select(
            Invoice.order_id,
            Invoice.kind,
            Invoice.cause,
            Invoice.prefix,
            Invoice.sequence,
            Invoice.currency,
            Invoice.gross_minor,
            Invoice.tax_minor,
            Invoice.basis_points,
            Invoice.treatment,
        )
        .where(Invoice.order_id.between(orders[0].id, orders[-1].id))
        .order_by(Invoice.id)
    )
    for row in rows:
        found[row.order_id].append(row)
    return found


def _look(
    order: Any, facts: Sequence[Fact], papers: Sequence[Any], found: _Found
) -> None:
    """Go through the papers of one order."""
    causes, sums = _causes(facts), _Sums()
    for paper in papers:
        name = f"{paper.prefix}{paper.sequence}"
        if not _is_true(paper, causes, sums):
            found.untrue.append(name)
        if paper.tax_minor != sums.tax_of(paper):
            found.taxed_wrongly.append(name)
        sums.add(paper)
    if _lacks(order, facts, papers, sums):
        found.lacking.append(number(order.id))
    if sums.back > sums.sold:
        found.over.append(number(order.id))
    if len({paper.currency for paper in papers}) > 1:
        found.mixed.append(number(order.id))


def _causes(facts: Iterable[Fact]) -> dict[str, tuple[PaperKind, Money]]:
    """Say what papers there may be: by the name of their cause, of what kind and sum."""
    found = {}
    for fact in facts:
        if fact.kind in _CAUSES:
            word, kind = _CAUSES[fact.kind]
            found[f"{word}:{fact.object_id}"] = (kind, fact.amount)
    return found


def _is_true(
    paper: Any, causes: Mapping[str, tuple[PaperKind, Money]], sums: "_Sums"
) -> bool:
    """Say whether a paper is about money that moved, and says how much."""
    kind, amount = causes.get(paper.cause, (None, None))
    return (
        amount is not None
        and (paper.kind, paper.currency) == (kind, amount.currency)
        and paper.gross_minor == sums.asked(paper.cause, paper.kind, amount.minor)
    )


def _lacks(
    order: Any, facts: Sequence[Fact], papers: Sequence[Any], sums: "_Sums"
) -> bool:
    """Say whether money moved that asks for a paper and has none."""
    if order.paid_at is None or not order.price_minor:
        return False
    missing = invoicing.missing(facts, {paper.cause for paper in papers})
    return any(sums.asked(each.cause, each.kind, each.amount.minor) for each in missing)


class _Sums:
    """What the papers of an order come to, up to one of them, in minor units."""

    def __init__(self) -> None:
        self.sold = 0
        self.tax = 0
        """In all that was sold."""
        self.back = 0
        """What went back, less what came again."""

    def asked(self, cause: str, kind: PaperKind, moved: int) -> int:
        """Say how much the next paper is about: no more goes back than came."""
        if cause.startswith(invoicing.SALE):
            return moved
        left = self.back if kind is PaperKind.INVOICE else self.sold - self.back
        return max(0, min(moved, left))

    def tax_of(self, paper: Any) -> int:
        """Work out the tax of the next paper; what its provider found is as it is."""
        gross: int = paper.gross_minor
        if paper.cause.startswith(invoicing.SALE):
            if paper.treatment is TaxTreatment.PROVIDER:
                return int(paper.tax_minor)
            return contained(
                Money(gross, paper.currency), paper.basis_points or 0
            ).minor
        if not self.sold:
            return 0
        again = paper.kind is PaperKind.INVOICE
        before = self.back - gross if again else self.back
        return rules.share(self.tax, self.sold, before, gross)

    def add(self, paper: Any) -> None:
        """Go on to the paper behind this one."""
        if paper.cause.startswith(invoicing.SALE):
            self.sold += paper.gross_minor
            self.tax += paper.tax_minor
        elif paper.kind is PaperKind.CREDIT_NOTE:
            self.back += paper.gross_minor
        else:
            self.back -= paper.gross_minor
