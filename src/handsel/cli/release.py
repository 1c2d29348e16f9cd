"""`handsel release`: a new version, and the mail that brings it to every buyer."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from handsel.cli.announce import (
    How,
    Mailing,
    control,
    deliver,
    planned,
    sending_options,
    show_reach,
    show_status,
    warn_of_links,
)
from handsel.cli.common import answer, opened, shop_command, table
from handsel.kit.text import human_size
from handsel.ops import campaigning, releasing, shelving
from handsel.ops.releasing import Plan, Sending, Wanted
from handsel.sales.releases import NewRelease
from handsel.shop import Shop

PathArgument = click.Path(path_type=Path)


class ReleaseGroup(click.Group):
    """A group whose first word may be a product: then it is a new edition of it."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take any word that is no command for the slug of `new`."""
        if not args or args[0] in self.commands or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        self._refuse_mistyped(args)
        return "new", self.commands["new"], args

    def _refuse_mistyped(self, args: list[str]) -> None:
        """Refuse a word that is almost a command, where nothing says it is a product."""
        meant = get_close_matches(args[0].lower(), self.commands, n=1, cutoff=0.7)
        if meant and not any(word.startswith("--version") for word in args):
            raise click.UsageError(
                f"There is no command {args[0]!r}. Did you mean `handsel release "
                f"{meant[0]}`? A new version of a product called so needs --version."
            )


@click.group(cls=ReleaseGroup, subcommand_metavar="SLUG FILES... | COMMAND [ARGS]...")
def release() -> None:
    """Bring out a new version of a product, and mail every buyer.

    \b
    handsel release book book.pdf book.epub --version 1.2 --notes CHANGES.md

    stores the files, shows whom the mail would reach, asks, and sends it. It may be
    interrupted at any moment and called again: nobody is missed, nobody gets it twice
    on purpose. The commands below steer a mail that is under way.
    """


