"""`handsel mail`: trying it, and what became of every mail."""

from pathlib import Path
from typing import Any

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.models import OutboxItem
from handsel.models.orders import FIRST_NUMBER
from handsel.models.words import OutboxState
from handsel.ops import mailing
from handsel.outbound import outbox


@click.group()
def mail() -> None:
    """Test, list and retry mails."""


@mail.command()
@click.argument("to")
@shop_command
def test(to: str, home: Path, as_json: bool) -> None:
    """Send a test mail to the address TO at once, and say what the mail server said."""
    with opened(home) as shop:
        sent = mailing.send_test(shop, to)
        where = (
            f"it is a file in {shop.home / 'mail'}, sent to nobody"
            if sent["transport"] == "folder"
            else f"{shop.settings.mail.host} has taken it"
        )
    answer(
        as_json,
        sent,
        f"A test mail for {sent['to']} is out: {where}.",
        then='Set mail.transport = "smtp" and mail.host to send mails.'
        if sent["transport"] == "folder"
        else "Look whether it arrives, and not among the spam.",
    )


@mail.command("list")
@click.option(
    "--state",
    type=click.Choice([str(word) for word in OutboxState]),
    help="Only those that have come so far.",
)
@click.option("--most", type=click.IntRange(1), default=50, show_default=True)
@shop_command
def list_mails(state: str | None, most: int, home: Path, as_json: bool) -> None:
    """List mails, newest first, with what went wrong."""
    chosen = OutboxState(state) if state else None
    with opened(home) as shop, shop.reading() as session:
        found = [_facts(item) for item in outbox.newest(session, chosen, most=most)]
    rows = [
        (
            each["id"],
            (each["sent_at"] or each["created_at"])[:16].replace("T", " "),
            each["state"],
            each["tries"],
            each["topic"].removeprefix("mail."),
            each["order"] or "",
            each["to"] or "you",
            each["last_error"] or "",
        )
        for each in found
    ]
    head = ("ID", "WHEN", "STATE", "TRIES", "WHAT", "ORDER", "TO", "LAST ERROR")
    dead = any(each["state"] == OutboxState.DEAD for each in found)
    answer(
        as_json,
        found,
        table(head, rows) if rows else "No mails.",
        then="When the cause is mended: handsel mail retry" if dead else "",
    )


def _facts(item: OutboxItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "topic": item.topic,
        "to": item.recipient,
        "order": f"H-{item.order_id + FIRST_NUMBER - 1}" if item.order_id else None,
        "state": str(item.state),
        "tries": item.tries,
        "created_at": item.created_at.isoformat(),
        "next_at": item.next_at.isoformat(),
        "sent_at": item.sent_at.isoformat() if item.sent_at else None,
        "last_error": item.last_error,
    }


@mail.command()
@click.argument(
    "id_", metavar="[ID]", type=click.IntRange(1, 2**31 - 1), required=False
)
@shop_command
def retry(id_: int | None, home: Path, as_json: bool) -> None:
    """Let mails that were given up go again: one by its ID, or all."""
    with opened(home) as shop:
        count = mailing.retry(shop, id_)
    answer(
        as_json,
        {"retried": count},
        f"{count} mails go again." if count else "No mail was given up.",
        then="The worker sends them: `handsel run`, or `handsel worker`."
        if count
        else "",
    )
