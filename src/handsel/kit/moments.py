"""Times as people type them: a date, or a date and a time, by this machine's clock."""

from datetime import UTC, datetime, timedelta

from handsel.kit.errors import BadInputError


def read_moment(text: str) -> datetime:
    """Read a time; without a zone it is that of this machine, a date its midnight.

    Raises BadInputError.
    """
    return _read(text, timedelta(0))


def read_end(text: str) -> datetime:
    """Read when something ends; a date alone ends with its last second.

    Raises BadInputError.
    """
    return _read(text, timedelta(days=1))


def last_day(end: datetime) -> str:
    """Write the last day of something that ends then, by the clock of this machine."""
    return (end - timedelta(seconds=1)).astimezone().date().isoformat()


def _read(text: str, after_a_date: timedelta) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
        if len(text.strip()) <= len("2027-01-31"):
            found += after_a_date  # before the zone: a day may have 23 hours
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(
            f"{text.strip()[:40]!r} is no time.",
            "Write it like 2027-01-31 or 2027-01-31T09:00.",
        ) from None
