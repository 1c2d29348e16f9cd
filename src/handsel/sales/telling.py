"""Who is told when money moves after a sale: the buyer of refunds, the seller of trouble."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from handsel.models import Order
from handsel.models.words import FactKind
from handsel.outbound import emails
from handsel.sales import refunds
from handsel.sales.payments.base import Fact

NEWS = timedelta(days=7)
"""What is older is no news: it is heard of anew after a restore. A refund that was asked
for here is news at any age: some are on their way for long."""

_DISPUTES = (
    FactKind.DISPUTE_OPEN,
    FactKind.DISPUTE_WON,
    FactKind.DISPUTE_LOST,
    FactKind.DISPUTE_SETTLED,
)


def tell(session: Session, order: Order, facts: Sequence[Fact], now: datetime) -> None:
    """Write the mails about facts that were not known before, once for each."""
    voided = {fact.object_id for fact in facts if fact.kind is FactKind.VOID}
    rebuilt = any(fact.kind is FactKind.CAPTURE for fact in facts)
    for fact in facts:
        old = now - fact.at > NEWS
        if fact.kind is FactKind.REFUND and fact.object_id not in voided:
            if not old or refunds.asked_here(session, order, fact.object_id):
                emails.refund(session, order, fact.object_id, fact.amount, now)
        elif old and rebuilt:
            continue
        elif fact.kind is FactKind.VOID:
            _tell_void(session, order, fact, now)
        elif fact.kind in _DISPUTES:
            emails.dispute(session, order, fact.object_id, fact.kind, fact.amount, now)


def _tell_void(session: Session, order: Order, fact: Fact, now: datetime) -> None:
    ours = refunds.asked_here(session, order, fact.object_id)
    ended = emails.Ended("came_back", keep=bool(ours and ours.keep_access))
    emails.refund_failed(session, order, fact.object_id, fact.amount, ended, now)
