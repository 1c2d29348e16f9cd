"""Who is told when money moves after a sale: the buyer of refunds, the seller of trouble."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from handsel.models import Order
from handsel.models.words import FactKind
from handsel.outbound import emails
from handsel.sales.payments.base import Fact

NEWS = timedelta(days=7)
"""What is older is no news, when a whole order is heard of anew after a restore."""

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
        if rebuilt and now - fact.at > NEWS:
            continue
        if fact.kind is FactKind.REFUND and fact.object_id not in voided:
            emails.refund(session, order, fact.object_id, fact.amount, now)
        elif fact.kind is FactKind.VOID:
            emails.refund_failed(session, order, fact.object_id, fact.amount, now)
        elif fact.kind in _DISPUTES:
            emails.dispute(session, order, fact.object_id, fact.kind, fact.amount, now)
