"""`handsel init` and `handsel demo`."""

import sys
from functools import partial
from pathlib import Path

import click

from handsel.cli.common import answer, home_option, json_option, opened
from handsel.ops import founding


@click.command()
@click.argument(
    "folder", type=click.Path(file_okay=False, path_type=Path), required=False
)
@click.option("--name", help="The shop's name.")
@click.option("--email", help="Where buyers can reach you.")
@click.option("--currency", help="Three letters; the default currency of prices.")
@click.option("--url", help="The shop's public address; leave out to try it here.")
@click.option("--no-input", is_flag=True, help="Ask nothing; take the defaults.")
@home_option
@json_option
def init(
    folder: Path | None,
    name: str | None,
    email: str | None,
    currency: str | None,
    url: str | None,
    no_input: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Make a new shop in FOLDER (or --home, or here).

    Example: handsel init myshop --name "Ada's Books"
    """
    place = (folder or home).resolve()
    founding.check_free(place)
    ask = not no_input and not as_json and sys.stdin.isatty()
    plan = founding.Plan(
        name=name or _ask(ask, "What is the shop called?", "My shop"),
        email=email or _ask(ask, "Where can buyers reach you (e-mail)?", ""),
        currency=(currency or _ask(ask, "Which currency?", "EUR")).upper(),
        url=url or founding.LOCAL_URL,
    )
    founding.found(place, plan)
    desk = _desk_link(place, plan.email)
    answer(
        as_json,
        {"home": str(place), "config": str(place / "handsel.toml"), "desk": desk},
        f"Your shop is in {place}; its settings are in handsel.toml.\n"
        + (
            f"Its desk, once it runs, opens with this link (once, for 7 days):\n  {desk}"
            if desk
            else f"For its desk: handsel staff add YOUR@E-MAIL --home {place}"
        ),
        then=f"Next: handsel product add BOOK.epub --price 15 --home {place}\n"
        f"      handsel run --home {place}",
    )


def _desk_link(home: Path, email: str) -> str | None:
    """Let the seller in, if an address is known; give the link."""
    from handsel.ops import inviting

    if not email:
        return None
    with opened(home) as shop:
        return inviting.add(shop, email).link


def _ask(ask: bool, question: str, default: str) -> str:
    if not ask:
        return default
    return str(click.prompt(question, default=default, show_default=bool(default)))


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@home_option
@json_option
def demo(port: int, home: Path, as_json: bool) -> None:
    """Run a throw-away shop with a sample book, in test mode.

    It lives in the folder .demo; delete that to begin again. Mails are shown in the
    browser and sent nowhere. At the port after it, a web site of the book's author sells
    it from its own pages.
    """
    from handsel.cli.serve import log_to_stderr
    from handsel.ops import demo as trial
    from handsel.ops import sites
    from handsel.ops.child import watched_worker
    from handsel.web.front import serve_shop

    log_to_stderr(as_json)
    place = (Path(".demo") if home == Path() else home).resolve()
    port = port or trial.free_port()
    site = trial.next_port(port)
    shop = trial.prepare(place, port=port, site=sites.address_of(site))
    pages = trial.sample_site(shop.settings.public_url)
    with watched_worker(place), sites.serving(site, pages):
        serve_shop(
            shop,
            f"127.0.0.1:{port}",
            partial(_say_open, as_json, sites.address_of(site)),
            show_mail=True,
        )


def _say_open(as_json: bool, site: str, url: str) -> None:
    from handsel.cli.serve import say_open

    if not as_json:
        click.echo(f"A site that sells the book from its own pages: {site}")
        click.echo(f"The seller's desk, to look around in: {url}/admin/")
    say_open(as_json, url, site=site)
