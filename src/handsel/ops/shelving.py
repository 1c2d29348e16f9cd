"""Bringing files from the seller's disk onto the shelf."""

import hashlib
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from handsel.delivery.storage.uploads import Upload
from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.images import LARGEST, image_size
from handsel.kit.text import check_slug, safe_filename, shown, slugify
from handsel.models import Product
from handsel.models.words import TaxClass
from handsel.ops import pricing, wording
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.asking import of as price_of
from handsel.sales.catalogue import Changes, NewProduct
from handsel.sales.covers import Cover
from handsel.sales.releases import NewFile
from handsel.shop import Shop

Offered = Path | Upload
"""A file for the shelf: on the disk of this machine, or sent from a browser."""
Witness = Callable[[Session], None]
"""Writes down who does something, in the transaction that does it."""


def nobody(_: Session) -> None:
    """Write nothing down: a command is noted as a whole, if at all."""


def add_product(
    shop: Shop,
    files: Sequence[Offered],
    *,
    price: str = "",
    name: str | None = None,
    slug: str | None = None,
    description: Path | str | None = None,
    cover: Offered | None = None,
    limit: int | None = None,
    tax_class: str = TaxClass.STANDARD,
    version: str = "1.0",
    draft: bool = False,
    contains: Sequence[str] = (),
    edition: str | None = None,
    family: str | None = None,
    asking: Asking | None = None,
    witness: Witness = nobody,
    **asked: Any,
) -> Product:
    """Store the files, then put the product on the shelf in one transaction.

    Args:
        files: where they lie on this machine, or what was uploaded.
        description: Markdown, or the file it is in.
        edition, family: its name among the editions of one thing, and the word for that.
        asking: the price, where it was read already; else
        asked: it, and more of the price, as `pricing.asked` takes it.

    Nothing is for sale if anything is wrong. Raises BadInputError, ConflictError.
    """
    for file in files:
        check_file(file)
    if not files and name is None:
        raise BadInputError("There is no file to name it after.", "Say --name.")
    title = check_name(_title(files[0]) if name is None else name)
    new = NewProduct(
        slug=slugify(title) if slug is None else check_slug(slug),
        name=title,
        asking=asking or pricing.asked(shop, price, **asked),
        description=_words(description) or "",
        version=check_version(version),
        download_limit=limit or shop.settings.delivery.download_limit,
        tax_class=TaxClass(tax_class),
        published=not draft,
        contents=contains,
        edition=_edition(family, edition) or ("", ""),
    )
    picture = store_cover(shop, cover) if cover else None
    stored = [store(shop, file) for file in files]
    with shop.transaction() as session:
        product = catalogue.add(session, new, stored, picture, shop.now())
        witness(session)
    with shop.reading() as session:
        return catalogue.get(session, product.slug)


def edit_product(
    shop: Shop,
    slug: str,
    *,
    name: str | None = None,
    description: Path | str | None = None,
    cover: Offered | None = None,
    no_cover: bool = False,
    limit: int | None = None,
    tax_class: str | None = None,
    contains: Sequence[str] = (),
    edition: str | None = None,
    family: str | None = None,
    button: str | None = None,
    template: str | None = None,
    asking: Asking | None = None,
    seen: str = "",
    witness: Witness = nobody,
    **asked: Any,
) -> Product:
    """Change what is given of a product, in one transaction; None leaves it.

    Args:
        no_cover: take away the one it has.
        contains: slugs of what is in a bundle from now on; "" alone empties it.
        edition, family: as in `add_product`; a family "" takes it out of the one it has.
        asking: the whole price, where it was read already; else
        asked: of the price, as `pricing.changed` takes it.
        seen: as `catalogue.edit` takes it.

    Raises NotFoundError, BadInputError, ConflictError; then nothing has changed.
    """
    with shop.reading() as session:
        before = price_of(catalogue.get(session, slug))
    changes = Changes(
        name=check_name(name) if name is not None else None,
        asking=asking or pricing.changed(shop, before, **asked),
        description=_words(description),
        cover=store_cover(shop, cover) if cover else None,
        no_cover=no_cover,
        download_limit=limit,
        tax_class=TaxClass(tax_class) if tax_class else None,
        contents=_contents(contains),
        edition=_edition(family, edition),
        button=wording.button(shop, button) if button is not None else None,
        template=wording.template(shop, template) if template else template,
    )
    with shop.transaction() as session:
        catalogue.edit(session, slug, changes, shop.now(), seen=seen)
        witness(session)
    with shop.reading() as session:
        return catalogue.get(session, slug)


def _contents(contains: Sequence[str]) -> Sequence[str] | None:
    """Read what a bundle is to have in it; an empty word empties it, none leaves it."""
    if not contains:
        return None
    return [slug for slug in contains if slug.strip()]


def _edition(family: str | None, edition: str | None) -> tuple[str, str] | None:
    """Read which edition of what a product is. Raises BadInputError."""
    if family == "" and edition is None:
        return ("", "")
    if family is None and edition is None:
        return None
    if not family or not edition:
        raise BadInputError(
            "An edition has a name, and a family that it belongs to.",
            'Say both: --family mybook --edition "With the code".',
        )
    return check_slug(family), check_name(edition)[:60]


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


def _title(file: Offered) -> str:
    # Not str.title(), which makes Ada'S of Ada's and Pdf of PDF.
    words = Path(file.name).stem.replace("_", " ").replace("-", " ").split()
    return " ".join(word[:1].upper() + word[1:] for word in words) or file.name


def _words(text: Path | str | None) -> str | None:
    """Give a text that the seller typed, or has in a file; None for none."""
    return read_text(text) if isinstance(text, Path) else text


def read_text(path: Path) -> str:
    """Read a text the seller wrote; it may be empty. Raises BadInputError."""
    _check_readable(path)
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"{path} is not text in UTF-8.", "Save it as UTF-8, then try again."
        ) from error


def check_file(file: Offered) -> None:
    """Refuse what cannot be sold before anything is stored.

    Raises BadInputError, ConflictError for an upload that is not whole yet.
    """
    if isinstance(file, Upload):
        if not file.sha256:
            raise ConflictError(
                f"{file.name} has not arrived as a whole yet.",
                "Wait for it, or leave it out.",
            )
        return
    if _check_readable(file) == 0:
        raise BadInputError(f"{file} is empty.", "Buyers would get nothing: check it.")


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


def measured(file: Offered) -> NewFile:
    """Give name, sha256 and size of a file that stays where it is."""
    if isinstance(file, Upload):
        return NewFile(file.name, file.sha256, file.size)
    with file.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    return NewFile(safe_filename(file.name), sha256, file.stat().st_size)


def store(shop: Shop, file: Offered) -> NewFile:
    """Put one file into the storage. An upload stays there, too, until it is removed."""
    if isinstance(file, Upload):
        kept = shop.storage.adopt(file.path, file.sha256)
        return NewFile(file.name, kept.sha256, kept.size)
    with file.open("rb") as source:
        kept = shop.storage.put(source)
    return NewFile(safe_filename(file.name), kept.sha256, kept.size)


def store_cover(shop: Shop, file: Offered) -> Cover:
    """Put a cover image into the storage. Raises BadInputError for other files."""
    check_file(file)
    path = file.path if isinstance(file, Upload) else file
    if path.stat().st_size > LARGEST:
        raise BadInputError(f"{file.name} is larger than 20 MB.", "Make it smaller.")
    content_type, width, height = image_size(path.read_bytes(), file.name)
    kept = store(shop, file)
    return Cover(kept.sha256, content_type, width, height)
