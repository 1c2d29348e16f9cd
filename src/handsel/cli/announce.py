"""What all mails to everyone share on the command line: options, questions, the bar."""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from handsel.cli import progress, times
from handsel.cli.common import Command, answer, opened
from handsel.kit.errors import BadInputError
from handsel.kit.links import relative_links, whole_links
from handsel.models.words import CampaignState
from handsel.ops import campaigning, sampling
from handsel.ops.campaigning import Step
from handsel.ops.releasing import Sending
from handsel.outbound.announcing import Announcement
from handsel.outbound.audience import Reach
from handsel.outbound.transports.folder import mail_folder
from handsel.shop import Shop


@dataclass(frozen=True)
class How:
    """How a mail to everyone is to go, and how far: what the options say.

    Args:
        test_to: only one mail goes out, to this address.
        background: the worker sends, not the command.
    """

    sending: Sending
    dry_run: bool
    test_to: str | None
    yes: bool
    background: bool


@dataclass(frozen=True)
class Mailing:
    """A mail to everyone, as a command would send it.

    Args:
        facts: what --json says when nothing is made.
        make: makes the campaign, or finds it again, and gives its id.
        campaign_id: it was made before, so there is nothing to ask.
    """

    told: Announcement
    reach: Reach
    facts: dict[str, Any]
    make: Callable[[], int]
    campaign_id: int | None


def sending_options(command: Command) -> Command:
    """Add what says to whom, how fast, when, and how far to go; given as one `how`."""

    @wraps(command)
    def gathered(
        to: tuple[str, ...],
        rate: str | None,
        at: datetime | None,
        dry_run: bool,
        test_to: str | None,
        yes: bool,
        background: bool,
        **others: Any,
    ) -> Any:
        how = How(Sending(to, rate, at), dry_run, test_to, yes, background)
        return command(how=how, **others)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


_OPTIONS = (
    click.option(
        "--to",
        multiple=True,
        metavar="WHO",
        help="Only to some: since:2026-01-31 (bought then or later), below:1.2 "
        "(bought an earlier version), country:DE (paid from there). Several must all "
        "hold.",
    ),
    click.option(
        "--rate", metavar="5/s", help="At the most so fast; default mail.rate."
    ),
    click.option(
        "--at",
        callback=times.moment,
        metavar="TIME",
        help="Mail then: 2027-01-31T09:00, by the clock of this machine.",
    ),
    click.option("--dry-run", is_flag=True, help="Show it, and change nothing."),
    click.option(
        "--test",
        "test_to",
        metavar="ADDRESS",
        help="Send one mail to this address, to look at; change nothing.",
    ),
    click.option("--yes", is_flag=True, help="Do not ask; for scripts."),
    click.option("--background", is_flag=True, help="Leave the sending to the worker."),
)


def show_reach(reach: Reach) -> None:
    """Say how many get a mail, and how many not and why."""
    click.echo(f"  {reach.recipients:,} get the mail")
    for why, number in reach.left_out.items():
        click.echo(f"  {number:,} do not: {why}")
    if reach.others:
        click.echo(f"  {reach.others:,} do not: they do not fit what --to says")
    if reach.unsold:
        click.echo("  Nobody has bought it yet.")
    if reach.erased_orders:
        click.echo(f"  {reach.erased_orders:,} purchases are of buyers who were erased")


def warn_of_links(shop: Shop, text: str) -> None:
    """Say which links of a text lead nowhere from a mail."""
    for link in relative_links(whole_links(text, shop.settings.public_url)):
        click.echo(f"Note: {link} leads nowhere from a mail. Write it whole.", err=True)


def planned(
    slug: str, reach: Reach, *, version: str | None = None, subject: str | None = None
) -> dict[str, Any]:
    """Give what --json says of a mail to everyone that is not made yet.

    All that `campaigning.facts` has, so that programs find the same names.
    """
    return {
        "campaign": None,
        "kind": "release" if version else "broadcast",
        "release": None,
        "product": slug,
        "version": version,
        "subject": subject,
        "state": "planned",
        "recipients": reach.recipients,
        "skipped": sum(reach.left_out.values()),
        "skipped_why": reach.left_out,
        "erased_orders": reach.erased_orders,
        "sent": 0,
        "failed": 0,
        "remaining": reach.recipients,
        "rate": None,
        "seconds_left": None,
        "trouble": None,
        "opened": 0,
        "downloaded": 0 if version else None,
        "pause_reason": None,
        "at": None,
        "started_at": None,
        "finished_at": None,
        "failures": [],
    }


def deliver(shop: Shop, mailing: Mailing, how: How, as_json: bool) -> None:
    """Show the mail, ask, make it and send it; or stop before, as the options say."""
    _check_time(shop, mailing, how.sending.at)
    # Before anything is made: a template that cannot be filled in is found here.
    mail = sampling.example(
        shop, mailing.told, shop.settings.shop.email or sampling.READER
    )
    if how.test_to:
        _try_it(shop, mailing, how.test_to, as_json)
        return
    if not as_json and not mailing.campaign_id:
        _show_mail(shop, sampling.words_of(mail))
    if how.dry_run:
        _stop_before(shop, mailing, as_json)
        return
    if not how.yes and not mailing.campaign_id:
        _ask(mailing.reach.recipients, as_json)
    campaign_id = mailing.make()
    if not how.sending.at:
        campaigning.begin(shop, campaign_id)
    finish(shop, campaign_id, as_json, send=not how.background)


