"""What is for sale: adding products, changing and finding them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, union_all, update
from sqlalchemy.orm import Session, selectinload

from handsel.analytics import experiments
from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.models import (
    BundleItem,
    DeletedProduct,
    Entitlement,
    Order,
    Product,
    Release,
)
from handsel.models.database import rows_changed
from handsel.models.words import Part, ProductStatus, TaxClass
from handsel.sales import asking, covers, marks, releases
from handsel.sales.asking import Asking
from handsel.sales.covers import Cover
from handsel.sales.releases import NewFile, NewRelease


@dataclass(frozen=True)
class NewProduct:
    """What a seller says of a product. `version` names its first release."""

    slug: str
    name: str
    asking: Asking
    description: str = ""
    version: str = "1.0"
    download_limit: int = 5
    tax_class: TaxClass = TaxClass.STANDARD
    published: bool = True
    contents: Sequence[str] = ()
    """Slugs of what is in it, if it is a bundle."""
    edition: tuple[str, str] = ("", "")
    """The family it is an edition of, and its name there."""


def add(
    session: Session,
    new: NewProduct,
    files: Sequence[NewFile],
    cover: Cover | None,
    now: datetime,
) -> Product:
    """Put a product on the shelf, with its first release.

    A bundle need not have files of its own. Raises ConflictError when the slug is taken,
    BadInputError with nothing to sell, NotFoundError for contents that are not there.
    """
    if session.scalar(select(func.count()).where(Product.slug == new.slug)):
        raise ConflictError(
            f"There is a product called {new.slug} already.",
            f"Choose another with --slug, or change it with "
            f"`handsel product edit {new.slug}`.",
        )
    product = Product(
        id=_number(session),
        slug=new.slug,
        name=new.name,
        description=new.description,
        status=ProductStatus.PUBLISHED if new.published else ProductStatus.DRAFT,
        download_limit=new.download_limit,
        tax_class=new.tax_class,
        created_at=now,
    )
    asking.ask(product, new.asking)
    _join(session, product, *new.edition)
    covers.put_on(product, cover)
    session.add(product)
    session.flush()
    first = NewRelease(new.version)
    if new.contents:
        releases.begin(session, product, first, files, now)
        fill(session, product, new.contents, now)
    else:
        releases.add(session, product, first, files, now)
    return product


def _number(session: Session) -> int | None:
    """Give a number that no product ever had; PostgreSQL does that by itself.

    SQLite gives that of the newest again once it is deleted.
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    numbers = union_all(select(Product.id), select(DeletedProduct.id)).subquery()
    return (session.scalar(select(func.max(numbers.c.id))) or 0) + 1


def fill(
    session: Session, bundle: Product, slugs: Sequence[str], now: datetime
) -> None:
    """Put these products into a bundle, instead of what was in it.

    For those who press Buy from now on. Raises NotFoundError, BadInputError.
    """
    contents = [get(session, slug) for slug in dict.fromkeys(slugs)]
    if not contents and not bundle.files:
        raise BadInputError(
            f"{bundle.slug} has no files of its own: nothing would be in it.",
            f"Take it off the shelf: handsel product unpublish {bundle.slug}",
        )
    inside = _is_inside(session, bundle)
    for each in contents:
        if each.id == bundle.id or each.contents or inside:
            raise BadInputError(
                f"{each.slug} cannot be in {bundle.slug}.",
                "A bundle has products in it, and no bundles.",
            )
    mine = BundleItem.bundle_id == bundle.id, BundleItem.removed_at.is_(None)
    rows_changed(session, update(BundleItem).where(*mine).values(removed_at=now))
    session.add_all(
        BundleItem(
            bundle_id=bundle.id, product_id=each.id, position=position, added_at=now
        )
        for position, each in enumerate(contents)
    )
    session.flush()
    session.expire(bundle, ["contents"])


def _is_inside(session: Session, product: Product) -> bool:
    """Say whether a product is in a bundle itself."""
    inside = select(BundleItem.bundle_id).where(
        BundleItem.product_id == product.id, BundleItem.removed_at.is_(None)
    )
    return session.scalar(inside.limit(1)) is not None


