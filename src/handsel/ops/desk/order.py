"""One order with all that is known of it, and what can be done with it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.analytics.reports import visit
from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models import Allowance, Entitlement, Order, ReleaseFile
from handsel.models.words import FREE, GIFT, FactKind, OrderStatus
from handsel.ops.desk import timeline
from handsel.ops.desk.timeline import Moment
from handsel.sales import (
    balance,
    blocks,
    invoices,
    orders,
    payout_lines,
    refunds,
    report,
)
from handsel.sales.payments.base import Fact
from handsel.shop import Shop


@dataclass(frozen=True)
class Taken:
    """How often a file was taken, and may be."""

    name: str
    taken: int
    limit: int


@dataclass(frozen=True)
class May:
    """What can be done with an order as it stands. `refund`: what could go back."""

    resend: bool
    readdress: bool
    reset: bool
    revoke: bool
    restore: bool
    accept: bool
    refund: Money | None
    contest: bool


@dataclass(frozen=True)
class Look:
    """One order as its page shows it.

    Args:
        facts: as `order show --json` has it.
        name: of the product.
        back: what has gone back.
        captures: what the provider calls the payments.
        visit: where the buyer came from, or None.
        fees: what the order did to the balance at the provider.
        papers: invoices and credit notes, with the id of each.
        held: why nothing is delivered; empty when it is.
        blocked: whether the address is one that is not sold to.
    """

    order: Order
    facts: Mapping[str, Any]
    name: str
    back: Money
    captures: Sequence[str]
    visit: Mapping[str, Any] | None
    fees: Sequence[Mapping[str, Any]]
    papers: Sequence[tuple[int, Mapping[str, Any]]]
    files: Sequence[Taken]
    moments: Sequence[Moment]
    held: str
    blocked: bool
    may: May


def look(session: Session, shop: Shop, number: str) -> Look:
    """Give all that is known of an order. Raises NotFoundError."""
    order = orders.by_number(session, number)
    facts = orders.facts_of(session, order)
    said = report.facts(session, shop.keys, shop.settings.public_url, order)
    files = _files(session, order)
    email = order.email
    return Look(
        order=order,
        facts=said,
        name=order.product.name,
        back=orders.refunded(session, order),
        captures=[f.object_id for f in facts if f.kind is FactKind.CAPTURE],
        visit=visit.of_order(session, order.id),
        fees=payout_lines.of_order(session, order),
        papers=[(p.id, invoices.facts(p)) for p in invoices.of(session, order)],
        files=files,
        moments=timeline.of_order(session, order),
        held=order.review_reason or "",
        blocked=bool(email) and blocks.is_blocked(session, shop.keys, email or ""),
        may=_may(session, order, facts, files, access=said["access"]),
    )


def _files(session: Session, order: Order) -> Sequence[Taken]:
    rows = session.execute(
        select(ReleaseFile.name, Allowance.taken, Allowance.lim)
        .join(Allowance, Allowance.file_id == ReleaseFile.id)
        .join(Entitlement, Entitlement.id == Allowance.entitlement_id)
        .where(Entitlement.order_id == order.id)
        .order_by(ReleaseFile.id)
    )
    return [Taken(*row) for row in rows]


def _may(
    session: Session,
    order: Order,
    facts: Sequence[Fact],
    files: Sequence[Taken],
    *,
    access: bool,
) -> May:
    paid, held = order.paid_at is not None, order.review_reason is not None
    return May(
        resend=paid and not held and bool(order.email),
        readdress=paid and order.erased_at is None,
        reset=access and any(each.taken for each in files),
        revoke=access,
        restore=paid and not access and not held,
        accept=held,
        refund=left(session, order, facts),
        contest=order.status is OrderStatus.DISPUTED,
    )


def left(session: Session, order: Order, facts: Sequence[Fact]) -> Money | None:
    """Say what could go back, as far as the shop has heard; None for nothing."""
    if order.provider in (FREE, GIFT):
        return None
    try:
        underway = refunds.underway(session, order, facts)
        there = balance.balance(order, facts, underway)
    except ConflictError:  # paid in several currencies: in the provider's panel only
        return None
    return there.left if there.left.minor else None
