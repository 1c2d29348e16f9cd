"""Times as sellers type them: a date, or a date and a time, by this machine's clock."""

from collections.abc import Callable
from datetime import datetime

import click

from handsel.kit import moments
from handsel.kit.errors import BadInputError

Option = click.Parameter


def moment(_: click.Context, __: Option, text: str | None) -> datetime | None:
    """Read a time; without a zone it is that of this machine, a date its midnight."""
    return None if text is None else _read(text, moments.read_moment)


def until(_: click.Context, __: Option, text: str | None) -> datetime | None:
    """Read when something ends; a date alone ends with its last second."""
    return None if text is None else _read(text, moments.read_end)


def last_day(ends_at: str | None) -> str:
    """Write the last day of something that ends then, by the clock of this machine."""
    return moments.last_day(datetime.fromisoformat(ends_at)) if ends_at else ""


def _read(text: str, read: Callable[[str], datetime]) -> datetime:
    try:
        return read(text)
    except BadInputError as error:
        raise click.BadParameter(error.hint) from None
