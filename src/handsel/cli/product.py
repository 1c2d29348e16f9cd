"""`handsel product`: what is for sale."""

import sys
from pathlib import Path
from typing import Any

import click

from handsel.cli import times
from handsel.cli.common import Command, answer, opened, shop_command, table
from handsel.cli.embed import embed
from handsel.kit.text import human_size
from handsel.models import Product
from handsel.models.words import ProductStatus, TaxClass
from handsel.ops import pricing, removing, shelving
from handsel.sales import asking, catalogue, deleting
from handsel.shop import Shop

PathArgument = click.Path(path_type=Path)


@click.group()
def product() -> None:
    """What is for sale."""


product.add_command(embed)


def _common_options(command: Command) -> Command:
    """Add what `add` and `edit` have in common, after --price."""
    for option in reversed(_COMMON):
        command = option(command)
    return command


_COMMON = (
    click.option(
        "--also",
        multiple=True,
        metavar="PRICE",
        help='The price in another currency: "17 USD".',
    ),
    click.option(
        "--sale",
        multiple=True,
        metavar="PRICE",
        help="The price of these days; again for each other currency.",
    ),
    click.option(
        "--sale-until",
        callback=times.until,
        metavar="TIME",
        help="When the sale ends: 2027-01-31, or 2027-01-31T18:00.",
    ),
    click.option(
        "--suggest",
        multiple=True,
        metavar="PRICE",
        help="An amount to choose, with --open-price; the first is proposed.",
    ),
    click.option(
        "--contains",
        multiple=True,
        metavar="SLUG",
        help='A product that comes with it: then it is a bundle. "" empties it.',
    ),
    click.option(
        "--family", metavar="WORD", help='The thing it is an edition of; "" for none.'
    ),
    click.option("--edition", metavar="NAME", help="What it is called among those."),
)


@product.command()
@click.argument("files", nargs=-1, type=PathArgument)
@click.option("--price", required=True, help='For instance 15, "9.99 USD", or 0.')
@click.option("--open-price", is_flag=True, help="Buyers pay what they want above it.")
@_common_options
@click.option("--name", help="What it is called; else from the first file's name.")
@click.option("--slug", help="Its word in addresses; else from the name.")
@click.option("--description", type=PathArgument, help="A Markdown file.")
@click.option("--cover", type=PathArgument, help="A PNG, JPEG or WebP image.")
@click.option("--limit", type=click.IntRange(1, 1000), help="Downloads of each file.")
@click.option(
    "--tax-class",
    type=click.Choice([str(word) for word in TaxClass]),
    default=TaxClass.STANDARD.value,
    show_default=True,
    help="What it is to the tax office; counts where tax.mode is eu or stripe.",
)
@click.option("--version", "version", default="1.0", show_default=True)
@click.option("--draft", is_flag=True, help="Do not show it to buyers yet.")
@shop_command
def add(files: tuple[Path, ...], home: Path, as_json: bool, **said: Any) -> None:
    """Put FILES up for sale as one product; or others together, as a bundle.

    \b
    Example: handsel product add book.epub book.pdf --price 15
             handsel product add --name Both --contains book --contains font --price 20
    """
    if not files and not said["contains"]:
        raise click.UsageError("Name the files to sell, or --contains for a bundle.")
    with opened(home) as shop:
        new = shelving.add_product(shop, files, **said)
        url = f"{shop.settings.public_url}/p/{new.slug}"
        answer(
            as_json,
            _facts(shop, new),
            f"{new.name} is on sale: {url}"
            if new.status is ProductStatus.PUBLISHED
            else f"{new.name} is a draft.",
            then=(
                "Next: handsel run"
                if new.status is ProductStatus.PUBLISHED
                else f"Next: handsel product publish {new.slug}"
            ),
        )


@product.command("list")
@shop_command
def list_products(home: Path, as_json: bool) -> None:
    """List every product, newest first."""
    with opened(home) as shop, shop.reading() as session:
        found = [_facts(shop, p) for p in catalogue.all_products(session, drafts=True)]
    rows = [
        (p["slug"], p["price"], p["status"], p["release"], p["name"]) for p in found
    ]
    text = table(("SLUG", "PRICE", "STATUS", "RELEASE", "NAME"), rows)
    empty = "Nothing is for sale yet."
    answer(
        as_json,
        found,
        text if found else empty,
        then="" if found else "Next: handsel product add BOOK.epub --price 15",
    )


@product.command()
@click.argument("slug")
@shop_command
def show(slug: str, home: Path, as_json: bool) -> None:
    """Show one product with its versions, and the files that are sold now."""
    with opened(home) as shop, shop.reading() as session:
        facts = _facts(shop, catalogue.get(session, slug))
    lists = ("files", "releases", "contains", "also")
    lines = [f"{key:15} {value}" for key, value in facts.items() if key not in lists]
    lines += [f"{'contains':15} {slug}" for slug in facts["contains"]]
    lines += [f"{'version':15} {r['version']}  {r['date']}" for r in facts["releases"]]
    lines += [
        f"{'file':15} {f['name']}  {human_size(f['size'])}  sha256 {f['sha256']}"
        for f in facts["files"]
    ]
    answer(as_json, facts, "\n".join(lines))


