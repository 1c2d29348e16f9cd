"""The visit of one order: where it came from, and what was done when."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.models import Event, OrderVisit, Source


def of_order(session: Session, order_id: int) -> dict[str, Any] | None:
    """Give what is known of the visit in which an order was begun; None of nothing.

    `source`, `medium`, `campaign`, `term`, `content`, `referrer`, `page`, `country`, `device`
    (empty where nothing was said), and `events`: `kind` and `at`, the first first.
    """
    row = session.execute(
        select(OrderVisit, Source).join(Source).where(OrderVisit.order_id == order_id)
    ).one_or_none()
    if row is None:
        return None
    visit, source = row
    words = ("medium", "campaign", "term", "content", "referrer", "page")
    events = session.execute(
        select(Event.kind, Event.at)
        .where(Event.order_id == order_id)
        .order_by(Event.at, Event.id)
    )
    return {
        "source": source.name,
        **{name: getattr(source, name) for name in words},
        "country": visit.country,
        "device": str(visit.device),
        "events": [
            {"kind": str(event.kind), "at": event.at.isoformat()} for event in events
        ],
    }
