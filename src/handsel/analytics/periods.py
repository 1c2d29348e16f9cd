"""A time as people say it: `28d`, `12m`, `2026-10`, `2026-Q4`."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from handsel.kit.errors import BadInputError

FIRST = date(2000, 1, 1)


@dataclass(frozen=True)
class Period:
    """From one day to another, both counted, in UTC."""

    first: date
    last: date

    def __str__(self) -> str:
        """Write it as `2026-10-01..2026-10-31`."""
        return f"{self.first}..{self.last}"

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=count) for count in range(self.length)]

    @property
    def length(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """Give as many days, right before it: what it is compared with."""
        length = timedelta(days=self.length)
        return Period(self.first - length, self.last - length)


def read_period(text: str, today: date) -> Period:
    """Read `28d` or `12m` (today is the last day), `today`, `yesterday`, `2026`,
    `2026-10`, `2026-Q4`, `2026-10-01`, `2026-10-01..2026-10-31`, or `all`.

    Raises BadInputError.
    """
    said = text.strip()
    try:
        period = _read(said.lower(), today)
    except (ValueError, OverflowError):
        period = None
    if period is None or period.first > period.last:
        raise BadInputError(
            f"{said!r} is no period.",
            "Write it like 28d, 12m, 2026-10, 2026-Q4, 2026-10-01..2026-10-31, or all.",
        )
    return period


def _read(said: str, today: date) -> Period | None:
    words = {"today": 0, "yesterday": 1}
    if said in words:
        day = today - timedelta(days=words[said])
        return Period(day, day)
    if said == "all":
        return Period(FIRST, today)
    if found := re.fullmatch(r"(\d{1,4})d", said):
        days = int(found[1])
        return Period(today - timedelta(days=days - 1), today) if days else None
    if found := re.fullmatch(r"(\d{1,3})m", said):
        return _last_months(int(found[1]), today)
    if ".." in said:
        first, _, last = said.partition("..")
        return Period(date.fromisoformat(first), date.fromisoformat(last))
    return _calendar(said)


def _calendar(said: str) -> Period | None:
    if found := re.fullmatch(r"(\d{4})", said):
        return Period(date(int(found[1]), 1, 1), date(int(found[1]), 12, 31))
    if found := re.fullmatch(r"(\d{4})-q([1-4])", said):
        return _months(int(found[1]), 3 * int(found[2]) - 2, 3)
    if found := re.fullmatch(r"(\d{4})-(\d{2})", said):
        return _months(int(found[1]), int(found[2]), 1)
    day = date.fromisoformat(said)
    return Period(day, day)


def _last_months(count: int, today: date) -> Period | None:
    """Give months up to today: 12 of them begin on the day after this one, a year ago."""
    if not count:
        return None
    years, month = divmod(today.year * 12 + today.month - 1 - count, 12)
    last = monthrange(years, month + 1)[1]
    same = date(years, month + 1, min(today.day, last))
    return Period(same + timedelta(days=1), today)


def _months(year: int, month: int, count: int) -> Period:
    last = month + count - 1
    return Period(date(year, month, 1), date(year, last, monthrange(year, last)[1]))
