"""Times as people type them: a date, or a date and a time, by this machine's clock."""

from datetime import UTC, datetime, timedelta, tzinfo

from handsel.kit.errors import BadInputError


def read_moment(text: str, zone: tzinfo | None = None) -> datetime:
    """Read a time; a date is its midnight.

    Without a zone of its own it is of `zone`; None: of this machine. Raises BadInputError.
    """
    return _read(text, timedelta(0), zone)


def read_end(text: str, zone: tzinfo | None = None) -> datetime:
    """Read when something ends, as `read_moment`; a date alone ends with its last second.

    Raises BadInputError.
    """
    return _read(text, timedelta(days=1), zone)


def last_day(end: datetime) -> str:
    """Write the last day of something that ends then, by the clock of this machine."""
    return (end - timedelta(seconds=1)).astimezone().date().isoformat()


def _read(text: str, after_a_date: timedelta, zone: tzinfo | None) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
        if len(text.strip()) <= len("2027-01-31"):
            found += after_a_date  # before the zone: a day may have 23 hours
        if zone and not found.tzinfo:
            found = found.replace(tzinfo=zone)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(
            f"{text.strip()[:40]!r} is no time.",
            "Write it like 2027-01-31 or 2027-01-31T09:00.",
        ) from None
