"""What follows from a payment: the entitlement, the customer, the receipt."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from handsel.customers import customers
from handsel.models import Entitlement, Order
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import OrderStatus
from handsel.outbound import emails


def fulfil(session: Session, order: Order, *, access: bool, now: datetime) -> None:
    """Bring delivery in line with an order that was paid for. Safe to repeat.

    The entitlement exists from the first payment on, so that a refunded buyer's link
    still opens a page that says so; `access` says whether it opens the files. What was
    refunded before it was ever opened gets no receipt: its link would open nothing.
    """
    new = insert_new(
        session,
        Entitlement,
        order_id=order.id,
        product_id=order.product_id,
        access=access,
        granted_at=now,
        access_changed_at=now,
    )
    if not new:
        _set_access(session, order, access, now)
    if order.email:
        customer = customers.find_or_create(session, order.email, now)
        order.customer_id = customer.id
        if order.status is not OrderStatus.REFUNDED:
            emails.receipt(session, order, now)


def hold(session: Session, order: Order, now: datetime) -> None:
    """Deliver nothing more of an order that somebody has to look at. Safe to repeat."""
    _set_access(session, order, False, now)


def _set_access(session: Session, order: Order, access: bool, now: datetime) -> None:
    rows_changed(
        session,
        update(Entitlement)
        .where(Entitlement.order_id == order.id, Entitlement.access != access)
        .values(access=access, access_changed_at=now),
    )
