"""`handsel report`: what visits come to, and what became of the money."""

from datetime import date
from pathlib import Path

import click

from handsel.cli import payout_words, taxes, visits
from handsel.cli.common import answer, opened, shop_command
from handsel.kit.errors import BadInputError
from handsel.kit.money import currencies
from handsel.ops import reporting
from handsel.sales import payout_report
from handsel.sales.payout_report import Period


@click.group()
def report() -> None:
    """What visits and sales come to; payouts, fees and tax."""


def _day(_: click.Context, __: click.Parameter, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter("Write a day like 2027-01-31.") from None


def _currency(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    code = text.strip().upper() if text is not None else None
    if code is not None and code not in currencies():
        raise click.BadParameter("Write a currency as three letters, like EUR.")
    return code


report.add_command(taxes.tax)
for each in visits.COMMANDS:
    report.add_command(each)


@report.command()
@click.argument("payout_id", required=False)
@click.option("--since", metavar="DATE", callback=_day, help="From this day on.")
@click.option(
    "--until", metavar="DATE", callback=_day, help="Up to this day, and with it."
)
@click.option("--currency", metavar="EUR", callback=_currency, help="Only in this one.")
@click.option("--csv", "as_csv", is_flag=True, help="Answer in CSV, for a spreadsheet.")
@shop_command
def payouts(
    payout_id: str | None,
    since: date | None,
    until: date | None,
    currency: str | None,
    as_csv: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Show what was paid out to your bank, what it is made up of, and what fees it cost.

    With PAYOUT_ID, show the lines of one payout with the orders they belong to. Days are
    those a payout should arrive at the bank, in UTC. Each currency is added up for itself;
    fees by PayPal, which pays nothing out by itself, are shown by month.
    """
    _check(payout_id, Period(since, until, currency), as_csv, as_json)
    if payout_id is not None:
        _one(payout_id.strip(), as_csv, home, as_json)
        return
    period = Period(since, until, currency)
    with opened(home) as shop, shop.reading() as session:
        data = payout_report.everything(session, period)
    if as_csv:
        click.echo(reporting.payouts_sheet(data), nl=False)
        return
    answer(as_json, data, payout_words.overview(data))


def _check(payout_id: str | None, period: Period, as_csv: bool, as_json: bool) -> None:
    if as_csv and as_json:
        raise BadInputError("--csv and --json are two answers.", "Ask for one of them.")
    if payout_id is not None and period != Period():
        raise BadInputError(
            "One payout is shown whole.",
            "Leave --since, --until and --currency out, or the payout's name.",
        )
    if period.since and period.until and period.since > period.until:
        raise BadInputError(
            f"There is no day from {period.since} to {period.until}.",
            "Give the earlier day to --since.",
        )


def _one(payout_id: str, as_csv: bool, home: Path, as_json: bool) -> None:
    with opened(home) as shop, shop.reading() as session:
        data = payout_report.payout(session, payout_id)
    if as_csv:
        click.echo(reporting.payout_sheet(data), nl=False)
        return
    answer(as_json, data, payout_words.one(data))
