"""`handsel order`: who bought what."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from handsel.analytics.reports import visit
from handsel.cli import by_hand, money_back
from handsel.cli.common import answer, opened, shop_command, table
from handsel.cli.payout_words import lines_of_order
from handsel.cli.visit_words import of_order
from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money
from handsel.models.words import OrderStatus
from handsel.ops import giving
from handsel.sales import (
    catalogue,
    deciding,
    invoices,
    orders,
    payout_lines,
    refunds,
    report,
)
from handsel.shop import Shop


@click.group()
def order() -> None:
    """Who bought what; their links, gifts, more downloads."""


order.add_command(money_back.refund)
order.add_command(money_back.evidence)
for each in by_hand.COMMANDS:
    order.add_command(each)


@order.command("list")
@click.option("--product", metavar="SLUG", help="Only of this product.")
@click.option(
    "--status",
    type=click.Choice([str(word) for word in OrderStatus]),
    help="Only those that have come to this.",
)
@click.option("--email", help="Only of this buyer.")
@click.option("--since", metavar="WHEN", help="For instance 7d, 12h or 2026-11-01.")
@click.option("--all", "started", is_flag=True, help="Those never paid, too.")
@click.option(
    "--most", type=click.IntRange(1, 1_000_000), default=100, show_default=True
)
@shop_command
def list_orders(
    product: str | None,
    status: str | None,
    email: str | None,
    since: str | None,
    started: bool,
    most: int,
    home: Path,
    as_json: bool,
) -> None:
    """List orders, newest first."""
    with opened(home) as shop:
        wanted = report.Filter(
            product=product,
            status=OrderStatus(status) if status else None,
            email=email,
            since=moment(since, shop.now()) if since is not None else None,
            started=started,
            most=most,
        )
        with shop.reading() as session:
            if product is not None:
                catalogue.get(session, product)  # say so when there is no such product
            found = [
                _facts(shop, session, each) for each in report.find(session, wanted)
            ]
    rows = [
        (
            each["number"],
            (each["paid_at"] or each["created_at"])[:16].replace("T", " "),
            format_money(Money(each["amount_minor"], each["currency"]), "en"),
            each["status"] + (" TEST" if each["test"] else ""),
            f"{each['downloads_used']}/{each['downloads_limit']}",
            each["product"],
            each["email"] or "",
        )
        for each in found
    ]
    head = ("NUMBER", "WHEN", "AMOUNT", "STATUS", "USED", "PRODUCT", "E-MAIL")
    chosen = any(word is not None for word in (product, status, email, since))
    empty = "No order fits." if chosen else "No orders yet."
    answer(as_json, found, table(head, rows) if rows else empty)


def moment(text: str, now: datetime) -> datetime:
    """Read `7d`, `12h`, `30m` ago or a date. Raises BadInputError."""
    ago = re.fullmatch(r"(\d{1,5})([dhm])", text.strip())
    if ago:
        unit = {"d": "days", "h": "hours", "m": "minutes"}[ago[2]]
        return now - timedelta(**{unit: int(ago[1])})
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(
            f"{text!r} is no time.", "Write 7d, 12h, 30m, or a date as 2026-11-01."
        ) from None


@order.command()
@click.argument("number")
@shop_command
def show(number: str, home: Path, as_json: bool) -> None:
    """Show one order (H-1042 or 1042) with its facts."""
    with opened(home) as shop, shop.reading() as session:
        found = orders.by_number(session, number)
        data = _facts(shop, session, found)
        facts = orders.facts_of(session, found)
        data["refunds"] = refunds.facts(session, found)
        data["money"] = payout_lines.of_order(session, found)
        data["visit"] = visit.of_order(session, found.id)
        back = orders.refunded(session, found)
        data["notes"] = deciding.notes(session, found)
        data["papers"] = [invoices.facts(each) for each in invoices.of(session, found)]
    data["ledger"] = [
        {
            "kind": str(fact.kind),
            "object_id": fact.object_id,
            "amount_minor": fact.amount.minor,
            "currency": fact.amount.currency,
            "at": fact.at.isoformat(),
        }
        for fact in facts
    ]
    told = _for_people(data) | {"refunded": format_money(back, "en")}
    lines = [f"{key:16} {value}" for key, value in told.items()]
    lines += [
        f"{'ledger':16} {fact.at:%Y-%m-%d %H:%M} {fact.kind} "
        f"{format_money(fact.amount, 'en')} {fact.object_id}"
        for fact in facts
    ]
    lines += [f"{'refund':16} {_refund_line(each)}" for each in data["refunds"]]
    lines += [f"{'money':16} {each}" for each in lines_of_order(data["money"])]
    lines += [f"{'paper':16} {_paper_line(each)}" for each in data["papers"]]
    lines += [
        f"{'note':16} {each['at'][:16].replace('T', ' ')} {each['by']}: {each['text']}"
        for each in data["notes"]
    ]
    lines += [f"{'visit':16} {each}" for each in of_order(data["visit"])]
    answer(as_json, data, "\n".join(lines))


def _paper_line(paper: dict[str, Any]) -> str:
    gross, tax = (
        format_money(Money(paper[name], paper["currency"]), "en")
        for name in ("gross_minor", "tax_minor")
    )
    rule = paper["treatment"].replace("_", " ")
    return f"{paper['issued_at'][:10]} {paper['number']} {gross}, tax {tax} ({rule})"


def _refund_line(asked: dict[str, Any]) -> str:
    amount = format_money(Money(asked["amount_minor"], asked["currency"]), "en")
    when = asked["asked_at"][:16].replace("T", " ")
    return f"{when} {asked['state']} {amount} {asked['error'] or ''}".rstrip()


@order.command()
@click.argument("number")
@click.option("--to", "email", help="Correct the address first; the old link dies.")
@shop_command
def resend(number: str, email: str | None, home: Path, as_json: bool) -> None:
    """Mail the link of an order again."""
    with opened(home) as shop:
        data = giving.resend(shop, number, email)
        answer(
            as_json,
            data,
            f"The link of {data['number']} goes to {data['email']}.",
            then="`handsel mail list` shows how far it has come.",
        )


@order.command("reset-downloads")
@click.argument("number")
@shop_command
def reset_downloads(number: str, home: Path, as_json: bool) -> None:
    """Allow all downloads of an order anew."""
    with opened(home) as shop:
        data = giving.reset_downloads(shop, number)
        with shop.reading() as session:
            limit = orders.by_number(session, number).download_limit
        answer(
            as_json,
            data,
            f"{data['number']} has {limit} downloads of each file again.",
            then=f"The link is the same; mail it: handsel order resend {data['number']}",
        )


@order.command()
@click.argument("number")
@shop_command
def accept(number: str, home: Path, as_json: bool) -> None:
    """Deliver an order that is held back because something looked wrong."""
    with opened(home) as shop:
        data = giving.accept(shop, number)
        answer(
            as_json,
            data,
            f"{data['number']} is delivered: {data['link']}",
            then=f"A mail with the link goes to {data['email']}.",
        )


@order.command()
@click.argument("slug")
@click.argument("email")
@shop_command
def give(slug: str, email: str, home: Path, as_json: bool) -> None:
    """Give the product SLUG to EMAIL: a present, a review copy, a mended order."""
    with opened(home) as shop:
        data = giving.give(shop, slug, email)
        answer(
            as_json,
            data,
            f"{data['number']}: {data['link']}",
            then=f"A mail with the link goes to {data['email']}.",
        )


def _for_people(data: dict[str, Any]) -> dict[str, str]:
    """Write the facts of an order in words: money, times, yes and no."""
    said = {}
    for key, value in data.items():
        if key == "currency" or value is None or isinstance(value, dict | list):
            continue  # those have lines of their own
        if key.endswith("_minor"):
            money = format_money(Money(value, data["currency"]), "en")
            said[key.removesuffix("_minor")] = money
        elif isinstance(value, bool):
            said[key] = "yes" if value else "no"
        elif key.endswith("_at"):
            said[key] = f"{value[:16].replace('T', ' ')} UTC"
        else:
            said[key] = str(value)
    return said


def _facts(shop: Shop, session: Any, found: Any) -> dict[str, Any]:
    return report.facts(session, shop.keys, shop.settings.public_url, found)
