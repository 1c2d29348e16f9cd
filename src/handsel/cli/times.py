"""Times as sellers type them: a date, or a date and a time, by this machine's clock."""

from datetime import UTC, datetime, timedelta

import click

Option = click.Parameter


def moment(_: click.Context, __: Option, text: str | None) -> datetime | None:
    """Read a time; without a zone it is that of this machine, a date its midnight."""
    return None if text is None else _read(text, timedelta(0))


def until(_: click.Context, __: Option, text: str | None) -> datetime | None:
    """Read when something ends; a date alone ends with its last second."""
    return None if text is None else _read(text, timedelta(days=1))


def last_day(ends_at: str | None) -> str:
    """Write the last day of something that ends then, by the clock of this machine."""
    if not ends_at:
        return ""
    last = datetime.fromisoformat(ends_at) - timedelta(seconds=1)
    return last.astimezone().date().isoformat()


def _read(text: str, after_a_date: timedelta) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
        if len(text.strip()) <= len("2027-01-31"):
            found += after_a_date  # before the zone: a day may have 23 hours
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            "Write it like 2027-01-31 or 2027-01-31T09:00."
        ) from None