@product.command()
@click.argument("slug")
@click.option("--price", help='For instance 15, "9.99 USD", or 0.')
@click.option(
    "--open-price/--fixed-price",
    default=None,
    help="Buyers pay what they want above it; or just that.",
)
@_common_options
@click.option("--no-sale", is_flag=True, help="End the sale.")
@click.option("--only-currency", is_flag=True, help="Forget prices in others.")
@click.option("--name", help="What it is called.")
@click.option("--description", type=PathArgument, help="A Markdown file.")
@click.option("--cover", type=PathArgument, help="A PNG, JPEG or WebP image.")
@click.option("--no-cover", is_flag=True, help="Take away the cover it has.")
@click.option("--button", help='The words on its button; "" for the usual ones.')
@click.option("--template", help='Your own template of its page; "" for the usual one.')
@click.option("--limit", type=click.IntRange(1, 1000), help="Downloads of each file.")
@click.option(
    "--tax-class",
    type=click.Choice([str(word) for word in TaxClass]),
    help="What it is to the tax office; counts where tax.mode is eu or stripe.",
)
@shop_command
def edit(slug: str, home: Path, as_json: bool, **said: Any) -> None:
    """Change a product, for those who buy from now on.

    Orders that were begun keep their price, purchases their number of downloads.
    """
    fixed = said["open_price"] is not None
    if not fixed and all(value in (None, False, ()) for value in said.values()):
        raise click.UsageError("Say what to change, for instance --price 12.")
    if said["cover"] and said["no_cover"]:
        raise click.UsageError("--cover and --no-cover are two wishes: choose one.")
    with opened(home) as shop:
        facts = _facts(shop, shelving.edit_product(shop, slug, **said))
        answer(
            as_json,
            facts,
            f"{facts['name']}: {facts['price']}, {facts['download_limit']} downloads of "
            f"each file, {facts['status']}.",
            then=f"See it at {facts['url']}",
        )


@product.command()
@click.argument("slug")
@shop_command
def publish(slug: str, home: Path, as_json: bool) -> None:
    """Show a product to buyers. Safe to repeat."""
    with opened(home) as shop:
        with shop.transaction() as session:
            facts = _facts(shop, catalogue.show(session, slug, published=True))
        answer(
            as_json,
            facts,
            f"{facts['name']} is on sale: {facts['url']}",
            then="Next: handsel run",
        )


@product.command()
@click.argument("slug")
@shop_command
def unpublish(slug: str, home: Path, as_json: bool) -> None:
    """Take a product off the shelf; who has bought it keeps it. Safe to repeat."""
    with opened(home) as shop:
        with shop.transaction() as session:
            facts = _facts(shop, catalogue.show(session, slug, published=False))
        answer(
            as_json,
            facts,
            f"{facts['name']} is not shown any more; its buyers keep it.",
            then=f"Back on the shelf: handsel product publish {slug}",
        )


@product.command()
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@shop_command
def delete(slug: str, yes: bool, home: Path, as_json: bool) -> None:
    """Delete a product that nobody ordered or was given. It cannot be undone.

    Its page, prices, versions and files go; visits that were counted stay in the
    reports. One that was ordered stays: take it off the shelf with `unpublish`.
    """
    with opened(home) as shop:
        with shop.reading() as session:
            found = catalogue.get(session, slug)
            deleting.check(session, found, shop.now())
        if not yes:
            _ask_to_delete(found, as_json)
        name = removing.delete_product(shop, slug)
    answer(as_json, {"slug": slug, "name": name, "deleted": True}, f"{name} is gone.")


def _ask_to_delete(found: Product, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise click.UsageError("Nobody is here to say yes: add --yes to delete.")
    click.echo(f"{found.name}: its page, prices, {len(found.files)} files go.")
    click.confirm("It cannot be undone. Go on?", abort=True)


def _facts(shop: Shop, found: Product) -> dict[str, Any]:
    release = found.releases[-1]
    asked = asking.of(found)
    return {
        "slug": found.slug,
        "name": found.name,
        "status": str(found.status),
        "price": pricing.words(shop, asked),
        "price_minor": found.price_minor,
        "currency": found.currency,
        "sale_minor": found.sale_minor,
        "also": [
            {
                "currency": each.usual.currency,
                "price_minor": each.usual.minor,
                "sale_minor": each.sale.minor if each.sale else None,
            }
            for each in asked.also
        ],
        "family": found.family,
        "edition": found.edition,
        "sale_ends_at": asked.sale_ends_at.isoformat() if asked.sale_ends_at else None,
        "open_price": asked.open_price,
        "suggestions_minor": found.suggestions,
        "release": release.version,
        "download_limit": found.download_limit,
        "button": found.button,
        "template": found.template,
        "tax_class": str(found.tax_class),
        "url": f"{shop.settings.public_url}/p/{found.slug}",
        "releases": [
            {"version": each.version, "date": each.created_at.date().isoformat()}
            for each in found.releases
        ],
        "contains": [each.slug for each in found.contents],
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256}
            for file in found.files
        ],
    }
