"""`handsel order revoke`, `restore` and `note`: what a seller decides about one order."""

import getpass
import secrets
from pathlib import Path

import click

from handsel.cli.common import answer, opened, shop_command
from handsel.ops import giving


@click.command()
@click.argument("number")
@shop_command
def revoke(number: str, home: Path, as_json: bool) -> None:
    """Close the files of an order; its money stays where it is.

    The buyer's page says that it does not open its files any more. `handsel order restore`
    takes it back.
    """
    with opened(home) as shop:
        data = giving.revoke(shop, number)
    answer(
        as_json,
        data,
        f"{data['number']} does not open its files any more.",
        then=f"To open them again: handsel order restore {data['number']}",
    )


@click.command()
@click.argument("number")
@shop_command
def restore(number: str, home: Path, as_json: bool) -> None:
    """Open the files of an order again, for instance after a refund.

    That holds until money moves again: another refund, or a dispute, closes them.
    """
    with opened(home) as shop:
        data = giving.restore(shop, number)
    answer(
        as_json,
        data,
        f"{data['number']} opens its files again: {data['link']}",
        then=f"The link is the same; mail it: handsel order resend {data['number']}",
    )


@click.command()
@click.argument("number")
@click.argument("text")
@shop_command
def note(number: str, text: str, home: Path, as_json: bool) -> None:
    """Write a note to an order, which only you and your colleagues read."""
    with opened(home) as shop:
        by, press = getpass.getuser(), secrets.token_hex(16)
        data = giving.note(shop, number, text, press=press, by=by)
    answer(
        as_json,
        data,
        f"The note stands at {data['number']}.",
        then=f"`handsel order show {data['number']}` shows it.",
    )


COMMANDS = (revoke, restore, note)
