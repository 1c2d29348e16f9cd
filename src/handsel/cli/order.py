"""`handsel order`: who bought what."""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.delivery import access
from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money
from handsel.models.words import OrderStatus, RefundReason
from handsel.ops import contesting, giving, refunding
from handsel.sales import catalogue, orders, refunds, report
from handsel.shop import Shop


@click.group()
def order() -> None:
    """Who bought what; their links, gifts, more downloads."""


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
    lines = [f"{key:16} {value}" for key, value in _for_people(data).items()]
    lines += [
        f"{'ledger':16} {fact.at:%Y-%m-%d %H:%M} {fact.kind} "
        f"{format_money(fact.amount, 'en')} {fact.object_id}"
        for fact in facts
    ]
    lines += [f"{'refund':16} {_refund_line(each)}" for each in data["refunds"]]
    answer(as_json, data, "\n".join(lines))


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
        with shop.transaction() as session:
            found = orders.by_number(session, number)
            limit = found.download_limit
            access.reset(session, found, limit)
            data = _facts(shop, session, found)
        answer(
            as_json,
            data,
            f"{found.number} has {limit} downloads of each file again.",
            then=f"The link is the same; mail it: handsel order resend {found.number}",
        )


@order.command()
@click.argument("number")
@shop_command
def accept(number: str, home: Path, as_json: bool) -> None:
    """Deliver an order that is held back because something looked wrong."""
    with opened(home) as shop:
        with shop.transaction() as session:
            found = orders.by_number(session, number, to_change=True)
            orders.accept(session, found, shop.now())
            data = _facts(shop, session, found)
        answer(
            as_json,
            data,
            f"{found.number} is delivered: {data['link']}",
            then=f"A mail with the link goes to {data['email']}.",
        )


@order.command()
@click.argument("number")
@click.option("--amount", help="A part of it: 5, 4.99. Default: all that is left.")
@click.option(
    "--reason",
    type=click.Choice([str(word) for word in RefundReason]),
    default=str(RefundReason.REQUESTED),
    show_default=True,
    help="What the payment provider is told.",
)
@click.option("--keep-access", is_flag=True, help="The buyer keeps the files.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@shop_command
def refund(
    number: str,
    amount: str | None,
    reason: str,
    keep_access: bool,
    yes: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Give the money of an order back, all or a part. The buyer gets a mail.

    A full refund closes the link, a part leaves it open. The same as a refund in your
    provider's dashboard, which the shop hears of, too.
    """
    with opened(home) as shop:
        wish = refunding.Wish(amount, RefundReason(reason), keep_access)
        plan = refunding.plan(shop, number, wish)
        if yes:
            refunding.check_unattended(plan)
        else:
            _ask(plan, as_json)
        done = refunding.refund(shop, plan)
        answer(as_json, done.order, _said(plan, done), then=_then(plan, done))


def _said(plan: refunding.Plan, done: refunding.Done) -> str:
    said = f"{format_money(plan.amount, 'en')} of {plan.number}"
    whom = plan.email or "the buyer"
    if not done.gone:
        return f"{said} is on its way back to {whom}."
    files = "open" if done.order["access"] else "closed"
    once = " It was asked for before, and made once." if plan.before else ""
    return f"{said} went back to {whom}. The files are {files}.{once}"


def _then(plan: refunding.Plan, done: refunding.Done) -> str:
    if not plan.email:
        return "Nobody has given an address, so no mail goes out."
    if done.gone:
        return "The buyer gets a mail."
    return "The buyer gets a mail as soon as the provider says that it went."


def _ask(plan: refunding.Plan, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise click.UsageError("Nobody is here to say yes: add --yes to give it back.")
    for line in _question(plan):
        click.echo(line)
    click.confirm("Go on?", abort=True)


def _question(plan: refunding.Plan) -> Iterator[str]:
    """Say what follows from a refund, before it is made."""
    paid = plan.balance.paid
    part = "" if plan.amount == paid else f" of {format_money(paid, 'en')}"
    link = "stays open" if plan.opens else "closes"
    then = "The order was never opened." if plan.held else f"The link {link}."
    test = " (TEST: no money moves.)" if plan.test else ""
    yield (
        f"{format_money(plan.amount, 'en')}{part} goes back to "
        f"{plan.email or 'the buyer'} for {plan.product}. {then}{test}"
    )
    if plan.unknown:
        lost = format_money(plan.unknown, "en")
        yield f"Nobody knows whether {lost} went back before: look at the dashboard first."
    if plan.before:
        yield "It was asked for before and is finished now: it goes back once."


@order.command()
@click.argument("number")
@click.option("--submit", is_flag=True, help="Send it to the bank; only once.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@shop_command
def evidence(number: str, submit: bool, yes: bool, home: Path, as_json: bool) -> None:
    """Show what the shop knows of an order that is disputed, and answer with it.

    Who bought what and when, every download with its time, every mail. Without --submit
    it is only shown.
    """
    with opened(home) as shop:
        number, known = contesting.evidence(shop, number)
        if submit and not yes:
            if not as_json:
                click.echo(contesting.in_words(known))
            _ask_to_submit(as_json)
        data: dict[str, Any] = {"number": number, **contesting.facts(known)}
        if submit:
            data["dispute"] = contesting.submit(shop, number, known)
    answer(
        as_json,
        data,
        f"Sent. The bank decides; a mail tells you how ({data['dispute']})."
        if submit
        else contesting.in_words(known),
        then=""
        if submit
        else f"To answer with this: handsel order evidence {number} --submit",
    )


def _ask_to_submit(as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise click.UsageError("Nobody is here to say yes: add --yes to send it.")
    click.confirm("Send this to the bank? It takes one answer only.", abort=True)


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
        if key in ("ledger", "refunds", "currency") or value is None:
            continue
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
