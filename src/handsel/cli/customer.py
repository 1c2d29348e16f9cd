"""`handsel customer`: the people who bought."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.kit.errors import NotFoundError
from handsel.kit.money import Money, format_money
from handsel.kit.text import normalise_email
from handsel.ops import disclosing, privacy
from handsel.ops.privacy import Erased
from handsel.sales import blocks, report


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


@customer.command()
@click.argument("email")
@shop_command
def export(email: str, home: Path, as_json: bool) -> None:
    """Give all that is known of a buyer, as JSON: for them, when they ask.

    Orders, mails, downloads, invoices and notes; no link that opens anything.
    """
    with opened(home) as shop:
        data = disclosing.export(shop, email)
    answer(as_json, data, json.dumps(data, ensure_ascii=False, indent=2))


@customer.command()
@click.argument("email")
@click.option("--keep-link", is_flag=True, help="Their links still open their files.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@shop_command
def erase(email: str, keep_link: bool, yes: bool, home: Path, as_json: bool) -> None:
    """Forget a buyer: address, card, mails, notes. It cannot be undone.

    Orders, amounts, countries and invoices stay, for the tax office. After restoring an
    older backup erase again.
    """
    with opened(home) as shop:
        with shop.reading() as session:
            known = privacy.find(session, shop.keys, email)
        if not yes:
            _ask_to_erase(known.email, len(known.order_ids), keep_link, as_json)
        done = privacy.erase(shop, email, keep_link=keep_link)
    answer(as_json, asdict(done), "\n".join(_said(done)))


def _ask_to_erase(email: str, orders: int, keep_link: bool, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise click.UsageError("Nobody is here to say yes: add --yes to erase.")
    links = "stay" if keep_link else "open nothing any more"
    click.echo(f"{email} is forgotten, in {orders} orders. Their links {links}.")
    click.confirm("It cannot be undone. Go on?", abort=True)


def _said(done: Erased) -> Iterator[str]:
    orders = ", ".join(done.orders) or "no order"
    yield f"{done.email} is forgotten: {orders}, {done.mails} mails, {done.notes} notes."
    if done.kept_invoices:
        yield (
            f"{done.kept_invoices} invoices stay for the tax office, "
            f"{done.kept_addresses} with a name and an address."
        )
    if done.orders:
        yield f"The links {'still open' if done.link_stays else 'do not open'} the files."


@customer.command()
@click.argument("email")
@click.option("--reason", default="", help="For you alone.")
@shop_command
def block(email: str, reason: str, home: Path, as_json: bool) -> None:
    """Sell to this address no more. What it has bought stays open."""
    with opened(home) as shop:
        address = normalise_email(email)
        with shop.transaction() as session:
            blocks.block(session, shop.keys, address, shop.now(), reason=reason)
    answer(
        as_json,
        {"email": address, "blocked": True},
        f"This shop does not sell to {address} any more.",
        then=f"To sell to it again: handsel customer unblock {address}",
    )


@customer.command()
@click.argument("email")
@shop_command
def unblock(email: str, home: Path, as_json: bool) -> None:
    """Sell to this address again."""
    with opened(home) as shop, shop.transaction() as session:
        was = blocks.unblock(session, shop.keys, email)
    answer(
        as_json,
        {"email": email, "blocked": False},
        f"This shop sells to {email}{' again' if was else ', and did before'}.",
    )


@customer.command("blocked")
@shop_command
def list_blocked(home: Path, as_json: bool) -> None:
    """List the addresses that are not sold to."""
    with opened(home) as shop, shop.reading() as session:
        found = [
            {"email": each.email, "reason": each.reason, "since": each.at.isoformat()}
            for each in blocks.every(session)
        ]
    rows = [
        ((each["since"] or "")[:10], each["email"] or "(erased)", each["reason"])
        for each in found
    ]
    head = ("SINCE", "E-MAIL", "REASON")
    answer(as_json, found, table(head, rows) if rows else "No address is blocked.")
