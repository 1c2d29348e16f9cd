"""Deleting a product that nobody has: one that was a slip, or was never wanted.

What was sold stays for ever, for orders, links and papers name it; so does what somebody
may still come to by a bundle, a coupon, or a mail they were asked to open. All else goes
along: prices, versions with their files, drafts of experiments and of updates, mails to
buyers that there were none of. The bytes stay in the storage until it is swept, where
those that another product has are kept.

Visits are not touched, and hinder nothing: days that were counted stay as they are, and
reports by product have them under its name, as deleted. They know it by its number, which
no other product gets.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError, NotFoundError
from handsel.models import (
    Brake,
    BundleItem,
    Campaign,
    Coupon,
    Decline,
    DeletedProduct,
    Entitlement,
    Experiment,
    Order,
    Product,
    ProductPrice,
    Release,
    ReleaseFile,
    UpdateDraft,
    Variant,
)
from handsel.models.coupons import coupon_products
from handsel.models.words import ExperimentState
from handsel.sales import catalogue, checks


def delete(session: Session, slug: str, now: datetime) -> str:
    """Delete a product that nobody ordered or was given; give its name.

    Whoever orders it at the same moment either has it, and it stays, or finds none.
    Raises NotFoundError, ConflictError when something names it that must stay.
    """
    session.execute(select(Product.id).where(Product.slug == slug).with_for_update())
    found = catalogue.get(session, slug)
    _hold_coupons(session, found)
    check(session, found, now)
    checks.leave(session, found.id)
    _take_along(session, found.id)
    session.add(DeletedProduct(id=found.id, slug=found.slug, deleted_at=now))
    session.flush()
    return found.name


def keep(session: Session, product_id: int) -> None:
    """Keep a product from being deleted until this transaction ends.

    Before any coupon is taken: who deletes holds the product first, then its coupons, and
    the two would wait for each other. Raises NotFoundError when it is deleted already.
    """
    there = select(Product.id).where(Product.id == product_id)
    # Holds off nobody but who deletes it; SQLite has one writer anyway.
    if session.scalar(there.with_for_update(read=True, key_share=True)) is None:
        raise NotFoundError(
            "There is no such product in this shop any more.",
            "Go to the shop's first page: it has those there are.",
        )


def check(session: Session, found: Product, now: datetime) -> None:
    """Raise ConflictError when a product cannot be deleted: why, and what to do."""
    for reason, hint in _HINDRANCES.items():
        if said := reason(session, found):
            raise ConflictError(said, hint.format(slug=found.slug))
    _check_mails(session, found, now)


def _check_mails(session: Session, found: Product, now: datetime) -> None:
    """Raise ConflictError while a buyer may open a mail they were asked to open."""
    if checks.any_open(session, found.id, now):
        raise ConflictError(
            f"Somebody who wants to buy {found.slug} was asked to open a mail first.",
            "They have an hour for it: try again after that.",
        )
    others = select(Product.id).where(Product.id != found.id).limit(1)
    if checks.newest_of(session) == found.id and session.scalar(others) is None:
        # Its check is kept for its number, and must be of some product.
        raise ConflictError(
            f"{found.slug} is the last product, and a buyer was asked to open a mail.",
            "Put the next one on the shelf first, then delete this one.",
        )


def _ordered(session: Session, found: Product) -> str:
    orders = select(func.count()).where(Order.product_id == found.id)
    count = session.scalar(orders)
    if not count:
        return ""
    return f"{found.slug} was ordered {_times(count)}: those orders go on naming it."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _owned(session: Session, found: Product) -> str:
    owned = select(func.count()).where(Entitlement.product_id == found.id)
    count = session.scalar(owned)
    if not count:
        return ""
    return f"{found.slug} came with a bundle that was bought {_times(count)}."


def _in_a_bundle(session: Session, found: Product) -> str:
    bundles = session.scalars(
        select(Product.slug)
        .join(BundleItem, BundleItem.bundle_id == Product.id)
        .where(BundleItem.product_id == found.id, BundleItem.removed_at.is_(None))
        .order_by(Product.id)
    ).all()
    return f"{found.slug} is a part of {', '.join(bundles)}." if bundles else ""


def _was_in_a_bundle(session: Session, found: Product) -> str:
    """Say so when somebody ordered a bundle while it was in there: they may pay yet."""
    bundle = session.scalar(
        select(Product.slug)
        .join(BundleItem, BundleItem.bundle_id == Product.id)
        .join(Order, Order.product_id == BundleItem.bundle_id)
        .where(
            BundleItem.product_id == found.id,
            Order.created_at <= BundleItem.removed_at,
        )
        .limit(1)
    )
    return f"{found.slug} was in {bundle} when that was ordered." if bundle else ""


def _tried(session: Session, found: Product) -> str:
    name = session.scalar(
        select(Experiment.name)
        .where(
            Experiment.product_id == found.id,
            Experiment.state != ExperimentState.DRAFT,
        )
        .limit(1)
    )
    return f"{name} was tried with {found.slug}: what it found stays." if name else ""


def _alone_in_a_coupon(session: Session, found: Product) -> str:
    """Name a coupon that is for nothing else: without it, it would be for everything."""
    other = coupon_products.alias()
    others = exists().where(
        other.c.coupon_id == Coupon.id, other.c.product_id != found.id
    )
    code = session.scalar(_coupons(found, Coupon.code).where(~others).limit(1))
    return f"The coupon {code} is for {found.slug} alone." if code else ""


_OFF_SALE = "To take it off the shelf instead: handsel product unpublish {slug}"
_HINDRANCES: dict[Callable[[Session, Product], str], str] = {
    _ordered: _OFF_SALE,
    _owned: _OFF_SALE,
    _in_a_bundle: "Take it out of there first.",
    _was_in_a_bundle: _OFF_SALE,
    _tried: _OFF_SALE,
    _alone_in_a_coupon: _OFF_SALE,
}
"""What hinders, in the order it is said, and what to do instead."""


def _coupons(found: Product, column: Any) -> Select[Any]:
    """Give this of the coupons that name a product."""
    return (
        select(column)
        .join(coupon_products, coupon_products.c.coupon_id == Coupon.id)
        .where(coupon_products.c.product_id == found.id)
        .order_by(Coupon.id)
    )


def _hold_coupons(session: Session, found: Product) -> None:
    """Keep others from taking the next to last product out of a coupon meanwhile."""
    session.execute(_coupons(found, Coupon.id).with_for_update(of=Coupon))


def _take_along(session: Session, product_id: int) -> None:
    """Delete its row, and all that is about nothing else."""
    drafts = select(Experiment.id).where(Experiment.product_id == product_id)
    releases = select(Release.id).where(Release.product_id == product_id)
    for table, rows in (
        (Variant, Variant.experiment_id.in_(drafts)),
        (Experiment, Experiment.product_id == product_id),
        (UpdateDraft, UpdateDraft.product_id == product_id),
        # Whoever had got such a mail would have an order.
        (Campaign, Campaign.product_id == product_id),
        (coupon_products, coupon_products.c.product_id == product_id),
        (BundleItem, BundleItem.product_id == product_id),
        (BundleItem, BundleItem.bundle_id == product_id),
        (Brake, Brake.product_id == product_id),
        (Decline, Decline.product_id == product_id),
        (ReleaseFile, ReleaseFile.release_id.in_(releases)),
        (Release, Release.product_id == product_id),
        (ProductPrice, ProductPrice.product_id == product_id),
        (Product, Product.id == product_id),
    ):
        session.execute(
            delete_rows(table).where(rows),
            execution_options={"synchronize_session": False},
        )
