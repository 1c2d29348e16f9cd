"""Which days a page of the desk shows: chosen by a link, or from one day to another."""

from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from handsel.analytics.periods import Period, read_period
from handsel.kit.errors import BadInputError
from handsel.web.pages import the_shop

USUAL = "30d"
CHOICES = {
    "today": "Today",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "12m": "12 months",
}


@dataclass(frozen=True)
class Choice:
    """One link of the row of periods."""

    url: str
    name: str
    here: bool


@dataclass(frozen=True)
class Days:
    """What was asked for, and how else to ask.

    Args:
        said: as it stands in the address.
        error: why it is the usual instead; empty if it is not.
        hidden: what else stands in the address, to be kept by the form.
    """

    period: Period
    said: str
    error: str
    choices: list[Choice]
    hidden: dict[str, str]
    own: bool


def asked_days(**kept: str) -> Days:
    """Read the period of the address; what is none is said, and the usual is shown.

    Args:
        kept: what else of the address links to other periods keep; empty is left out.
    """
    today = the_shop().now().date()
    said, error = _said(), ""
    try:
        period = read_period(said, today)
    except BadInputError as problem:
        error, said = f"{problem.message} {problem.hint}", USUAL
        period = read_period(said, today)
    others: dict[str, Any] = {name: value for name, value in kept.items() if value}
    endpoint = request.endpoint or "desk.home"
    choices = [
        Choice(url_for(endpoint, period=short, **others), name, short == said)
        for short, name in CHOICES.items()
    ]
    return Days(period, said, error, choices, others, said not in CHOICES)


def _said() -> str:
    """Give the period of the address: its one word, or the two days of the form."""
    first, last = (request.args.get(name, "").strip() for name in ("from", "to"))
    if not first and not last:
        return request.args.get("period", "").strip() or USUAL
    first, last = first or last, last or first
    return "..".join(sorted((first, last)))
