"""Plain functions that make what a test needs."""

from pathlib import Path

from handsel.kit.money import Money
from handsel.models import Product
from handsel.ops import shelving
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.catalogue import NewProduct
from handsel.shop import Shop

BOOK = b"A book, in short.\n" * 4000


def book_file(folder: Path, name: str = "book.epub", content: bytes = BOOK) -> Path:
    """Write a file to sell."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def product(
    shop: Shop,
    *,
    slug: str = "book",
    name: str = "The Book",
    price: Money = Money(1500, "EUR"),  # noqa: B008  # frozen
    asking: Asking | None = None,
    limit: int = 5,
    files: dict[str, bytes] | None = None,
    published: bool = True,
) -> Product:
    """Put a product on the shelf."""
    folder = shop.home / "to-sell" / slug
    stored = [
        shelving.store(shop, book_file(folder, each, content))
        for each, content in (files or {"book.epub": BOOK}).items()
    ]
    new = NewProduct(
        slug=slug,
        name=name,
        asking=Asking(price) if asking is None else asking,
        description="A *very* good book.",
        download_limit=limit,
        published=published,
    )
    with shop.transaction() as session:
        catalogue.add(session, new, stored, None, shop.now())
    with shop.reading() as session:
        return catalogue.get(session, slug)
