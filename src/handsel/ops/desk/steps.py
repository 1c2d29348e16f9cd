"""A long time in steps that can still be told apart: days, then weeks, then months."""

from datetime import date, timedelta

from handsel.analytics.periods import Period
from handsel.analytics.units import Unit

MOST_DAYS = 62
MOST_WEEKS = 62


def steps(period: Period) -> list[Period]:
    """Divide a period; its first and last step may be shorter than the others."""
    if period.length <= MOST_DAYS:
        return [Period(day, day) for day in period.days]
    weekly = period.length <= 7 * MOST_WEEKS
    found, first = [], period.first
    while first <= period.last:
        end = _sunday(first) if weekly else _last_of_month(first)
        last = min(end, period.last)
        found.append(Period(first, last))
        first = last + timedelta(days=1)
    return found


def name_of(length: int) -> Unit:
    """Say what the steps of a period of so many days are."""
    if length <= MOST_DAYS:
        return "day"
    return "week" if length <= 7 * MOST_WEEKS else "month"


def _sunday(day: date) -> date:
    return day + timedelta(days=6 - day.weekday())


def _last_of_month(day: date) -> date:
    next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return next_month - timedelta(days=1)
