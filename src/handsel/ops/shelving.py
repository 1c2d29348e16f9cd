"""Bringing files from the seller's disk onto the shelf."""

import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from handsel.kit.errors import BadInputError
from handsel.kit.images import image_size
from handsel.kit.money import Money, parse_money
from handsel.kit.text import check_slug, safe_filename, shown, slugify
from handsel.models import Product
from handsel.sales import catalogue, prices
from handsel.sales.catalogue import Changes, Cover, NewProduct
from handsel.sales.payments.base import PaymentProvider
from handsel.sales.payments.units import check
from handsel.sales.prices import Asking
from handsel.sales.releases import NewFile
from handsel.shop import Shop


def add_product(
    shop: Shop,
    files: Sequence[Path],
    *,
    price: str,
    open_price: bool = False,
    suggest: Sequence[str] = (),
    sale: str | None = None,
    sale_until: datetime | None = None,
    name: str | None = None,
    slug: str | None = None,
    description: Path | None = None,
    cover: Path | None = None,
    limit: int | None = None,
    version: str = "1.0",
    draft: bool = False,
    contains: Sequence[str] = (),
) -> Product:
    """Store the files, then put the product on the shelf in one transaction.

    Nothing is for sale if anything is wrong. Raises BadInputError, ConflictError.
    """
    for path in files:
        check_file(path)
    if not files and name is None:
        raise BadInputError("There is no file to name it after.", "Say --name.")
    title = check_name(_title(files[0]) if name is None else name)
    new = NewProduct(
        slug=slugify(title) if slug is None else check_slug(slug),
        name=title,
        asking=Asking(
            price=price_in(shop, price),
            sale=price_in(shop, sale) if sale is not None else None,
            sale_ends_at=_to_come(shop, sale_until),
            open_price=open_price,
            suggestions=tuple(price_in(shop, each) for each in suggest),
        ),
        description=read_text(description) if description else "",
        version=check_version(version),
        download_limit=limit or shop.settings.delivery.download_limit,
        published=not draft,
        contents=contains,
    )
    picture = store_cover(shop, cover) if cover else None
    stored = [store(shop, path) for path in files]
    with shop.transaction() as session:
        product = catalogue.add(session, new, stored, picture, shop.now())
    with shop.reading() as session:
        return catalogue.get(session, product.slug)


def edit_product(
    shop: Shop,
    slug: str,
    *,
    name: str | None = None,
    description: Path | None = None,
    cover: Path | None = None,
    limit: int | None = None,
    contains: Sequence[str] = (),
    **asked: Any,
) -> Product:
    """Change what is given of a product, in one transaction; None leaves it.

    Args:
        asked: of the price: `price`, `sale`, `sale_until`, `no_sale`, `open_price` and
            `suggest`, as in `add_product`.

    Raises NotFoundError, BadInputError; then nothing has changed.
    """
    with shop.reading() as session:
        before = prices.asking(catalogue.get(session, slug))
    changes = Changes(
        name=check_name(name) if name is not None else None,
        asking=_changed(shop, before, **asked),
        description=read_text(description) if description else None,
        cover=store_cover(shop, cover) if cover else None,
        download_limit=limit,
        contents=contains or None,
    )
    with shop.transaction() as session:
        return catalogue.edit(session, slug, changes)


def _changed(
    shop: Shop,
    before: Asking,
    *,
    price: str | None = None,
    sale: str | None = None,
    sale_until: datetime | None = None,
    no_sale: bool = False,
    open_price: bool | None = None,
    suggest: Sequence[str] = (),
) -> Asking:
    """Give the price as it is after some of it was said anew."""
    if no_sale:
        before = replace(before, sale=None, sale_ends_at=None)
    if open_price is False:
        before = replace(before, open_price=False, suggestions=())
    new: dict[str, Any] = {
        "price": price_in(shop, price) if price is not None else None,
        "sale": price_in(shop, sale) if sale is not None else None,
        "sale_ends_at": _to_come(shop, sale_until),
        "open_price": open_price,
        "suggestions": tuple(price_in(shop, each) for each in suggest) or None,
    }
    if sale is not None and sale_until is None:  # another sale, and no word of its end
        before = replace(before, sale_ends_at=None)
    return replace(before, **{key: v for key, v in new.items() if v is not None})


