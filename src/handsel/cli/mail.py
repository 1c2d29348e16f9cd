"""`handsel mail`: trying it, what became of every mail, and who wants none."""

import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from handsel.cli.announce import (
    How,
    Mailing,
    deliver,
    planned,
    sending_options,
    show_reach,
    warn_of_links,
)
from handsel.cli.common import answer, opened, shop_command, table
from handsel.kit.errors import BadInputError
from handsel.models.words import OutboxState
from handsel.ops import bouncing, campaigning, mailing, previewing, shelving
from handsel.outbound import imap, outbox, suppressions
from handsel.shop import Shop, open_shop

PathArgument = click.Path(path_type=Path)
_HITS = "What is told to others who count, instead of mails."


@click.group()
def mail() -> None:
    """Look at mails, test, list and retry them; write to everyone; who wants no mails."""


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


@mail.command()
@click.argument("name", type=click.Choice(previewing.NAMES), metavar="NAME")
@click.option("--text", "as_text", is_flag=True, help="Print the text; open nothing.")
@shop_command
def preview(name: str, as_text: bool, home: Path, as_json: bool) -> None:
    """Show the mail NAME in the browser, with example facts, sent to nobody.

    NAME is receipt, find, check, review, release, broadcast, paused, brake or test. A
    template of your own, in templates/mail/, is shown instead of ours.
    """
    with closing(open_shop(home.resolve())) as shop:
        letter = previewing.preview(shop.home, shop.settings, name, test=shop.test_mode)
        page = previewing.page(shop.home, shop.settings, letter)
    if as_json or as_text:
        answer(as_json, asdict(letter), f"{letter.subject}\n\n{letter.text}")
        return
    file = Path(tempfile.mkdtemp(prefix="handsel-")) / f"{name}.html"
    file.write_text(page, "utf-8")
    seen = click.launch(str(file)) == 0
    answer(
        as_json,
        {},
        f"The mail {name!r} is in your browser: {letter.subject}"
        if seen
        else f"No browser was found here. The mail {name!r} is in this file:",
        then=str(file),
    )


