"""What all commands share: --home, --json, an open shop, and tables."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from handsel.ops import schema
from handsel.shop import Shop, open_shop

Command = Callable[..., Any]


def home_option(command: Command) -> Command:
    """Add --home: the folder the shop lives in."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="HANDSEL_HOME",
        default=".",
        metavar="DIR",
        help="The shop's folder; default HANDSEL_HOME, else the present one.",
    )(command)


def json_option(command: Command) -> Command:
    """Add --json: the answer for programs, on standard output."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Answer in JSON, for programs."
    )(command)


def shop_command(command: Command) -> Command:
    """Add both --home and --json."""
    return home_option(json_option(command))


@contextmanager
def opened(home: Path) -> Iterator[Shop]:
    """Open the shop in `home`, its schema checked. Raises ConfigurationError."""
    shop = open_shop(home.resolve())
    try:
        schema.check(shop.database)
        yield shop
    finally:
        shop.close()


def answer(as_json: bool, data: Any, text: str, *, then: str = "") -> None:
    """Print the answer: JSON or text on standard output, what to do next beside it."""
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    click.echo(text)
    if then:
        click.echo(click.style(then, dim=True), err=True)


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    right: Collection[str] = (),
) -> str:
    """Set rows in columns; the last column may be as long as it likes.

    `right`: the columns, by their heads, that end below each other, as amounts do.
    """
    lines = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(head, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )
