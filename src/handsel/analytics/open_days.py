"""The days whose events and papers are not added up yet: they are counted when looked at."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.analytics.periods import Period
from handsel.models import EventDay

_KEY = "handsel.open_days"


def within(session: Session, period: Period) -> Sequence[date]:
    """Give them: mostly one. Asked once in a session, which sees one moment."""
    if _KEY not in session.info:
        query = select(EventDay.day).where(~EventDay.counted)
        session.info[_KEY] = session.scalars(query).all()
    return [day for day in session.info[_KEY] if period.first <= day <= period.last]