def _check_time(shop: Shop, mailing: Mailing, at: datetime | None) -> None:
    if at and at <= shop.now() and not mailing.campaign_id:
        raise BadInputError("The time of --at is over.", "Give one that is to come.")


def _try_it(shop: Shop, mailing: Mailing, to: str, as_json: bool) -> None:
    sampling.send_example(shop, mailing.told, to)
    answer(
        as_json,
        mailing.facts | {"state": "tested"},
        f"One mail is out to {to}; its links lead nowhere. Nothing was changed.",
        then="To send it to everyone, call this again without --test.",
    )


def _stop_before(shop: Shop, mailing: Mailing, as_json: bool) -> None:
    """Say what would be; of a mail that was begun before, how far it has come."""
    made = campaigning.facts(shop, mailing.campaign_id) if mailing.campaign_id else {}
    if mailing.campaign_id and made["started_at"]:
        show_status(shop, mailing.campaign_id, as_json)
        return
    known = {name: made[name] for name in ("campaign", "state", "at") if made}
    words = "Nothing was changed, and nobody was mailed."
    answer(as_json, mailing.facts | known, words)


def _show_mail(shop: Shop, mail: EmailMessage) -> None:
    body = mail.get_body(("plain",))
    click.echo(f"\n  From:    {mail['From']}\n  Subject: {mail['Subject']}\n")
    for line in (str(body.get_content()) if body else "").splitlines():
        click.echo(f"  {line}".rstrip())
    click.echo("\n  (The links of this example lead nowhere.)\n")
    if shop.transport.name == "folder":
        click.echo(
            f"  Mails become files in {mail_folder(shop.home)} and reach nobody: set "
            'mail.transport = "smtp".\n'
        )


def _ask(count: int, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise click.UsageError(
            "Nobody is here to say yes: add --yes to send it, or --dry-run to look."
        )
    who = "this one buyer" if count == 1 else f"these {count:,} buyers"
    question = f"Go on, and mail {who}?" if count else "Nobody gets a mail. Go on?"
    click.confirm(question, abort=True)


def finish(shop: Shop, campaign_id: int, as_json: bool, *, send: bool) -> None:
    """Send what runs, with a bar; Ctrl-C pauses. Then say how far it has come.

    The exit code is 130 after Ctrl-C, and 1 when it has stopped by itself or reached
    nobody.
    """
    look = partial(campaigning.facts, shop, campaign_id)
    whole = True
    if send and look()["state"] == CampaignState.RUNNING:
        whole = progress.watch(
            partial(_work, shop, campaign_id),
            look,
            partial(campaigning.interrupt, shop, campaign_id),
        )
    show_status(shop, campaign_id, as_json)
    if not whole:
        raise click.exceptions.Exit(130)
    facts = look()
    stopped = send and facts["state"] == CampaignState.PAUSED
    if stopped or (facts["failed"] and not facts["sent"]):
        raise click.exceptions.Exit(1)


def _work(shop: Shop, campaign_id: int, stop: threading.Event) -> None:
    campaigning.send(shop, campaign_id, stop)


def control(
    home: Path, which: str, as_json: bool, step: Step, *, send: bool = False
) -> None:
    """Take a step with the mail that is meant, and say how it stands then."""
    with opened(home) as shop:
        campaign_id = campaigning.find(shop, which, step.when)
        step(shop, campaign_id)
        finish(shop, campaign_id, as_json, send=send)


def show_status(shop: Shop, campaign_id: int, as_json: bool) -> None:
    """Say how far a mail has come, who failed, and what to do next."""
    facts = campaigning.facts(shop, campaign_id)
    what = facts["version"] or f"“{facts['subject']}”"
    lines = [f"{facts['product']} {what}: {facts['state']}", progress.bar(facts)]
    if facts["state"] == CampaignState.PAUSED and facts["pause_reason"]:
        lines.append(f"Why: {facts['pause_reason']}")
    if facts["trouble"]:
        lines.append(f"The mail server takes none now: {facts['trouble']['error']}")
    if facts["at"]:
        lines.append(f"Goes out at {facts['at']}.")
    if facts["sent"]:
        lines.append(_afterwards(facts))
    lines += [f"{n:,} get no mail: {why}" for why, n in facts["skipped_why"].items()]
    lines += [f"failed: {each['email']}: {each['error']}" for each in facts["failures"]]
    if more := facts["failed"] - len(facts["failures"]):
        lines.append(f"failed: {more:,} more")
    answer(as_json, facts, "\n".join(lines), then=_next(facts))


def _afterwards(facts: dict[str, Any]) -> str:
    opened = f"{facts['opened']:,} have opened the link"
    if facts["downloaded"] is None:
        return f"{opened}."
    return f"{opened}, {facts['downloaded']:,} have downloaded a new file."


def _next(facts: dict[str, Any]) -> str:
    which = facts["campaign"]
    if facts["state"] == CampaignState.PAUSED:
        return f"Go on: handsel release resume {which}"
    if facts["state"] == CampaignState.CANCELLED:
        return f"To send it after all: handsel release resume {which}"
    if facts["state"] in (CampaignState.RUNNING, CampaignState.SCHEDULED):
        return f"The worker sends the rest: `handsel run`. Look again: handsel release status {which}"
    if facts["failed"]:
        return f"When the cause is mended: handsel release retry {which}"
    return ""