def _to_come(shop: Shop, end: datetime | None) -> datetime | None:
    if end is not None and end <= shop.now():
        raise BadInputError(
            "The sale would be over already.", "Give an end that is still to come."
        )
    return end


def check_name(name: str) -> str:
    """Give a product's name without spaces around it. Raises BadInputError."""
    tidy = " ".join(shown(name).split())
    if not tidy or len(tidy) > 200:
        raise BadInputError(
            "A product's name has 1 to 200 letters.", "Give another one with --name."
        )
    return tidy


def check_version(version: str) -> str:
    """Give a version without spaces around it. Raises BadInputError."""
    tidy = " ".join(shown(version).split())
    if not tidy or len(tidy) > 40:
        raise BadInputError(
            "A version has 1 to 40 letters.", "Write it like 1.0 or 2026-11."
        )
    return tidy


def _title(path: Path) -> str:
    # Not str.title(), which makes Ada'S of Ada's and Pdf of PDF.
    words = path.stem.replace("_", " ").replace("-", " ").split()
    return " ".join(word[:1].upper() + word[1:] for word in words) or path.name


def price_in(shop: Shop, text: str) -> Money:
    """Read a price, and refuse what no provider in use could charge."""
    price = parse_money(text, shop.settings.shop.currency)
    if price.minor:
        check_price(shop, price)
    return price


def check_price(shop: Shop, price: Money) -> None:
    """Refuse a price that none of the shop's providers can charge.

    Raises BadInputError, in the words of the first of them.
    """
    # Pretend money has every coin: it must not hide what the real one lacks.
    real = [each for name, each in shop.providers.items() if name != "test"]
    refusals = [_refusal(each, price) for each in real]
    if refusals and all(refusals):
        raise next(error for error in refusals if error)


def _refusal(provider: PaymentProvider, price: Money) -> BadInputError | None:
    try:
        check(provider.units(price.currency), price)
    except BadInputError as error:
        return error
    return None


def read_text(path: Path) -> str:
    """Read a text the seller wrote; it may be empty. Raises BadInputError."""
    _check_readable(path)
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"{path} is not text in UTF-8.", "Save it as UTF-8, then try again."
        ) from error


def check_file(path: Path) -> None:
    """Refuse what cannot be sold before anything is stored. Raises BadInputError."""
    if _check_readable(path) == 0:
        raise BadInputError(f"{path} is empty.", "Buyers would get nothing: check it.")


def _check_readable(path: Path) -> int:
    """Give the size of a file in bytes. Raises BadInputError for what is no file."""
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            raise BadInputError(
                f"{path} is a folder.",
                "Name a file in it; to sell it whole, pack it as one zip.",
            )
        if not stat.S_ISREG(facts.st_mode):  # a device need not ever end
            raise BadInputError(f"{path} is no file.", "Name a file on your disk.")
        path.open("rb").close()
    except FileNotFoundError:
        raise BadInputError(
            f"There is no file {path}.", "Check its name and folder."
        ) from None
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror}.",
            "Check its name, and who may read it.",
        ) from error
    return facts.st_size


def store(shop: Shop, path: Path) -> NewFile:
    """Put one file into the storage."""
    with path.open("rb") as source:
        kept = shop.storage.put(source)
    return NewFile(safe_filename(path.name), kept.sha256, kept.size)


def store_cover(shop: Shop, path: Path) -> Cover:
    """Put a cover image into the storage. Raises BadInputError for other files."""
    check_file(path)
    content_type, width, height = image_size(path.read_bytes(), path.name)
    with path.open("rb") as source:
        kept = shop.storage.put(source)
    return Cover(kept.sha256, content_type, width, height)