@mail.command("list")
@click.option(
    "--state",
    type=click.Choice([str(word) for word in OutboxState]),
    help="Only those that have come so far.",
)
@click.option(
    "--most", type=click.IntRange(1, 1_000_000), default=50, show_default=True
)
@click.option("--hits", is_flag=True, help=_HITS)
@shop_command
def list_mails(
    state: str | None, most: int, hits: bool, home: Path, as_json: bool
) -> None:
    """List mails, newest first, with what went wrong."""
    chosen = OutboxState(state) if state else None
    kind = outbox.HIT if hits else outbox.MAIL
    with opened(home) as shop, shop.reading() as session:
        items = outbox.newest(session, chosen, most=most, kind=kind)
        found = [mailing.facts(item) for item in items]
    rows = [
        (
            each["id"],
            (each["sent_at"] or each["created_at"])[:16].replace("T", " "),
            each["state"],
            each["tries"],
            each["what"],
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
        table(head, rows) if rows else ("No hits." if hits else "No mails."),
        then=f"When the cause is mended: handsel mail retry{' --hits' * hits}"
        if dead
        else "",
    )


@mail.command()
@click.argument(
    "id_", metavar="[ID]", type=click.IntRange(1, 2**31 - 1), required=False
)
@click.option("--hits", is_flag=True, help=_HITS)
@shop_command
def retry(id_: int | None, hits: bool, home: Path, as_json: bool) -> None:
    """Let mails that were given up go again: one by its ID, or all."""
    word = "hit" if hits else "mail"
    with opened(home) as shop:
        count = mailing.retry(shop, id_, outbox.HIT if hits else outbox.MAIL)
    answer(
        as_json,
        {"retried": count},
        (f"1 {word} goes again." if count == 1 else f"{count} {word}s go again.")
        if count
        else f"No {word} was given up.",
        then="The worker sends them: `handsel run`, or `handsel worker`."
        if count
        else "",
    )


@mail.command()
@click.argument("slug")
@click.option("--subject", required=True, help="The subject of the mail.")
@click.option(
    "--body", required=True, type=PathArgument, help="The text, a Markdown file."
)
@sending_options
@shop_command
def broadcast(
    slug: str, subject: str, body: Path, how: How, home: Path, as_json: bool
) -> None:
    """Write to everyone who bought SLUG, without a new file.

    Steered like a new version's mail: handsel release status, pause, resume, cancel.
    """
    words = (campaigning.check_subject(subject), shelving.read_text(body))
    with opened(home) as shop:
        plan = campaigning.plan_broadcast(shop, slug, *words, how.sending)
        if not as_json and not plan.campaign_id:
            show_reach(plan.reach)
        warn_of_links(shop, words[1])
        mailing = Mailing(
            told=plan.told,
            reach=plan.reach,
            facts=planned(slug, plan.reach, subject=words[0]),
            make=lambda: campaigning.create_broadcast(shop, slug, *words, how.sending),
            campaign_id=plan.campaign_id,
        )
        deliver(shop, mailing, how, as_json)


@mail.command()
@click.argument("path", metavar="[PATH]", type=PathArgument, required=False)
@click.option("--mailbox", is_flag=True, help="Read that of mail.bounce_mailbox.")
@shop_command
def bounces(path: Path | None, mailbox: bool, home: Path, as_json: bool) -> None:
    """Read mails that came back: dead addresses and complaints get no more mails to all.

    PATH is a Maildir, an mbox file, a folder of .eml files or one mail; with -, or
    without it behind a pipe, one mail on standard input; without it at a keyboard, or
    with --mailbox, the mailbox of mail.bounce_mailbox. Nothing in it is changed; safe to
    repeat.
    """
    if mailbox and path:
        raise click.UsageError("Name a PATH or --mailbox, not both.")
    with opened(home) as shop:
        if mailbox:
            found = _read_mailbox(shop, "No mailbox is named.")
        elif path is None and sys.stdin.isatty():
            found = _read_mailbox(shop, "No mail comes in here: this is your keyboard.")
        elif path is None or path == Path("-"):
            found = bouncing.read_stream(shop, sys.stdin.buffer)
        else:
            found = bouncing.read_path(shop, path)
    answer(
        as_json,
        found,
        "\n".join(bouncing.sentences(found)),
        then="Who gets no more mails to everyone: handsel mail stopped"
        if found["hard"] + found["complaint"]
        else "",
    )


def _read_mailbox(shop: Shop, without: str) -> dict[str, int]:
    if not shop.settings.mail.bounce_mailbox:
        raise BadInputError(
            without,
            "Say where the bounces are: a Maildir, an mbox file, a folder or a mail; or "
            "set mail.bounce_mailbox.",
        )
    return bouncing.read_imap(shop, imap.Seen(), threading.Event())


@mail.command()
@click.option(
    "--most", type=click.IntRange(1, 1_000_000), default=50, show_default=True
)
@shop_command
def stopped(most: int, home: Path, as_json: bool) -> None:
    """List the addresses that get no mails to everyone, and why. Receipts still go."""
    with opened(home) as shop, shop.reading() as session:
        found = [
            {
                "email": each.email_key,
                "reason": str(each.reason),
                "since": each.at.isoformat(),
                "detail": each.detail,
            }
            for each in suppressions.newest(session, most=most)
        ]
    rows = [
        (each["since"][:10], each["reason"], each["email"], each["detail"])
        for each in found
    ]
    answer(
        as_json,
        found,
        table(("SINCE", "WHY", "ADDRESS", "DETAIL"), rows)
        if rows
        else "Everybody gets them.",
        then="To write to one again: handsel mail lift ADDRESS" if rows else "",
    )


@mail.command()
@click.argument("address")
@shop_command
def lift(address: str, home: Path, as_json: bool) -> None:
    """Write to ADDRESS again, because its owner asked for it or it is mended."""
    with opened(home) as shop:
        count = mailing.lift(shop, address)
    answer(as_json, {"email": address, "lifted": count}, f"{address} gets mails again.")
