"""`handsel customer`: the people who bought."""

from pathlib import Path

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.kit.errors import NotFoundError
from handsel.kit.money import Money, format_money
from handsel.sales import report


@click.group()
def customer() -> None:
    """The people who bought."""


@customer.command("list")
@shop_command
def list_customers(home: Path, as_json: bool) -> None:
    """List everybody who bought, newest first. Test purchases are counted apart."""
    with opened(home) as shop, shop.reading() as session:
        found = report.customers(session)
    rows = [
        (each["since"][:10], each["orders"], each["test_orders"], each["email"])
        for each in found
    ]
    head = ("SINCE", "ORDERS", "TESTS", "E-MAIL")
    answer(as_json, found, table(head, rows) if rows else "No customers yet.")


@customer.command()
@click.argument("email")
@shop_command
def show(email: str, home: Path, as_json: bool) -> None:
    """Show one customer with all orders."""
    with opened(home) as shop, shop.reading() as session:
        found = report.customers(session, email=email)
        if not found:
            raise NotFoundError(
                f"Nobody has bought with the address {email}.",
                "`handsel customer list` shows everybody who has.",
            )
        wanted = report.Filter(email=email, started=True, most=1000)
        orders = [
            report.facts(session, shop.keys, shop.settings.public_url, each)
            for each in report.find(session, wanted)
        ]
    rows = [
        (
            each["number"],
            each["created_at"][:10],
            format_money(Money(each["amount_minor"], each["currency"]), "en"),
            each["status"] + (" TEST" if each["test"] else ""),
            each["product"],
            each["link"] or "",
        )
        for each in orders
    ]
    head = ("NUMBER", "WHEN", "AMOUNT", "STATUS", "PRODUCT", "LINK")
    person = found[0]
    answer(
        as_json,
        person | {"orders": orders, "order_count": person["orders"]},
        f"{person['email']}, customer since {person['since'][:10]}\n\n"
        + table(head, rows),
    )
