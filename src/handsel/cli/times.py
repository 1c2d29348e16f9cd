"""Times as sellers type them: a date, or a date and a time, by this machine's clock."""

from datetime import UTC, datetime, timedelta

import click

Option = click.Parameter


def moment(_: click.Context, __: Option, text: str | None) -> datetime | None:
    """Read a time; without a zone it is that of this machine, a date its midnight."""
    return None if text is None else _read(text)


def until(_: click.Context, __: Option, text: str | None) -> datetime | None:
    """Read when something ends; a date alone ends with its last second."""
    if text is None:
        return None
    found = _read(text)
    return (
        found + timedelta(days=1) if len(text.strip()) <= len("2027-01-31") else found
    )


def _read(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            "Write it like 2027-01-31 or 2027-01-31T09:00."
        ) from None
