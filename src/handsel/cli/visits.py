"""`handsel report funnel|sales|sources`: what visits come to, in tables and small charts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from handsel.analytics.periods import Period, read_period
from handsel.analytics.reports import funnel as funnels
from handsel.analytics.reports import sales as sums
from handsel.analytics.reports.tallies import By, Wanted
from handsel.cli import visit_words
from handsel.cli.common import answer, opened, shop_command
from handsel.kit.errors import BadInputError
from handsel.ops import reporting
from handsel.shop import Shop

_WAYS = click.Choice([str(each) for each in By if each is not By.NOTHING])
Command = Callable[..., Any]


def _asks(by: By) -> Callable[[Command], Command]:
    """Add what every report of visits asks; `by`: what it tells apart if nothing is said."""
    default = None if by is By.NOTHING else str(by)
    period = (
        "28d, 12m, today, 2026-10, 2026-Q4, 2026-10-01..2026-10-31 or all; days in UTC."
    )
    options = (
        click.option("--period", default="28d", show_default=True, help=period),
        click.option(
            "--by", type=_WAYS, default=default, help="A row for each of these."
        ),
        click.option("--product", metavar="SLUG", help="Of one product alone."),
        click.option("--test", is_flag=True, help="Of test purchases, instead."),
        click.option(
            "--csv", "as_csv", is_flag=True, help="Answer in CSV, for a spreadsheet."
        ),
        shop_command,
    )

    def add(command: Command) -> Command:
        for each in reversed(options):
            command = each(command)
        return command

    return add


@click.command()
@_asks(By.NOTHING)
def funnel(as_csv: bool, home: Path, as_json: bool, **asked: Any) -> None:
    """Show how many people looked, pressed Buy, paid and downloaded.

    Different visitors of a day until paying begins, purchases after that. People who ask
    not to be counted are in the purchases alone.
    """
    _one_answer(as_csv, as_json)
    with opened(home) as shop, shop.reading() as session:
        wanted = _wanted(shop, session, asked)
        rows = funnels.funnel(session, wanted)
    if as_csv:
        click.echo(reporting.funnel_sheet(rows), nl=False)
        return
    answer(as_json, _data(wanted, rows), visit_words.funnel(wanted, rows))


@click.command()
@_asks(By.NOTHING)
def sales(as_csv: bool, home: Path, as_json: bool, **asked: Any) -> None:
    """Show what was sold and what went back, with a chart of the days.

    What went back counts on the day it went. Each currency is added up for itself.
    """
    _one_answer(as_csv, as_json)
    with opened(home) as shop, shop.reading() as session:
        wanted = _wanted(shop, session, asked)
        rows = sums.sales(session, wanted)
        days = sums.sales(session, replace(wanted, by=By.DAY))
    if as_csv:
        click.echo(reporting.sales_sheet(rows), nl=False)
        return
    answer(as_json, _data(wanted, rows), visit_words.sales(wanted, rows, days))


@click.command()
@_asks(By.SOURCE)
def sources(as_csv: bool, home: Path, as_json: bool, **asked: Any) -> None:
    """Show where visitors and sales come from, and what a visitor is worth.

    A source is what the link says (`utm_source`), else the site that was left. Who came
    from several on one day counts for the first.
    """
    _one_answer(as_csv, as_json)
    with opened(home) as shop, shop.reading() as session:
        wanted = _wanted(shop, session, asked)
        rows = sums.sources(session, wanted)
    if as_csv:
        click.echo(reporting.sources_sheet(rows), nl=False)
        return
    answer(as_json, _data(wanted, rows), visit_words.sources(wanted, rows))


COMMANDS: Sequence[click.Command] = (funnel, sales, sources)


def _one_answer(as_csv: bool, as_json: bool) -> None:
    if as_csv and as_json:
        raise BadInputError("--csv and --json are two answers.", "Ask for one of them.")


def _wanted(shop: Shop, session: Session, asked: dict[str, Any]) -> Wanted:
    """Read what was asked."""
    return reporting.wanted(
        shop,
        session,
        _period(asked["period"], shop),
        by=By(asked["by"] or By.NOTHING),
        slug=asked["product"],
        test=asked["test"],
    )


def _period(text: str, shop: Shop) -> Period:
    try:
        return read_period(text, shop.now().date())
    except BadInputError as error:
        raise click.BadParameter(f"{error.message} {error.hint}") from None


def _data(wanted: Wanted, rows: list[dict[str, Any]]) -> dict[str, Any]:
    period: Period = wanted.period
    return {
        "first_day": period.first.isoformat(),
        "last_day": period.last.isoformat(),
        "by": str(wanted.by),
        "test": wanted.test,
        "rows": rows,
    }
