"""`handsel order refund` and `order evidence`: money that goes back, or is disputed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from handsel.cli.common import answer, opened, shop_command
from handsel.kit.money import format_money
from handsel.models.words import RefundReason
from handsel.ops import contesting, refunding


@click.command()
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


@click.command()
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
