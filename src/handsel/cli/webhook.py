"""`handsel webhook`: whom the shop tells what happens in it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.ops import hooking
from handsel.ops.hooking import Told
from handsel.outbound.webhooks import endpoints

_NUMBER = click.argument("number", type=click.IntRange(1, 2**31 - 1))


@click.group()
def webhook() -> None:
    """Tell other programs what happens in the shop, signed and retried."""


@webhook.command()
@click.argument("url")
@click.option("--with-email", is_flag=True, help="Tell the buyers' addresses as well.")
@shop_command
def add(url: str, with_email: bool, home: Path, as_json: bool) -> None:
    """Tell URL from now on; prints the secret that its messages are signed with.

    Example: handsel webhook add https://example.com/hooks
    """
    with opened(home) as shop:
        made, secret = hooking.add(shop, url, with_email=with_email)
    answer(
        as_json,
        _facts(made) | {"secret": secret},
        f"Web hook {made.id} tells {made.url}.\nIts secret: {secret}",
        then=f"Try it: handsel webhook test {made.id}",
    )


def _facts(made: Told) -> dict[str, Any]:
    moments = {
        name: value.isoformat() if value else None
        for name, value in asdict(made).items()
        if name in ("failing_since", "taken_at", "created_at")
    }
    return asdict(made) | moments


@webhook.command("list")
@shop_command
def list_hooks(home: Path, as_json: bool) -> None:
    """List those who are told, and how it goes."""
    with opened(home) as shop:
        found = hooking.everybody(shop)
    rows = [
        (
            each.id,
            each.state,
            each.taken_at.strftime("%Y-%m-%d %H:%M") if each.taken_at else "never",
            each.failures,
            "yes" if each.with_email else "",
            each.url,
        )
        for each in found
    ]
    head = ("ID", "STATE", "LAST TAKEN", "FAILURES", "E-MAIL", "ADDRESS")
    answer(
        as_json,
        [_facts(each) for each in found],
        table(head, rows) if rows else "Nobody is told.",
        then="" if rows else "Next: handsel webhook add https://example.com/hooks",
    )


@webhook.command()
@_NUMBER
@click.option("--new", is_flag=True, help="Make another; the old one signs a day more.")
@shop_command
def secret(number: int, new: bool, home: Path, as_json: bool) -> None:
    """Print the secret that the messages of a web hook are signed with."""
    with opened(home) as shop:
        found = hooking.secret(shop, number, new=new)
    answer(as_json, {"id": number, "secret": found}, found)


@webhook.command()
@_NUMBER
@shop_command
def test(number: int, home: Path, as_json: bool) -> None:
    """Tell a web hook of a test; the worker sends it within seconds."""
    with opened(home) as shop:
        hooking.try_out(shop, number)
    answer(
        as_json,
        {"id": number, "tested": True},
        f"A test waits for web hook {number}.",
        then="What became of it: handsel webhook log",
    )


@webhook.command()
@click.argument(
    "number", metavar="[NUMBER]", type=click.IntRange(1, 2**31 - 1), required=False
)
@click.option("--most", type=click.IntRange(1, 100_000), default=50, show_default=True)
@shop_command
def log(number: int | None, most: int, home: Path, as_json: bool) -> None:
    """List messages of the last 30 days, newest first: of one web hook or all."""
    with opened(home) as shop, shop.reading() as session:
        if number is not None:
            endpoints.get(session, number)
        items = endpoints.messages(session, number, most=most)
        found = [hooking.facts(item) for item in items]
    rows = [
        (
            each["id"],
            (each["sent_at"] or each["created_at"])[:16].replace("T", " "),
            each["state"],
            each["tries"],
            each["webhook"],
            each["name"],
            each["order"] or "",
            each["last_error"] or "",
        )
        for each in found
    ]
    head = ("ID", "WHEN", "STATE", "TRIES", "HOOK", "EVENT", "ORDER", "LAST ERROR")
    answer(as_json, found, table(head, rows) if rows else "No messages.")


@webhook.command()
@click.argument("message", type=click.IntRange(1, 2**31 - 1))
@shop_command
def replay(message: int, home: Path, as_json: bool) -> None:
    """Tell one MESSAGE of the log again, whatever became of it. Its name stays."""
    with opened(home) as shop:
        hooking.replay(shop, message)
    answer(as_json, {"id": message, "replayed": True}, f"Message {message} goes again.")


@webhook.command()
@_NUMBER
@shop_command
def stop(number: int, home: Path, as_json: bool) -> None:
    """Tell a web hook nothing for now. What it misses is kept for 30 days."""
    with opened(home) as shop:
        hooking.stop(shop, number)
    answer(
        as_json, {"id": number, "state": "stopped"}, f"Web hook {number} is stopped."
    )


@webhook.command()
@_NUMBER
@shop_command
def start(number: int, home: Path, as_json: bool) -> None:
    """Tell a web hook again, and everything it missed."""
    with opened(home) as shop:
        count = hooking.start(shop, number)
    answer(
        as_json,
        {"id": number, "state": "active", "missed": count},
        f"Web hook {number} is told again"
        + (f", and of {count} things it missed." if count else "."),
    )


@webhook.command()
@_NUMBER
@shop_command
def remove(number: int, home: Path, as_json: bool) -> None:
    """Take a web hook out, with what waits for it."""
    with opened(home) as shop:
        hooking.remove(shop, number)
    answer(as_json, {"id": number, "removed": True}, f"Web hook {number} is gone.")
