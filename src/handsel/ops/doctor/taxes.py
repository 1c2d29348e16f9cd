"""Whether tax and papers are in order: rates that may be old, numbers, what is missing."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError
from handsel.ops.doctor.findings import Finding, Level
from handsel.sales import invoices
from handsel.sales.tax import numbers, rates
from handsel.settings import Settings

MANY = 1000


def look(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at the rates and the seller's number where they count, and at the papers."""
    if settings.tax.mode == "eu":
        yield from _rates(now)
        yield from _number(settings)
    if settings.tax.mode != "none":
        yield from _words(settings)
    lacking = len(invoices.lacking(session, MANY))
    if lacking:
        many = (
            f"{lacking} or more purchases have"
            if lacking == MANY
            else ("1 purchase has" if lacking == 1 else f"{lacking} purchases have")
        )
        yield Finding(
            "H092",
            Level.INFO,
            f"{many} no invoice; perhaps they are from before there were any here.",
            "If you need them, `handsel invoice issue` makes up for it.",
        )


def _rates(now: datetime) -> Iterator[Finding]:
    if rates.is_stale(now.date()):
        yield Finding(
            "H090",
            Level.WARNING,
            f"The VAT rates were last compared with their sources on "
            f"{rates.last_checked()}.",
            "Update Handsel, or check the rates of the countries you sell to.",
        )


def _words(settings: Settings) -> Iterator[Finding]:
    lacking = [
        name
        for name, value in {
            "shop.address": settings.shop.address.strip(),
            "tax.number": settings.tax.number or settings.tax.mode == "eu",
        }.items()
        if not value
    ]
    if lacking:
        yield Finding(
            "H093",
            Level.WARNING,
            f"Invoices lack something: {' and '.join(lacking)} "
            f"{'is' if len(lacking) == 1 else 'are'} empty.",
            "Tax offices want your address and your number on an invoice.",
        )


def _number(settings: Settings) -> Iterator[Finding]:
    """A seller outside of the EU may have none that the register knows."""
    if not rates.covers(settings.tax.country):
        return
    try:
        numbers.read(settings.tax.number, settings.tax.country)
    except BadInputError as error:
        yield Finding(
            "H091",
            Level.WARNING,
            f"tax.number is no VAT number of the EU: {error.message}",
            "It belongs on invoices, and without it the EU's register gives no proof that "
            "you asked about a business.",
        )
