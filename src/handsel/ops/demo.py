"""The throw-away shop of `handsel demo`: a sample book, test money, mail in the browser."""

import os
import socket
from http.server import ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path

from handsel.customers.staff import passwords, people
from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.ops import founding, sample, shelving, sites
from handsel.ops.founding import Plan
from handsel.ops.sites import Files
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.catalogue import NewProduct
from handsel.settings import CONFIG_FILE, load_settings
from handsel.shop import Shop, open_shop

SLUG = "the-first-coin"
PRICE = Money(1500, "EUR")
SELLER = "seller@example.com"
PASSWORD = "the first coin of the morning"  # noqa: S105 - of the demo, for everybody to see


def prepare(home: Path, *, port: int, site: str = "") -> Shop:
    """Open the demo's shop, made anew if it is not there. Safe to repeat.

    `site`: the origin of the sample site, whose pages may show the shop's.

    Raises ConflictError for a shop that sells in earnest: its mails would go out with
    links to this machine.
    """
    sites = (site, site.replace("127.0.0.1", "localhost")) if site else ()
    if not (home / CONFIG_FILE).exists():
        founding.found(home, _plan(port, sites))
    settings = load_settings(home)
    if settings.is_public or settings.providers != ["test"]:
        raise ConflictError(
            f"The shop in {home} is not a demo.",
            "Name another folder with --home; is HANDSEL_HOME set?",
        )
    # In the environment, so that the worker beside us sees the same address.
    os.environ["HANDSEL_SHOP__URL"] = f"http://127.0.0.1:{port}"
    if sites:  # beside those of the file, which commands in another window see too
        every = dict.fromkeys([*settings.embed.origins, *sites])
        os.environ["HANDSEL_EMBED__ORIGINS"] = ",".join(every)
    settings = load_settings(home)
    founding.prepare(home, settings)
    shop = open_shop(home, settings)
    with shop.reading() as session:
        empty = not catalogue.all_products(session, drafts=True)
    if empty:
        _stock(shop)
    _hire(shop)
    return shop


def _hire(shop: Shop) -> None:
    """Let the seller in who needs no telephone. Safe to repeat."""
    with shop.transaction() as session:
        if people.find(session, SELLER) is None:
            person = people.add(session, SELLER, shop.now())
            person.password_hash = passwords.keep(PASSWORD)


def sample_site(shop_url: str) -> Files:
    """Give the pages of the book's author, whose buttons lead to this shop."""
    files = {}
    for path in sample.sample_site():
        kind, content = guess_type(path.name)[0] or "", path.read_bytes()
        if kind.startswith("text/"):
            text = content.decode().replace(sample.SITE_SHOP, shop_url)
            kind, content = f"{kind}; charset=utf-8", text.encode()
        files[f"/{path.name}"] = (kind, content)
    return files | {"/": files["/index.html"]}


def next_port(port: int) -> ThreadingHTTPServer:
    """Take the port after the shop's for the sample site, or any if somebody has it."""
    try:
        return sites.listen(port + 1 if port < 65535 else 0)
    except ConflictError:
        return sites.listen(0)


def free_port() -> int:
    """Find a port nobody listens on. It must be known before: links name it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _plan(port: int, sites: tuple[str, ...]) -> Plan:
    address = f"127.0.0.1:{port}"
    return Plan(
        name="The Demo Bookshop",
        email="seller@example.com",
        currency="EUR",
        url=f"http://{address}",
        bind=address,
        origins=sites,
    )


def _stock(shop: Shop) -> None:
    """Put the sample book on the shelf."""
    files = [shelving.store(shop, path) for path in sample.sample_files()]
    cover = shelving.store_cover(shop, sample.sample_cover())
    new = NewProduct(
        slug=SLUG,
        name=sample.SAMPLE_TITLE,
        asking=Asking(PRICE),
        description=sample.SAMPLE_DESCRIPTION,
    )
    with shop.transaction() as session:
        catalogue.add(session, new, files, cover, shop.now())
