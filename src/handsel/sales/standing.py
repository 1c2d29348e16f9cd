"""What an order has come to: a pure function of its facts, so their order cannot matter.

This is the only place that decides whether an order gives access.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from handsel.models.words import FactKind, OrderStatus, PaymentState
from handsel.sales.payments.base import Fact

_SETTLED = (FactKind.DISPUTE_WON, FactKind.DISPUTE_SETTLED)
_WAITING = {
    PaymentState.OPEN: OrderStatus.STARTED,
    PaymentState.PROCESSING: OrderStatus.PROCESSING,
    PaymentState.COMPLETE: OrderStatus.PROCESSING,
    PaymentState.FAILED: OrderStatus.EXPIRED,
    PaymentState.EXPIRED: OrderStatus.EXPIRED,
}


@dataclass(frozen=True)
class Standing:
    """The sum of an order's facts. Amounts are minor units of the order's currency."""

    status: OrderStatus
    access: bool
    captured: int
    refunded: int
    paid_at: datetime | None


def sum_up(
    facts: Iterable[Fact], state: PaymentState, *, needs_review: bool = False
) -> Standing:
    """Compute the standing of an order.

    A full refund, an open or lost dispute, and a review take access away; a dispute won
    or settled gives it back. A refund that is KEPT is money that went, and closes nothing.
    What the seller decided by hand holds until money moves again: a refund or a dispute
    after a manual grant counts, one before it does not.
    """
    facts = list(facts)
    captured = sum(fact.amount.minor for fact in _all(facts, FactKind.CAPTURE))
    refunds = _refunds(facts)
    refunded = sum(fact.amount.minor for fact in refunds)
    disputed = _disputed(facts)
    kept = {fact.object_id for fact in _all(facts, FactKind.KEPT)}
    closing = [fact for fact in refunds if fact.object_id not in kept]
    closed = sum(fact.amount.minor for fact in closing)
    bought = captured > closed and not disputed
    began = _all(facts, FactKind.CAPTURE, FactKind.MANUAL_GRANT)
    return Standing(
        status=_status(state, captured, refunded, disputed, needs_review, bool(began)),
        access=_access(facts, closing, bought) and not needs_review,
        captured=captured,
        refunded=refunded,
        paid_at=min((fact.at for fact in began), default=None),
    )


def _all(facts: Iterable[Fact], *kinds: FactKind) -> list[Fact]:
    return [fact for fact in facts if fact.kind in kinds]


def _refunds(facts: list[Fact]) -> list[Fact]:
    voided = {fact.object_id for fact in _all(facts, FactKind.VOID)}
    return [
        fact for fact in _all(facts, FactKind.REFUND) if fact.object_id not in voided
    ]


def _disputed(facts: list[Fact]) -> bool:
    settled = {fact.object_id for fact in _all(facts, *_SETTLED)}
    raised = _all(facts, FactKind.DISPUTE_OPEN, FactKind.DISPUTE_LOST)
    return any(fact.object_id not in settled for fact in raised)


def _access(facts: list[Fact], refunds: list[Fact], bought: bool) -> bool:
    by_hand = _all(facts, FactKind.MANUAL_GRANT, FactKind.MANUAL_REVOKE)
    if not by_hand:
        return bought
    last = max(by_hand, key=lambda fact: (fact.at, fact.object_id))
    if last.kind is FactKind.MANUAL_REVOKE:
        return False
    against = refunds + _all(facts, FactKind.DISPUTE_OPEN, FactKind.DISPUTE_LOST)
    return bought or not any(fact.at > last.at for fact in against)


def _status(
    state: PaymentState,
    captured: int,
    refunded: int,
    disputed: bool,
    needs_review: bool,
    began: bool,
) -> OrderStatus:
    if needs_review:
        return OrderStatus.NEEDS_REVIEW
    if not began:
        return _WAITING[state]
    if disputed:
        return OrderStatus.DISPUTED
    if refunded and refunded >= captured:
        return OrderStatus.REFUNDED
    return OrderStatus.PARTLY_REFUNDED if refunded else OrderStatus.PAID
