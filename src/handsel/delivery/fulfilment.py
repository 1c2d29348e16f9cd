"""What follows from a payment: the entitlement, the customer, the receipt."""

from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from handsel.customers import customers
from handsel.models import BundleItem, Entitlement, Order, Release
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import OrderStatus
from handsel.outbound import emails
from handsel.outbound.webhooks import events


def fulfil(session: Session, order: Order, *, access: bool, now: datetime) -> None:
    """Bring delivery in line with an order that was paid for. Safe to repeat.

    The entitlement, of a bundle one for each product, exists from the first payment on, so that a refunded buyer's link
    still opens a page that says so; `access` says whether it opens the files. What was
    refunded before it was ever opened gets no receipt: its link would open nothing.
    """
    if _entitle(session, order, order.product_id, order.release_id, access, now):
        _entitle_to_contents(session, order, access, now)
        if access:
            events.access_changed(session, order, access, now)
    else:
        _set_access(session, order, access, now)
    if order.email:
        customer = customers.find_or_create(session, order.email, now)
        order.customer_id = customer.id
        if order.status is not OrderStatus.REFUNDED:
            emails.receipt(session, order, now)


def _entitle_to_contents(
    session: Session, order: Order, access: bool, now: datetime
) -> None:
    """Open what a bundle had in it when the buyer set out to pay."""
    there = and_(
        BundleItem.added_at <= order.created_at,
        or_(BundleItem.removed_at.is_(None), BundleItem.removed_at > order.created_at),
    )
    newest = (
        select(BundleItem.product_id, func.max(Release.id).label("release_id"))
        .join(Release, Release.product_id == BundleItem.product_id)
        .where(BundleItem.bundle_id == order.product_id, there)
        .group_by(BundleItem.product_id)
    )
    for row in session.execute(newest):
        _entitle(session, order, row.product_id, row.release_id, access, now)


def _entitle(
    session: Session,
    order: Order,
    product_id: int,
    release_id: int,
    access: bool,
    now: datetime,
) -> bool:
    return insert_new(
        session,
        Entitlement,
        order_id=order.id,
        product_id=product_id,
        release_id=release_id,
        access=access,
        granted_at=now,
        access_changed_at=now,
    )


def hold(session: Session, order: Order, now: datetime) -> None:
    """Deliver nothing more of an order that somebody has to look at. Safe to repeat."""
    _set_access(session, order, False, now)


def _set_access(session: Session, order: Order, access: bool, now: datetime) -> None:
    changed = rows_changed(
        session,
        update(Entitlement)
        .where(Entitlement.order_id == order.id, Entitlement.access != access)
        .values(access=access, access_changed_at=now),
    )
    if changed:
        events.access_changed(session, order, access, now)
