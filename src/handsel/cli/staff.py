"""`handsel staff`: those who may open the seller's desk."""

from dataclasses import asdict
from pathlib import Path

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.customers.staff import people
from handsel.ops import inviting
from handsel.ops.inviting import Invitation


@click.group()
def staff() -> None:
    """The people who may open the desk, at /admin/."""


@staff.command()
@click.argument("email")
@shop_command
def add(email: str, home: Path, as_json: bool) -> None:
    """Let somebody in; prints the link that opens the desk to them.

    Example: handsel staff add ada@example.com
    """
    with opened(home) as shop:
        _say_link(as_json, inviting.add(shop, email))


@staff.command()
@click.argument("email")
@shop_command
def link(email: str, home: Path, as_json: bool) -> None:
    """Print a new link, for whoever has lost password or telephone.

    When it is used, their old password, codes and passkeys are void.
    """
    with opened(home) as shop:
        _say_link(as_json, inviting.link(shop, email))


def _say_link(as_json: bool, made: Invitation) -> None:
    answer(
        as_json,
        asdict(made),
        made.link,
        then=f"Give it to {made.email} by a way that only they read. It works once, for"
        f" {people.DAYS} days.",
    )


@staff.command("list")
@shop_command
def list_staff(home: Path, as_json: bool) -> None:
    """List those who may open the desk."""
    with opened(home) as shop, shop.reading() as session:
        found = people.everybody(session)
    rows = [
        (
            each.email,
            each.since.date().isoformat(),
            "yes" if each.ready else "not yet",
            each.passkeys,
            each.seen_at.strftime("%Y-%m-%d %H:%M") if each.seen_at else "",
        )
        for each in found
    ]
    head = ("E-MAIL", "SINCE", "SET UP", "PASSKEYS", "LAST SEEN")
    answer(
        as_json,
        [
            asdict(each)
            | {
                "since": each.since.isoformat(),
                "seen_at": each.seen_at.isoformat() if each.seen_at else None,
            }
            for each in found
        ],
        table(head, rows)
        if rows
        else "Nobody yet. Next: handsel staff add YOUR@E-MAIL",
    )


@staff.command()
@click.argument("email")
@shop_command
def remove(email: str, home: Path, as_json: bool) -> None:
    """Take somebody out; every browser of theirs is signed out at once."""
    with opened(home) as shop:
        inviting.remove(shop, email)
    answer(as_json, {"email": email, "removed": True}, f"{email} cannot sign in now.")
