"""What the desk lists of products: what each costs, and what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from handsel.analytics.periods import read_period
from handsel.analytics.reports.tallies import By, Wanted, tally
from handsel.models import BundleItem, Product, Release
from handsel.models.words import EventKind, ProductStatus
from handsel.ops import pricing
from handsel.sales import asking
from handsel.shop import Shop

PAGE = 50


@dataclass(frozen=True)
class Line:
    """One product in the list.

    Args:
        sold: orders that were paid, or cost nothing.
        downloaded: how many of those were opened as far as a file.
    """

    slug: str
    name: str
    published: bool
    price: str
    version: str
    is_bundle: bool
    sold: int
    downloaded: int


@dataclass(frozen=True)
class Shelf:
    """A page of the list; `after` is where the next one goes on, None at the end."""

    lines: Sequence[Line]
    after: int | None


def shelf(
    session: Session,
    shop: Shop,
    *,
    status: ProductStatus | None = None,
    after: int | None = None,
) -> Shelf:
    """List products, newest first; those of a status alone, if one is said."""
    wanted = select(Product).options(selectinload(Product.prices))
    if status is not None:
        wanted = wanted.where(Product.status == status)
    if after is not None:
        wanted = wanted.where(Product.id < after)
    rows = session.scalars(wanted.order_by(Product.id.desc()).limit(PAGE + 1)).all()
    shown, more = rows[:PAGE], len(rows) > PAGE
    ids = [each.id for each in shown]
    versions, bundles = _versions(session, ids), _bundles(session, ids)
    counts = _counts(session, shop)
    lines = [
        Line(
            each.slug,
            each.name,
            each.status is ProductStatus.PUBLISHED,
            pricing.words(shop, asking.of(each)),
            versions.get(each.id, ""),
            each.id in bundles,
            counts.get((each.slug, EventKind.PAID), 0),
            counts.get((each.slug, EventKind.DOWNLOADED), 0),
        )
        for each in shown
    ]
    return Shelf(lines, ids[-1] if more else None)


def names(session: Session, *, bundles: bool = True) -> list[tuple[str, str]]:
    """Give slug and name of every product, newest first; without bundles, if said."""
    wanted = select(Product.slug, Product.name).order_by(Product.id.desc())
    if not bundles:
        full = select(BundleItem.bundle_id).where(BundleItem.removed_at.is_(None))
        wanted = wanted.where(Product.id.not_in(full))
    return [(slug, name) for slug, name in session.execute(wanted)]


def there(session: Session, slugs: Collection[str]) -> set[str]:
    """Give those of the slugs that a product has now."""
    return set(session.scalars(select(Product.slug).where(Product.slug.in_(slugs))))


def _versions(session: Session, products: Sequence[int]) -> dict[int, str]:
    last = (
        select(func.max(Release.id))
        .where(Release.product_id.in_(products))
        .group_by(Release.product_id)
    )
    rows = session.execute(
        select(Release.product_id, Release.version).where(Release.id.in_(last))
    )
    return {row.product_id: row.version for row in rows}


def _bundles(session: Session, products: Sequence[int]) -> set[int]:
    inside = select(BundleItem.bundle_id).where(
        BundleItem.bundle_id.in_(products), BundleItem.removed_at.is_(None)
    )
    return set(session.scalars(inside.distinct()))


def _counts(session: Session, shop: Shop) -> dict[tuple[str, EventKind], int]:
    """Count sales as the reports do: pretend ones only where there are no others."""
    pretend = all(each.test for each in shop.providers.values())
    period = read_period("all", shop.now().date())
    found: dict[tuple[str, EventKind], int] = {}
    for each in tally(session, Wanted(period, By.PRODUCT, test=pretend)):
        key = (each.key, each.kind)
        found[key] = found.get(key, 0) + each.times
    return found