@release.command()
@click.argument("slug")
@click.argument("files", nargs=-1, required=True, type=PathArgument)
@click.option("--version", "version", required=True, help="What it is called: 1.2.")
@click.option("--notes", type=PathArgument, help="What is new, as a Markdown file.")
@click.option(
    "--replace",
    is_flag=True,
    help="These files are all there is; else a format left out stays as it was.",
)
@sending_options
@click.option("--no-mail", is_flag=True, help="Only put the files there; mail nobody.")
@shop_command
def new(
    slug: str,
    files: tuple[Path, ...],
    version: str,
    notes: Path | None,
    replace: bool,
    how: How,
    no_mail: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Bring out FILES as the new version of SLUG, and mail every buyer.

    Buyers' links show the new files at once, with new downloads; older files stay with
    those who had them. A new file takes the place of the one of the same name, or of
    the only one of its format. `handsel release new SLUG ...` is the same, for a
    product that is called like one of the commands.
    """
    text = shelving.read_text(notes) if notes else ""
    edition = NewRelease(shelving.check_version(version), text, replace)
    wanted = Wanted(slug, files, edition, how.sending)
    with opened(home) as shop:
        plan = releasing.plan(shop, wanted)
        if not as_json:
            _show(plan, edition.version, mail=not no_mail)
        if no_mail:
            _refuse_beside_no_mail(how)
            facts = _facts(plan, edition.version)
            _publish(shop, wanted, facts, as_json, dry_run=how.dry_run)
        else:
            warn_of_links(shop, text)
            deliver(shop, _mailing(shop, wanted, plan), how, as_json)


def _mailing(shop: Shop, wanted: Wanted, plan: Plan) -> Mailing:
    return Mailing(
        told=plan.told,
        reach=plan.reach,
        facts=_facts(plan, wanted.new.version),
        make=lambda: releasing.announce(shop, wanted),
        campaign_id=plan.campaign.id if plan.campaign else None,
    )


def _refuse_beside_no_mail(how: How) -> None:
    if how.sending != Sending() or how.test_to or how.background:
        raise click.UsageError(
            "--no-mail mails nobody: leave out --to, --rate, --at, --test and "
            "--background."
        )


def _publish(
    shop: Shop, wanted: Wanted, facts: dict[str, Any], as_json: bool, *, dry_run: bool
) -> None:
    """Put the files there and mail nobody."""
    numbers = ("recipients", "skipped", "erased_orders", "remaining")
    nobody: dict[str, Any] = {"skipped_why": {}} | dict.fromkeys(numbers, 0)
    if dry_run:
        answer(as_json, facts | nobody, "Nothing was changed.")
        return
    made = releasing.publish(shop, wanted, mail=False)
    answer(
        as_json,
        facts | nobody | {"release": made.release_id, "state": "published"},
        f"Version {facts['version']} is there for every buyer of {wanted.slug}.",
        then="To mail them after all, call this again without --no-mail.",
    )


def _facts(plan: Plan, version: str) -> dict[str, Any]:
    return planned(plan.product.slug, plan.reach, version=version) | {
        "release": plan.release.id if plan.release else None,
        "files": [
            {"name": file.name, "sha256": file.sha256} for file, _ in plan.shelf.comes
        ],
    }


def _show(plan: Plan, version: str, *, mail: bool) -> None:
    """Show the edition: what comes, stays and goes, and whom it reaches."""
    there = " (there already)" if plan.release else ""
    click.echo(f"{plan.product.name} ({plan.product.slug}), version {version}{there}")
    for file, old in plan.shelf.comes:
        place = f", in place of {old.name}" if old and old.name != file.name else ""
        click.echo(f"  new    {file.name}, {human_size(file.size)}{place}")
    for kept in plan.shelf.stays:
        click.echo(f"  stays  {kept.name}")
    for gone in plan.shelf.goes:
        click.echo(f"  goes   {gone.name}, but for those who have it")
    if mail and not plan.campaign:
        show_reach(plan.reach)


@release.command()
@click.argument("which", metavar="[SLUG]", required=False)
@shop_command
def status(which: str | None, home: Path, as_json: bool) -> None:
    """Say how far the mail about SLUG has come; without SLUG, list all mails.

    SLUG may also be the number of a mail, as the list shows it.
    """
    with opened(home) as shop:
        if which:
            show_status(shop, campaigning.find(shop, which), as_json)
            return
        found = [campaigning.facts(shop, each) for each in campaigning.every(shop)]
    rows = [
        (
            each["campaign"],
            each["product"],
            each["version"] or f"“{each['subject']}”",
            each["state"],
            f"{each['sent']} of {each['recipients']}",
            each["failed"],
        )
        for each in found
    ]
    head = ("NO", "PRODUCT", "WHAT", "STATE", "SENT", "FAILED")
    answer(as_json, found, table(head, rows) if rows else "No mail to everyone yet.")


@release.command()
@click.argument("which", metavar="SLUG")
@shop_command
def pause(which: str, home: Path, as_json: bool) -> None:
    """Stop the mail about SLUG until you say resume."""
    control(home, which, as_json, campaigning.pause)


@release.command()
@click.argument("which", metavar="SLUG")
@click.option("--background", is_flag=True, help="Leave the sending to the worker.")
@shop_command
def resume(which: str, background: bool, home: Path, as_json: bool) -> None:
    """Go on with a paused mail, or a cancelled one, with whoever has not had it."""
    control(home, which, as_json, campaigning.resume, send=not background)


@release.command()
@click.argument("which", metavar="SLUG")
@shop_command
def cancel(which: str, home: Path, as_json: bool) -> None:
    """End the mail about SLUG; who has not got it does not get it.

    The same release command does not send it again then. `handsel release resume` does,
    to those who have not had it. To correct something, bring out another version.
    """
    control(home, which, as_json, campaigning.cancel)


@release.command()
@click.argument("which", metavar="SLUG")
@click.option("--background", is_flag=True, help="Leave the sending to the worker.")
@shop_command
def retry(which: str, background: bool, home: Path, as_json: bool) -> None:
    """Let the mails that failed go again."""
    control(home, which, as_json, campaigning.retry, send=not background)
