"""Editions of a product: which files come, and which they take the place of."""

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError, ConflictError
from handsel.models import Product, Release, ReleaseFile
from handsel.models.database import rows_changed
from handsel.models.words import ProductStatus
from handsel.outbound.webhooks import events

BOOK_TYPES = {
    ".epub": "application/epub+zip",
    ".mobi": "application/x-mobipocket-ebook",
    ".azw3": "application/vnd.amazon.ebook",
    ".pdf": "application/pdf",
    ".md": "text/markdown",
    ".zip": "application/zip",
}


@dataclass(frozen=True)
class NewFile:
    """A file that is to become part of a release; its bytes lie in the storage."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class NewRelease:
    """What a seller says of an edition.

    Args:
        notes: Markdown, what is new for those who have an earlier one.
        replace: the files are all there is: those of earlier editions are sold no more.
    """

    version: str
    notes: str = ""
    replace: bool = False


def add(
    session: Session,
    product: Product,
    new: NewRelease,
    files: Sequence[NewFile],
    now: datetime,
) -> Release:
    """Make these files the newest edition of a product; who had older ones keeps them.

    Raises BadInputError for no files or two of one name, ConflictError when there is an
    edition of this version.
    """
    if not files:
        raise BadInputError("A product needs at least one file.", "Name it.")
    return begin(session, product, new, files, now)


def begin(
    session: Session,
    product: Product,
    new: NewRelease,
    files: Sequence[NewFile],
    now: datetime,
) -> Release:
    """Do as `add`, where there may be no files: a bundle has other products in it."""
    check_names(files)
    hold(session, product.id)
    _check_new(session, product, new.version)
    current = on_sale(session, product.id)
    release = Release(
        product_id=product.id, version=new.version, notes=new.notes, created_at=now
    )
    session.add(release)
    session.flush()
    after = shelf(files, current, replace=new.replace)
    replaced = [old for _, old in after.comes if old]
    _take_off(session, release, [*after.goes, *replaced])
    free = max((file.position for file in current), default=-1) + 1
    for number, (file, old) in enumerate(after.comes):
        position = old.position if old else free + number
        session.add(_row(release, file, position))
    session.flush()
    if product.status is ProductStatus.PUBLISHED:
        events.published(session, product.slug, release, now)
    return release


def hold(session: Session, product_id: int) -> None:
    """Keep others from telling its buyers anything new until this transaction ends."""
    session.execute(
        select(Product.id).where(Product.id == product_id).with_for_update()
    )


def check_names(files: Sequence[NewFile]) -> None:
    """Raise BadInputError for two files that buyers could not tell apart."""
    if len({file.name for file in files}) < len(files):
        raise BadInputError(
            "Two of the files have the same name.", "Rename one: buyers see the names."
        )


def _check_new(session: Session, product: Product, version: str) -> None:
    if find(session, product.id, version):
        raise taken(product.slug, version)


def taken(slug: str, version: str) -> ConflictError:
    """Say that there is another edition of this version."""
    return ConflictError(
        f"There is a version {version} of {slug} already, with other files.",
        "Give this one another: --version.",
    )


def find(session: Session, product_id: int, version: str) -> Release | None:
    """Give the edition of this version, if there is one."""
    return session.scalars(
        select(Release).where(
            Release.product_id == product_id, Release.version == version
        )
    ).one_or_none()


def on_sale(session: Session, product_id: int) -> Sequence[ReleaseFile]:
    """Give the files of a product that no later one has taken the place of."""
    return session.scalars(
        select(ReleaseFile)
        .join(Release, Release.id == ReleaseFile.release_id)
        .where(Release.product_id == product_id, ReleaseFile.replaced_in.is_(None))
        .order_by(ReleaseFile.position, ReleaseFile.id)
    ).all()


@dataclass(frozen=True)
class Shelf:
    """What an edition changes on the shelf.

    Args:
        comes: each new file, with the one whose place it takes, or None.
        stays, goes: what else was on sale.
    """

    comes: Sequence[tuple[NewFile, ReleaseFile | None]]
    stays: Sequence[ReleaseFile]
    goes: Sequence[ReleaseFile]


def shelf(
    files: Sequence[NewFile], current: Sequence[ReleaseFile], *, replace: bool
) -> Shelf:
    """Say what an edition of these files changes.

    A file that is on sale already, under this name and byte for byte, stays as it is.
    """
    known = {(file.name, file.sha256) for file in current}
    fresh = [file for file in files if (file.name, file.sha256) not in known]
    given = {(file.name, file.sha256) for file in files}
    same = [file for file in current if (file.name, file.sha256) in given]
    others = [file for file in current if file not in same]
    places = places_of(fresh, others)
    rest = [file for file in others if file not in places]
    return Shelf(
        comes=list(zip(fresh, places, strict=True)),
        stays=same if replace else [*same, *rest],
        goes=rest if replace else [],
    )


def places_of(
    files: Sequence[NewFile], current: Sequence[ReleaseFile]
) -> list[ReleaseFile | None]:
    """Say for each new file whose place it takes: None for one that is added.

    That is the file of the same name; else the only one of the same format, where the
    new one too is the only one of it.
    """
    named = {file.name: file for file in current}
    new_names = {file.name for file in files}
    others = [file for file in current if file.name not in new_names]
    added = [file.name for file in files if file.name not in named]
    return [
        named.get(file.name) or _only_one_of(file_format(file.name), others, added)
        for file in files
    ]


def _only_one_of(
    kind: str, others: Sequence[ReleaseFile], added: Sequence[str]
) -> ReleaseFile | None:
    old = [file for file in others if file_format(file.name) == kind]
    new = [name for name in added if file_format(name) == kind]
    return old[0] if len(old) == len(new) == 1 else None


def _take_off(session: Session, release: Release, files: Sequence[ReleaseFile]) -> None:
    rows_changed(
        session,
        update(ReleaseFile)
        .where(ReleaseFile.id.in_([file.id for file in files]))
        .values(replaced_in=release.id),
    )


def _row(release: Release, file: NewFile, position: int) -> ReleaseFile:
    return ReleaseFile(
        release_id=release.id,
        position=position,
        name=file.name,
        content_type=content_type(file.name),
        size=file.size,
        sha256=file.sha256,
    )


def content_type(name: str) -> str:
    """Guess a file's type from its name; unknown ones are plain bytes."""
    suffix = "." + name.rpartition(".")[2].lower()
    return (
        BOOK_TYPES.get(suffix)
        or mimetypes.guess_type(name)[0]
        or "application/octet-stream"
    )


def file_format(name: str) -> str:
    """What people call the format of a file: `EPUB`, `PDF`; never empty."""
    stem, dot, suffix = name.rpartition(".")
    return suffix.upper() if dot and stem and len(suffix) <= 8 else "FILE"
