"""`handsel reconcile`, `verify`, `doctor`, `config`, `upgrade`, `backup`, `restore`."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.cli.order import moment
from handsel.kit.errors import ConfigurationError
from handsel.kit.text import human_size
from handsel.ops.restore import Restored
from handsel.ops.verify import Invariant
from handsel.outbound.letters import MEND
from handsel.settings import CONFIG_FILE, load_settings
from handsel.shop import check_names, open_shop, utc_now

FilePath = click.Path(dir_okay=False, path_type=Path)
COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


@click.command()
@click.option("--since", default="25h", show_default=True, metavar="WHEN")
@shop_command
@click.pass_context
def reconcile(ctx: click.Context, since: str, home: Path, as_json: bool) -> None:
    """Ask the payment providers what we missed, and deliver it.

    WHEN is 25h, 7d or a date. The worker does the same every few minutes; after
    restoring a backup, ask back to the time it was made. Safe to repeat.

    Payouts and fees are read as well, for `handsel report payouts`; what a key may not see
    of them is said, and is no failure.
    """
    from handsel.ops import payouts, reconcile_words
    from handsel.ops.reconcile import reconcile as ask

    with opened(home) as shop:
        start = moment(since, shop.now())
        found = ask(shop, since=start)
        money = payouts.read(shop, since=start)
    answer(
        as_json,
        asdict(found) | {"money": [asdict(each) for each in money]},
        "\n".join(reconcile_words.sentences(found, money)),
        then=reconcile_words.AGAIN if found.failed else "",
    )
    ctx.exit(1 if found.failed else 0)


@click.command()
@click.option("--quick", is_flag=True, help="Do not read the files for sale.")
@shop_command
@click.pass_context
def verify(ctx: click.Context, quick: bool, home: Path, as_json: bool) -> None:
    """Prove that the books are right: payments, access, receipts, downloads, files.

    Changes nothing; safe beside an open shop. Exit code 1 when something is wrong.
    """
    from handsel.ops.verify import verify as prove

    with opened(home) as shop:
        found = prove(shop.database, shop.storage, shop.now(), quick=quick)
    ok = all(each.ok for each in found)
    answer(
        as_json,
        {"ok": ok, "invariants": [asdict(each) for each in found]},
        _truths(found),
        then=""
        if ok
        else "Keep a copy of everything before you mend it: handsel backup.",
    )
    ctx.exit(0 if ok else 1)


def _truths(found: list[Invariant]) -> str:
    rows = [(each.id, "ok" if each.ok else "NOT SO", each.detail) for each in found]
    return table(("ID", "", "WHAT"), rows)


@click.command()
@shop_command
@click.pass_context
def doctor(ctx: click.Context, home: Path, as_json: bool) -> None:
    """Find what is wrong with the set-up, and say what to do.

    Changes nothing, and works when the shop does not. Exit code 1 for any error.
    """
    from handsel.ops.doctor import Level, examine

    found = examine(home.resolve(), utc_now())
    lines = [
        f"{click.style(each.level, fg=COLOURS[each.level])} {each.id}: {each.problem}"
        + (f"\n    {each.hint}" if each.hint else "")
        for each in found
    ]
    answer(
        as_json,
        {"findings": [asdict(each) for each in found]},
        "\n".join(lines) or "Nothing to complain about.",
    )
    ctx.exit(1 if any(each.level is Level.ERROR for each in found) else 0)


@click.group()
def config() -> None:
    """Check the settings."""


@config.command("check")
@shop_command
@click.pass_context
def check_config(ctx: click.Context, home: Path, as_json: bool) -> None:
    """Name every problem in settings and templates, with its line. Exit code 4 if any.

    Templates of your own are read without being used: syntax, names that a page is not
    given, blocks that nobody shows, files that are not there.
    """
    from handsel.ops import proofreading

    problems: list[str] = []
    hint = ""
    try:
        settings = load_settings(home.resolve())
        check_names(settings)
        if problems := proofreading.problems(home.resolve(), settings):
            hint = MEND
    except ConfigurationError as error:
        problems, hint = error.message.split("\n"), error.hint
    answer(
        as_json,
        {"ok": not problems, "problems": problems},
        "\n".join(problems)
        or f"{home / CONFIG_FILE} is right, and so are your templates.",
        then=hint,
    )
    ctx.exit(ConfigurationError.exit_code if problems else 0)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@shop_command
def upgrade(yes: bool, home: Path, as_json: bool) -> None:
    """Bring the database to this version, after a backup. Safe to repeat."""
    from handsel.ops import schema
    from handsel.ops.upgrade import upgrade as bring

    shop = open_shop(home.resolve())
    try:
        behind = schema.current(shop.database) not in (None, schema.newest())
        if behind and not yes and not as_json and sys.stdin.isatty():
            click.confirm("Make a backup and upgrade the database now?", abort=True)
        done = bring(shop)
    finally:
        shop.close()
    if done.before == done.after:
        text = "The database is of this version already."
    elif done.before is None:
        text = "The database is set up."
    else:
        text = f"The database is of this version now. Backup: {done.backup}"
    facts = asdict(done) | {"backup": str(done.backup) if done.backup else None}
    answer(as_json, facts, text, then="Next: handsel run")


@click.command()
@click.option("-o", "--output", type=FilePath, help="A free name ending in .tar.gz.")
@shop_command
def backup(output: Path | None, home: Path, as_json: bool) -> None:
    """Save the whole shop into one file, its keys into a second.

    The shop may stay open. Default: backups/handsel-TIME.tar.gz in the shop's folder.
    """
    from handsel.ops.backup import back_up

    with opened(home) as shop:
        done = back_up(shop, output)
    facts = {
        "backup": str(done.path),
        "keys": str(done.keys),
        "size": done.size,
        "files": done.files,
        "damaged": list(done.damaged),
    }
    lines = [f"Saved and read back: {done.path} ({human_size(done.size)})"]
    lines += [
        f"Missing or damaged in the shop already: {name}" for name in done.damaged
    ]
    answer(
        as_json,
        facts,
        "\n".join(lines),
        then=f"The keys are NOT in it, but in {done.keys}, which is not encrypted. "
        "Move that file to another safe place: with both, anybody can open every "
        "purchase; without it, no mailed link works after a restore.",
    )
    if done.damaged:  # saved, but whoever runs this every night must hear of it
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file", type=FilePath)
@click.option("--keys", type=FilePath, help="Its .keys.tar; default: beside FILE.")
@click.option("--yes", is_flag=True, help="Move a shop that is there aside.")
@click.option("--new-keys", is_flag=True, help="The keys are lost: make new ones.")
@shop_command
@click.pass_context
def restore(
    ctx: click.Context,
    file: Path,
    keys: Path | None,
    yes: bool,
    new_keys: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Bring a shop back from the backup FILE, into --home.

    The file is checked whole before anything is touched; a shop that lies there is
    moved aside, never deleted. Stop the shop first.
    """
    from handsel.ops import restore as bringing

    now, place = utc_now(), home.resolve()
    done = bringing.restore(
        file, place, now=now, keys=keys, replace=yes, new_keys=new_keys
    )
    ok = all(each.ok for each in done.invariants)
    facts = asdict(done) | {"made_at": done.made_at.isoformat(), "ok": ok}
    lines = [
        f"The shop of {done.made_at:%Y-%m-%d %H:%M} UTC is back in {place}.",
        *[f"What was there is now {path}" for path in done.aside],
        *[
            f"NOT SO {each.id}: {each.detail}"
            for each in done.invariants
            if not each.ok
        ],
        KEYS_NOW[done.keys],
        *[f"Fill in {name}: it was kept out of the backup." for name in done.fill_in],
    ]
    since = bringing.days_back(done.made_at, now)
    answer(
        as_json,
        facts,
        "\n".join(filter(None, lines)),
        then=_after_restore(done, place, f"{since}d"),
    )
    ctx.exit(0 if ok else 1)


def _after_restore(done: Restored, place: Path, since: str) -> str:
    if done.keys == "missing":  # no other command works before
        return ""
    if not done.invariants:
        return f"Next: handsel upgrade --home {place}"
    return f"Next: handsel reconcile --since {since} --home {place}"


KEYS_NOW = {
    "restored": "",
    "kept": "The keys of the shop were left as they are; mailed links work.",
    "other": "The keys here are not those of the backup: links mailed before do not "
    "open. Restore again with --keys, or let buyers ask for new ones at /find.",
    "new": "New keys were made: links mailed before do not open; buyers get new ones "
    "at /find.",
    "missing": "Its keys are missing, and without them the shop does not open. Restore "
    "again with --keys FILE, or with --new-keys if they are lost.",
}
