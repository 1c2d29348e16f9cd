"""`handsel product embed`: what a seller copies into their own pages."""

import json
import sys
import threading
from contextlib import suppress
from pathlib import Path

import click

from handsel.cli.common import answer, opened, shop_command
from handsel.ops import embedding
from handsel.ops.embedding import Snippets
from handsel.settings.embed import TRY_PORT
from handsel.shop import Shop


@click.command()
@click.argument("slug")
@click.option("--try", "trial", is_flag=True, help="Open a page with each of them.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=TRY_PORT,
    show_default=True,
    help="Where that page is, on this machine.",
)
@click.option("--no-browser", is_flag=True, help="Only say where that page is.")
@shop_command
def embed(
    slug: str, trial: bool, port: int, no_browser: bool, home: Path, as_json: bool
) -> None:
    """Print what sells a product from your own pages: link, button, overlay, card.

    \b
    Example: handsel product embed mybook
             handsel product embed mybook --try
    """
    with opened(home) as shop:
        found = embedding.snippets(shop, slug)
        if trial:
            _try(shop, found, port, as_json, browse=not no_browser)
        else:
            _print(shop, found, as_json)


def _print(shop: Shop, found: Snippets, as_json: bool) -> None:
    listed = shop.settings.embed.listed
    parts = [
        f"{embedding.TITLES[kind]}:\n\n  {text}\n"
        for kind, text in found.pieces.items()
    ]
    script = f"Once in a page, wherever in it:\n\n  {found.script}\n"
    warning = (
        ""
        if listed
        else "Overlay and card lead to the shop like the button until your site is listed "
        f"in handsel.toml, under [embed]: {embedding.origins_line(shop.settings)}"
    )
    answer(
        as_json,
        {"script": found.script, "snippets": found.pieces, "origins": listed},
        "\n".join([script, *parts]).rstrip("\n"),
        then=warning,
    )


def _try(
    shop: Shop, found: Snippets, port: int, as_json: bool, *, browse: bool
) -> None:
    import webbrowser

    from handsel.ops import sites

    server = sites.listen(port)
    origin = sites.address_of(server)
    page = embedding.trial_page(found).encode()
    pages = {"/": ("text/html; charset=utf-8", page)}
    with sites.serving(server, pages), suppress(KeyboardInterrupt):
        _say_where(shop, origin, as_json)
        if browse:
            webbrowser.open(origin)
        threading.Event().wait()


def _say_where(shop: Shop, origin: str, as_json: bool) -> None:
    listed = origin in shop.settings.sites
    if as_json:
        click.echo(json.dumps({"url": origin, "listed": listed}))
    else:
        click.echo(f"The buttons are at {origin}  (Ctrl-C ends this)")
        click.echo(f"They lead to {shop.settings.public_url}, which must be running.")
    if not listed:
        line = embedding.origins_line(shop.settings, origin)
        click.echo(
            "Overlay and card lead to the shop like the button until this line is in "
            f"handsel.toml, under [embed], and the shop started anew:\n{line}",
            err=True,
        )
    sys.stdout.flush()
