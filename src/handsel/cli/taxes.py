"""`handsel report tax`: how much tax was in the sales, for the tax return."""

from itertools import groupby
from pathlib import Path
from typing import Any

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money, format_rate
from handsel.ops import reporting
from handsel.sales import tax_report
from handsel.sales.tax_report import Span

_RIGHT = ("RATE", "NET", "TAX", "SALES", "INVOICES", "CREDIT NOTES")


def _span(_: click.Context, __: click.Parameter, typed: str | None) -> Span:
    """Read a year or a quarter of one."""
    try:
        return Span() if typed is None else reporting.read_quarter(typed)
    except BadInputError as error:
        raise click.BadParameter(error.hint) from None


@click.command()
@click.argument("period", required=False, callback=_span)
@click.option("--test", is_flag=True, help="Of test purchases, instead.")
@click.option("--csv", "as_csv", is_flag=True, help="Answer in CSV, for a spreadsheet.")
@shop_command
def tax(period: Span, test: bool, as_csv: bool, home: Path, as_json: bool) -> None:
    """Show the tax in your sales by quarter and country; PERIOD is 2026-Q4, or 2026.

    Invoices less credit notes, each in the quarter, in UTC, in which its money moved. Each
    currency is added up for itself.
    """
    if as_csv and as_json:
        raise BadInputError("--csv and --json are two answers.", "Ask for one of them.")
    with opened(home) as shop, shop.reading() as session:
        rows = tax_report.by_country(session, Span(period.since, period.until, test))
    if as_csv:
        click.echo(reporting.tax_sheet(rows), nl=False)
        return
    data = {"rows": rows, "totals": tax_report.totals(rows)}
    answer(as_json, data, _words(data))


def _words(data: dict[str, Any]) -> str:
    if not data["rows"]:
        return "There are no invoices of that time."
    head = ("COUNTRY", "RULE", "CLASS OR NUMBER", *_RIGHT)
    parts = []
    for (quarter, currency), rows in groupby(
        data["rows"], lambda row: (row["quarter"], row["currency"])
    ):
        (total,) = (
            each
            for each in data["totals"]
            if (each["quarter"], each["currency"]) == (quarter, currency)
        )
        lines = [*map(_line, rows), _total(total)]
        parts.append(f"{quarter} in {currency}\n" + table(head, lines, right=_RIGHT))
    unsure = sum(row["unconfirmed"] for row in data["rows"])
    if unsure:
        parts.append(
            f"Countries not confirmed by a second piece of evidence: {unsure} of these "
            "papers. `handsel invoice list` marks them with a question mark."
        )
    return "\n\n".join(parts)


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    points = row["basis_points"]
    return (
        row["country"] or "?",
        row["treatment"].replace("_", " "),
        row["vat_number"] or row["tax_class"],
        "" if points is None else format_rate(points, "en"),
        *_amounts(row),
        str(row["invoices"]),
        str(row["credit_notes"]),
    )


def _total(total: dict[str, Any]) -> tuple[str, ...]:
    return ("all", "", "", "", *_amounts(total), "", "")


def _amounts(row: dict[str, Any]) -> list[str]:
    return [
        format_money(Money(row[name], row["currency"]), "en")
        for name in ("net_minor", "tax_minor", "sales_minor")
    ]
