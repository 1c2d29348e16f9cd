"""What commands and exports say of an order: one shape, with fixed names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from handsel.kit.signing import Keys, link_token
from handsel.models import (
    Allowance,
    Coupon,
    Customer,
    Entitlement,
    Order,
    Product,
    Release,
    VatCheck,
)
from handsel.models.words import OrderStatus


@dataclass(frozen=True)
class Filter:
    """Which orders to list; None means any. `most` rows at the most, newest first."""

    product: str | None = None
    status: OrderStatus | None = None
    email: str | None = None
    since: datetime | None = None
    started: bool = False
    most: int = 100


def find(session: Session, wanted: Filter) -> Sequence[Order]:
    """List orders, newest first; those never paid only when asked for."""
    query = select(Order).options(joinedload(Order.product)).order_by(Order.id.desc())
    if wanted.product is not None:
        query = query.join(Product).where(Product.slug == wanted.product)
    if wanted.status:
        query = query.where(Order.status == wanted.status)
    elif not wanted.started:
        query = query.where(
            Order.status.not_in((OrderStatus.STARTED, OrderStatus.EXPIRED))
        )
    if wanted.email is not None:
        query = query.where(func.lower(Order.email) == wanted.email.strip().lower())
    if wanted.since:
        query = query.where(Order.created_at >= wanted.since)
    return session.scalars(query.limit(wanted.most)).all()


def facts(session: Session, keys: Keys, shop_url: str, order: Order) -> dict[str, Any]:
    """Give an order as `--json` shows it; its product must be loaded.

    `downloads_used` is that of the file taken most often, against `downloads_limit`.
    """
    used, limit = _downloads(session, order)
    token = link_token(keys, order.public_id, order.token_version)
    access = session.scalar(
        select(Entitlement.access).where(Entitlement.order_id == order.id)
    )
    check = order.vat_check_id and session.get(VatCheck, order.vat_check_id)
    version = session.scalar(
        select(Release.version).where(Release.id == order.release_id)
    )
    return {
        "number": order.number,
        "email": order.email,
        "product": order.product.slug,
        "release": version,
        "amount_minor": order.price_minor,
        "currency": order.currency,
        "discount_minor": order.discount_minor,
        "coupon": _coupon(session, order),
        "country": order.country,
        "card_country": order.card_country,
        "network_country": order.network_country,
        "vat_number": check.number if check else None,
        "vat_consultation": check.consultation if check else None,
        "status": str(order.status),
        "test": order.test,
        "provider": order.provider,
        "created_at": order.created_at.isoformat(),
        "paid_at": order.paid_at.isoformat() if order.paid_at else None,
        "refunded_minor": order.refunded_minor,
        "access": bool(access),
        "link": f"{shop_url}/d/{token}" if order.paid_at else None,
        "downloads_used": used,
        "downloads_limit": limit,
        "review_reason": order.review_reason,
    }


def _coupon(session: Session, order: Order) -> str | None:
    if order.coupon_id is None:
        return None
    return session.scalar(select(Coupon.code).where(Coupon.id == order.coupon_id))


def _downloads(session: Session, order: Order) -> tuple[int, int]:
    row = session.execute(
        select(Allowance.taken, Allowance.lim)
        .join(Entitlement, Entitlement.id == Allowance.entitlement_id)
        .where(Entitlement.order_id == order.id)
        .order_by(Allowance.taken.desc())
        .limit(1)
    ).one_or_none()
    return (row.taken, row.lim) if row else (0, order.download_limit)


def customers(session: Session, *, email: str | None = None) -> list[dict[str, Any]]:
    """Give every customer with how much they bought, newest first.

    Test purchases are counted apart. Nobody is left of an address that was corrected.
    """
    real = Order.paid_at.is_not(None) & Order.test.is_(False)
    tests = Order.paid_at.is_not(None) & Order.test.is_(True)
    query = (
        select(
            Customer.email,
            Customer.created_at,
            func.count(Order.id).filter(real).label("orders"),
            func.count(Order.id).filter(tests).label("test_orders"),
        )
        .join(Order, Order.customer_id == Customer.id)
        .group_by(Customer.id)
        .order_by(Customer.id.desc())
    )
    if email is not None:
        query = query.where(Customer.email_key == email.strip().lower())
    return [
        {
            "email": row.email,
            "since": row.created_at.isoformat(),
            "orders": row.orders,
            "test_orders": row.test_orders,
        }
        for row in session.execute(query)
    ]
