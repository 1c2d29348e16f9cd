"""`handsel run`, `web` and `worker`: the shop at work."""

import json
import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click

from handsel.cli.common import home_option, json_option
from handsel.kit.logs import RedactSecrets
from handsel.ops import schema
from handsel.shop import Shop, open_shop


@click.command()
@click.option("--bind", metavar="HOST:PORT", help="Instead of server.bind.")
@home_option
@json_option
def run(bind: str | None, home: Path, as_json: bool) -> None:
    """Open the shop: pages here, mail and payments in a watched process beside it."""
    from handsel.ops.child import watched_worker

    shop = _open(home, as_json)
    with watched_worker(shop.home):
        _serve(shop, bind, as_json)


@click.command()
@click.option("--bind", metavar="HOST:PORT", help="Instead of server.bind.")
@home_option
@json_option
def web(bind: str | None, home: Path, as_json: bool) -> None:
    """Serve only the pages; run `handsel worker` beside it."""
    _serve(_open(home, as_json), bind, as_json)


@click.command()
@click.option(
    "--with-parent", is_flag=True, hidden=True, help="End with standard input."
)
@home_option
@json_option
def worker(with_parent: bool, home: Path, as_json: bool) -> None:
    """Send mail, look after payments, tidy up. Any number of these may run."""
    from handsel import worker as loop

    shop = _open(home, as_json)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if with_parent:
        os.nice(NICE)
        threading.Thread(target=_end_with_input, args=(stop,), daemon=True).start()
    logging.getLogger("handsel").info("The worker is ready.")
    loop.follow(shop, stop)
    shop.close()


def _end_with_input(stop: threading.Event) -> None:
    """The parent holds the other end: when it dies, however it dies, so do we."""
    # Not sys.stdin: a thread that still holds it makes the interpreter's end fatal.
    os.read(0, 1)
    stop.set()


def _open(home: Path, as_json: bool) -> Shop:
    """Open the shop for work; an empty database is set up, an old one refused."""
    log_to_stderr(as_json)
    shop = open_shop(home.resolve())
    if schema.current(shop.database) is None:
        schema.upgrade(shop.database)
    schema.check(shop.database)
    return shop


NICE = 10
"""How far the worker beside the pages steps back behind them."""


class JsonLines(logging.Formatter):
    """One JSON object a line, tracebacks included, for programs that read logs."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        at = datetime.fromtimestamp(record.created, UTC)
        facts = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "name": record.name,
            "text": record.getMessage(),
        }
        if record.exc_text:  # where RedactSecrets has put it, cleaned
            facts["trace"] = record.exc_text
        return json.dumps(facts, ensure_ascii=False)


def log_to_stderr(as_json: bool) -> None:
    """Log to standard error, secrets struck out; a line of JSON each if wanted."""
    handler = logging.StreamHandler()
    handler.addFilter(RedactSecrets())
    line = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(line))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _serve(shop: Shop, bind: str | None, as_json: bool) -> None:
    from handsel.web.front import serve_shop

    address = bind or shop.settings.server.bind
    if not shop.settings.is_public and not _leads_here(shop.settings.shop.url, address):
        logging.getLogger("handsel").warning(
            "After paying, and from mails, buyers are led to %s, which is not %s: set "
            "shop.url to the address the shop is visited at.",
            shop.settings.shop.url,
            address,
        )
    serve_shop(shop, address, partial(say_open, as_json))


def _leads_here(url: str, address: str) -> bool:
    """Say whether a shop address on this machine names the port listened on."""
    listened = address.rpartition(":")[2]
    return listened in ("0", str(urlsplit(url).port or 80))


def say_open(as_json: bool, url: str, **more: str) -> None:
    """Say where the shop can be visited; scripts wait for this line."""
    if as_json:
        click.echo(json.dumps({"url": url, **more}))
    else:
        click.echo(f"The shop is open at {url}  (Ctrl-C closes it)")
    sys.stdout.flush()