@dataclass(frozen=True)
class Changes:
    """What is to be different about a product; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    asking: Asking | None = None
    cover: Cover | None = None
    no_cover: bool = False
    download_limit: int | None = None
    tax_class: TaxClass | None = None
    contents: Sequence[str] | None = None
    edition: tuple[str, str] | None = None
    """The family it belongs to, and its name there; ("", "") takes it out."""
    button: str | None = None
    """The words on its button; "" for the usual ones."""
    template: str | None = None
    """The template of its page; "" for the usual one."""


def edit(
    session: Session, slug: str, changes: Changes, now: datetime, *, seen: str = ""
) -> Product:
    """Change a product for those who buy from now on. Raises NotFoundError.

    Orders that were begun keep the price they were shown, and purchases the number of
    downloads they came with. Raises ConflictError for what is being tried by an
    experiment.

    Args:
        seen: the mark of the product as whoever changes it has seen it; "" for
            whatever it is like now. Raises ChangedMeanwhileError when it is another.
    """
    if seen:
        session.execute(
            select(Product.id).where(Product.slug == slug).with_for_update()
        )
    product = get(session, slug)
    if seen and seen != marks.of(product):
        raise marks.ChangedMeanwhileError(
            f"{product.name} was changed by somebody else while you were at it.",
            "Look at what is different, then save again.",
        )
    experiments.refuse_change(session, product, _parts(product, changes))
    if changes.asking and _currencies(changes.asking) != _currencies(
        asking.of(product)
    ):
        experiments.refuse_currencies(session, product)
    if changes.name is not None:
        product.name = changes.name
    if changes.description is not None:
        product.description = changes.description
    if changes.asking is not None:
        asking.ask(product, changes.asking)
    if changes.cover or changes.no_cover:
        covers.put_on(product, changes.cover)
    if changes.download_limit is not None:
        product.download_limit = changes.download_limit
    if changes.tax_class is not None:
        product.tax_class = changes.tax_class
    if changes.edition is not None:
        _join(session, product, *changes.edition)
    if changes.button is not None:
        product.button = changes.button or None
    if changes.template is not None:
        product.template = changes.template or None
    if changes.contents is not None:
        fill(session, product, changes.contents, now)
    session.flush()
    return product


def _parts(product: Product, changes: Changes) -> list[Part]:
    """Say which parts of a page would look different."""
    new = changes
    price = new.asking is not None and new.asking != asking.of(product)
    cover = new.cover.sha256 if new.cover else None if new.no_cover else product.cover
    edition = new.edition not in (None, (product.family or "", product.edition or ""))
    different = {
        Part.HEADLINE: new.name not in (None, product.name),
        Part.DESCRIPTION: new.description not in (None, product.description),
        Part.COVER: cover != product.cover,
        Part.BUTTON: new.button not in (None, product.button or ""),
        Part.TEMPLATE: new.template not in (None, product.template or ""),
        # The prices of editions stand side by side.
        Part.PRICE: price or bool(edition and new.edition and new.edition[0]),
    }
    return [part for part, is_so in different.items() if is_so]


def _currencies(asked: Asking) -> set[str]:
    return {asked.price.currency, *(each.usual.currency for each in asked.also)}


def _join(session: Session, product: Product, family: str, edition: str) -> None:
    """Make a product an edition of a family. Raises ConflictError for a second such."""
    twin = select(Product.slug).where(
        Product.family == family, Product.edition == edition, Product.id != product.id
    )
    if family and (other := session.scalar(twin)):
        raise ConflictError(
            f"{other} is the edition “{edition}” of {family} already.",
            "Give this one another name.",
        )
    product.family, product.edition = family or None, edition or None


def show(session: Session, slug: str, *, published: bool) -> Product:
    """Put a product before strangers, or take it from them. Safe to repeat.

    Who has bought it keeps it either way. Raises NotFoundError.
    """
    product = get(session, slug)
    product.status = ProductStatus.PUBLISHED if published else ProductStatus.DRAFT
    session.flush()
    return product


_WITH_RELEASES = selectinload(Product.releases).selectinload(Release.files)
_WITH_FILES = (
    _WITH_RELEASES,
    selectinload(Product.prices),
    selectinload(Product.contents)
    .selectinload(Product.releases)
    .selectinload(Release.files),
)


def get(session: Session, slug: str) -> Product:
    """Give a product, published or not, with releases and files.

    Raises NotFoundError.
    """
    product = _find(session, slug)
    if product is None:
        raise NotFoundError(
            f"There is no product called {slug}.", "`handsel product list` shows them."
        )
    return product


def _find(session: Session, slug: str) -> Product | None:
    return session.scalars(
        select(Product).where(Product.slug == slug).options(*_WITH_FILES)
    ).one_or_none()


def family(session: Session, product: Product) -> Sequence[Product]:
    """Give the editions of one thing that are on sale, in the order they came up.

    None for a product that is alone.
    """
    if product.family is None:
        return []
    found = session.scalars(
        select(Product)
        .where(
            Product.family == product.family, Product.status == ProductStatus.PUBLISHED
        )
        .options(selectinload(Product.prices))
        .order_by(Product.id)
    ).all()
    return found if len(found) > 1 else []


def bought(session: Session, order: Order) -> list[tuple[Product, int]]:
    """Give each product of a purchase with the edition it was bought in.

    The product that was paid for comes first, then what a bundle has in it. Before the
    money is there it is that product alone.
    """
    rows = session.execute(
        select(Entitlement.product_id, Entitlement.release_id)
        .where(Entitlement.order_id == order.id)
        .order_by(Entitlement.id)
    ).all()
    editions = {row.product_id: row.release_id for row in rows}
    editions = editions or {order.product_id: order.release_id}
    found = session.scalars(
        select(Product).where(Product.id.in_(editions)).options(_WITH_RELEASES)
    )
    products = {each.id: each for each in found}
    return [(products[each], release) for each, release in editions.items()]


def published(session: Session, slug: str) -> Product:
    """Give a product that strangers may see.

    Raises NotFoundError, the same for a draft as for a product that never was.
    """
    product = _find(session, slug)
    if product is None or product.status is not ProductStatus.PUBLISHED:
        raise NotFoundError(
            "There is no such product in this shop.",
            "Check the address, or go to the shop's first page.",
        )
    return product


def all_products(session: Session, *, drafts: bool = False) -> Sequence[Product]:
    """Give every product, newest first, with releases and files."""
    query = select(Product).options(*_WITH_FILES).order_by(Product.id.desc())
    if not drafts:
        query = query.where(Product.status == ProductStatus.PUBLISHED)
    return session.scalars(query).all()
