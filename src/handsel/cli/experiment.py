"""`handsel experiment`: A/B tests of a page, measured in money."""

from pathlib import Path

import click

from handsel.cli import experiment_words as words
from handsel.cli.common import answer, opened, shop_command, table
from handsel.models.words import DecidedBy, Part
from handsel.ops import experiment_facts, experiment_words, experimenting

PARTS = [str(part) for part in Part]


@click.group()
def experiment() -> None:
    """A/B tests of a page, measured in money."""


@experiment.command()
@click.argument("name")
@click.option("--product", "slug", required=True, metavar="SLUG", help="Of which.")
@click.option(
    "--part",
    type=click.Choice(PARTS),
    help="What is tried; if not said, what NAME says.",
)
@click.option(
    "--variant",
    "typed",
    multiple=True,
    metavar="NAME=VALUE",
    help="The first is how it is now and needs no value; again for each other.",
)
@click.option(
    "--metric",
    type=click.Choice([str(each) for each in DecidedBy]),
    help="What decides: revenue per visitor after refunds, or how many buy.",
)
@click.option(
    "--lift",
    default="10%",
    show_default=True,
    help="The smallest difference worth finding.",
)
@click.option("--start", "begin", is_flag=True, help="Begin at once.")
@shop_command
def create(
    name: str,
    slug: str,
    part: str | None,
    typed: tuple[str, ...],
    metric: str | None,
    lift: str,
    begin: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Plan the experiment NAME: how many visitors it takes, and how many days.

    \b
    Example: handsel experiment create headline --product book --variant a
             --variant b="Write your first book"
    """
    if part is None and name not in PARTS:
        raise click.UsageError(f"Say what is tried: --part {'|'.join(PARTS)}.")
    with opened(home) as shop:
        made = experimenting.create(
            shop,
            name,
            slug=slug,
            part=Part(part or name),
            typed=typed,
            metric=metric,
            lift=lift,
            begin=begin,
        )
    answer(as_json, made, words.planned(made), then=words.after(made))


@experiment.command()
@click.argument("name")
@shop_command
def start(name: str, home: Path, as_json: bool) -> None:
    """Show visitors the variants of an experiment from now on."""
    with opened(home) as shop:
        begun = experimenting.start(shop, name)
    answer(as_json, begun, words.planned(begun), then=words.after(begun))


@experiment.command("list")
@shop_command
def list_experiments(home: Path, as_json: bool) -> None:
    """List experiments, newest first, with what they say."""
    with opened(home) as shop:
        found = experiment_facts.listed(shop)
    rows = [
        (
            each["name"],
            each["product"],
            each["part"],
            each["state"],
            experiment_words.short(each),
        )
        for each in found
    ]
    head = ("NAME", "PRODUCT", "PART", "STATE", "")
    answer(
        as_json,
        found,
        table(head, rows) if rows else "There are no experiments.",
        then=""
        if rows
        else "Next: handsel experiment create headline --product SLUG --variant a "
        "--variant b=...",
    )


@experiment.command()
@click.argument("name")
@shop_command
def show(name: str, home: Path, as_json: bool) -> None:
    """Show what an experiment has found so far. Look as often as you like.

    Its verdict is right however often it is asked: it does not take luck for a difference
    only because somebody looked on the right day.
    """
    with opened(home) as shop:
        found = experiment_facts.facts_of(shop, name)
        text = words.report(found, shop.settings.shop.locale)
    answer(as_json, found, text)


@experiment.command()
@click.argument("name")
@click.option("--ship", metavar="VARIANT", help="The one that everybody sees then.")
@shop_command
def stop(name: str, ship: str | None, home: Path, as_json: bool) -> None:
    """End an experiment: everybody sees how it was before, or what is shipped."""
    with opened(home) as shop:
        ended = experimenting.stop(shop, name, ship)
    answer(
        as_json,
        ended,
        experiment_words.stopped(ended),
        then=experiment_words.after_the_end(ended),
    )


@experiment.command()
@click.argument("name")
@shop_command
def delete(name: str, home: Path, as_json: bool) -> None:
    """Delete an experiment that was never started."""
    with opened(home) as shop:
        experimenting.delete(shop, name)
    answer(as_json, {"deleted": name}, f"{name} is deleted.")
