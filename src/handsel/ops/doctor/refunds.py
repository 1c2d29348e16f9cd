"""What the records tell of refunds: those nobody has finished, or knows about."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from handsel.models import Order, Refund
from handsel.models.words import RefundState
from handsel.ops.doctor.findings import Finding, Level

UNFINISHED = timedelta(hours=1)
"""How long a refund may be unfinished before somebody is told."""
MOST_NAMED = 5


def look(session: Session, now: datetime) -> Iterator[Finding]:
    """Money that may or may not have gone back is named until it is asked for anew."""
    later = aliased(Refund)
    last = select(func.max(later.id)).where(later.order_id == Refund.order_id)
    rows = session.execute(
        select(Refund.state, Refund.asked_at, Order)
        .join(Order, Order.id == Refund.order_id)
        .where(
            Refund.id == last.correlate(Refund).scalar_subquery(),
            Refund.state.in_((RefundState.ASKED, RefundState.UNKNOWN)),
            Refund.asked_at < now - UNFINISHED,
        )
        .order_by(Refund.id)
    ).all()
    unknown = [row.Order.number for row in rows if row.state is RefundState.UNKNOWN]
    asked = [row.Order.number for row in rows if row.state is RefundState.ASKED]
    if unknown:
        yield Finding(
            "H029",
            Level.WARNING,
            f"Nobody knows whether money went back: {', '.join(unknown[:MOST_NAMED])}.",
            "Look at the payments in your provider's dashboard, and refund again what did "
            "not go.",
        )
    if asked:
        yield Finding(
            "H028",
            Level.WARNING,
            f"Refunds are not made for an hour: {', '.join(asked[:MOST_NAMED])}.",
            "Does a worker run, and is the provider in payments.enabled? The log says why.",
        )
