"""The papers there are: those of an order, one by its number, many for a list."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from handsel.kit.errors import NotFoundError
from handsel.models import Invoice, LedgerEntry, Order
from handsel.models.orders import order_number
from handsel.models.words import FactKind
from handsel.sales import orders


@dataclass(frozen=True)
class Filter:
    """Which papers to list; None means any. `most` rows at the most, newest first.

    Args:
        test: those of test purchases instead of the real ones.
        order: the number of one.
    """

    since: datetime | None = None
    until: datetime | None = None
    order: str | None = None
    test: bool = False
    most: int = 100


def of(session: Session, order: Order) -> Sequence[Invoice]:
    """Give every paper of an order, the oldest first."""
    wanted = select(Invoice).where(Invoice.order_id == order.id).order_by(Invoice.id)
    return session.scalars(wanted).all()


def get(session: Session, order: Order, paper_id: int) -> Invoice:
    """Give one paper of an order. Raises NotFoundError."""
    found = session.get(Invoice, paper_id)
    if found is None or found.order_id != order.id:
        raise NotFoundError("There is no such paper of this purchase.")
    return found


def by_number(session: Session, number: str) -> Invoice | None:
    """Give the paper people call `INV-17`, in capitals or not; None if there is none."""
    parts = re.fullmatch(r"(.*?)([1-9][0-9]{0,8})", number.strip(), re.ASCII)
    # A prefix may itself end in digits: then more than one part of the number fits.
    for cut in range(len(parts[2]) if parts else 0):
        assert parts
        prefix, digits = parts[1] + parts[2][:cut], parts[2][cut:]
        if digits.startswith("0"):
            continue
        wanted = select(Invoice).where(
            func.lower(Invoice.prefix) == prefix.lower(),
            Invoice.sequence == int(digits),
        )
        if found := session.scalars(wanted.limit(1)).one_or_none():
            return found
    return None


def find(session: Session, wanted: Filter) -> Sequence[Invoice]:
    """List papers, newest first. Raises NotFoundError for an order that is not there."""
    query = select(Invoice).where(Invoice.test.is_(wanted.test))
    if wanted.since is not None:
        query = query.where(Invoice.issued_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(Invoice.issued_at < wanted.until)
    if wanted.order is not None:
        order = orders.by_number(session, wanted.order)
        query = select(Invoice).where(Invoice.order_id == order.id)
    return session.scalars(query.order_by(Invoice.id.desc()).limit(wanted.most)).all()


def facts(paper: Invoice) -> dict[str, Any]:
    """Give a paper as `--json` shows it."""
    return {
        "number": paper.number,
        "kind": str(paper.kind),
        "order": order_number(paper.order_id),
        "issued_at": paper.issued_at.isoformat(),
        "supplied_at": paper.supplied_at.isoformat(),
        "title": paper.title,
        "currency": paper.currency,
        "gross_minor": paper.gross_minor,
        "tax_minor": paper.tax_minor,
        "basis_points": paper.basis_points,
        "tax_class": str(paper.tax_class),
        "treatment": str(paper.treatment),
        "country": paper.country,
        "vat_number": paper.vat_number,
        "confirmed": paper.confirmed,
        "test": paper.test,
    }


def lacking(
    session: Session,
    most: int,
    *,
    after: Order | None = None,
    to_change: bool = False,
) -> Sequence[Order]:
    """Give orders that were paid and have no paper, the oldest payment first.

    Args:
        after: only those behind this one.
        to_change: keep other writers off them until this transaction ends. Who had to
            wait for them may be given some that have their papers by now.
    """
    paid = (
        select(LedgerEntry.id)
        .where(
            LedgerEntry.order_id == Order.id,
            LedgerEntry.kind == FactKind.CAPTURE,
            LedgerEntry.amount_minor > 0,
        )
        .exists()
    )
    there = select(Invoice.id).where(Invoice.order_id == Order.id).exists()
    wanted = (
        select(Order)
        .where(paid, ~there, Order.price_minor > 0)
        .where(Order.paid_at.is_not(None), Order.review_reason.is_(None))
        .order_by(Order.paid_at, Order.id)
        .limit(most)
    )
    if after is not None:
        wanted = wanted.where(_behind(after))
    return session.scalars(wanted.with_for_update() if to_change else wanted).all()


def _behind(order: Order) -> ColumnElement[bool]:
    types = [Order.paid_at.type, Order.id.type]
    return tuple_(Order.paid_at, Order.id) > tuple_(
        order.paid_at, order.id, types=types
    )
