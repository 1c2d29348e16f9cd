"""Days added up to weeks or months, which are called by their first day."""

from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Date, cast, func

Unit = Literal["day", "week", "month"]


def called(day: date, unit: Unit) -> str:
    """Give the first day of the week or month that a day is in, as `2026-11-23`."""
    if unit == "week":
        return (day - timedelta(days=day.weekday())).isoformat()
    return (day.replace(day=1) if unit == "month" else day).isoformat()


def first_day(day: Any, unit: Unit, *, on_postgresql: bool) -> Any:
    """Give what `called` gives, of a column; the column itself for days."""
    if unit == "day":
        return day
    if on_postgresql:
        return cast(func.date_trunc(unit, day), Date)
    if unit == "month":
        return func.date(day, "start of month")
    return func.date(day, "-6 days", "weekday 1")
