"""`handsel invoice`: the numbered papers, for the tax office and for buyers."""

from pathlib import Path
from typing import Any

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.cli.order import moment
from handsel.kit.money import Money, format_money
from handsel.ops import bookkeeping
from handsel.sales import invoices, papers


@click.group()
def invoice() -> None:
    """Invoices and credit notes."""


@invoice.command("list")
@click.option("--since", metavar="WHEN", help="For instance 90d or 2026-10-01.")
@click.option("--until", metavar="WHEN", help="Before this, for instance 2027-01-01.")
@click.option("--order", "number", metavar="NUMBER", help="Only of this order.")
@click.option("--test", is_flag=True, help="Those of test purchases, instead.")
@click.option(
    "--most", type=click.IntRange(1, 1_000_000), default=100, show_default=True
)
@shop_command
def list_invoices(
    since: str | None,
    until: str | None,
    number: str | None,
    test: bool,
    most: int,
    home: Path,
    as_json: bool,
) -> None:
    """List papers, newest first."""
    with opened(home) as shop, shop.reading() as session:
        wanted = invoices.Filter(
            since=moment(since, shop.now()) if since is not None else None,
            until=moment(until, shop.now()) if until is not None else None,
            order=number,
            test=test,
            most=most,
        )
        found = [invoices.facts(each) for each in invoices.find(session, wanted)]
    head = ("NUMBER", "DATE", "ORDER", "TOTAL", "TAX", "COUNTRY", "RULE")
    empty = "No such paper."
    answer(as_json, found, table(head, [_row(f) for f in found]) if found else empty)


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    sign = -1 if each["kind"] == "credit_note" else 1
    gross, tax = (
        format_money(Money(sign * each[name], each["currency"]), "en")
        for name in ("gross_minor", "tax_minor")
    )
    country = (each["country"] or "?") + ("" if each["confirmed"] else " ?")
    row = (each["number"], each["issued_at"][:10], each["order"], gross, tax)
    return (*row, country, each["treatment"])


@invoice.command()
@click.argument("number")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there as a PDF.",
)
@shop_command
def show(number: str, output: Path | None, home: Path, as_json: bool) -> None:
    """Show one paper (INV-17), or the invoice of an order (H-1042)."""
    with opened(home) as shop:
        with shop.reading() as session:
            paper, order = bookkeeping.paper(session, number)
            data = invoices.facts(paper)
            locale = shop.settings.shop.locale
            words = papers.in_words(session, order, paper, locale)
        if output is not None:
            bookkeeping.write_pdf(words, output)
            answer(as_json, data | {"file": str(output)}, f"Written to {output}.")
            return
        answer(as_json, data | {"paper": vars(words)}, bookkeeping.as_text(words))


@invoice.command()
@click.option("--untaxed", is_flag=True, help="Those sales had no tax in them.")
@shop_command
def issue(untaxed: bool, home: Path, as_json: bool) -> None:
    """Issue what is missing: for purchases from before there were invoices here.

    They get the next numbers, in the order in which they were paid, and are taxed as the
    settings say now, by the rates of the day they were paid on; or not at all. Safe to
    repeat.
    """
    with opened(home) as shop:
        made = bookkeeping.issue_missing(shop, untaxed=untaxed)
        many = f"{len(made)} papers, {made[0]} to {made[-1]}." if made else ""
        answer(as_json, {"issued": made}, many or "No purchase lacks a paper.")
