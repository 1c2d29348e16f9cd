"""Who holds a coupon: taken before a payment begins, given back when it came to nothing.

A coupon with a limit is counted by a conditional UPDATE, and only that decides. An order
that was paid is never refused: should the database have forgotten that it held the
coupon, it is counted all the same.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from handsel.kit.text import email_key
from handsel.models import Coupon, CouponUse, Order
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import PaymentState
from handsel.sales.coupons import CouponError, used_up

FORGOTTEN = timedelta(hours=3)
"""After so long what was begun and never became an order will not become one."""
DESERTED = timedelta(days=1)
"""How long after its end a payment is waited for whose provider is not asked any more."""

OVER = (PaymentState.EXPIRED, PaymentState.FAILED)
PURCHASE = func.coalesce(Order.checkout_key, Order.public_id)
"""What a use of a coupon is held under, in SQL; `_key` of an order."""


def _key(order: Order) -> str:
    return order.checkout_key or order.public_id


@dataclass(frozen=True)
class Held:
    """A coupon as an offer carries it.

    Args:
        scarce: whether it can run out, so that nobody should hold it for long.
        per_buyer: whether the buyer must say who they are before it counts.
    """

    coupon_id: int
    code: str
    scarce: bool
    per_buyer: bool


def held(coupon: Coupon) -> Held:
    """Give a coupon as an offer carries it."""
    return Held(
        coupon.id,
        coupon.code,
        scarce=coupon.most_uses is not None or coupon.most_each is not None,
        per_buyer=coupon.most_each is not None,
    )


def reserve(
    session: Session,
    wanted: Held,
    key: str,
    *,
    holder: str | None,
    email_key: str | None,
    now: datetime,
) -> None:
    """Take one use of a coupon for the purchase with this key. Safe to repeat.

    Raises CouponError when none is left: then the transaction must not be committed.
    """
    new = insert_new(
        session,
        CouponUse,
        coupon_id=wanted.coupon_id,
        purchase=key,
        holder=holder,
        email_key=email_key,
        taken_at=now,
    )
    if not new:
        return
    room = or_(Coupon.most_uses.is_(None), Coupon.uses < Coupon.most_uses)
    # The row is locked from here on, so that what is counted next cannot change.
    if not _count(session, wanted.coupon_id, 1, room):
        raise used_up(wanted.code)
    if wanted.per_buyer and email_key and _too_often(session, wanted, email_key):
        raise CouponError(
            f"You have used the coupon {wanted.code} as often as one buyer can.",
            "You can buy without it.",
        )


def _count(session: Session, coupon_id: int, by: int, *conditions: object) -> bool:
    change = update(Coupon).where(Coupon.id == coupon_id, *conditions)  # type: ignore[arg-type]  # conditions of SQL
    return bool(rows_changed(session, change.values(uses=Coupon.uses + by)))


def _too_often(session: Session, wanted: Held, email_key: str) -> bool:
    mine = CouponUse.coupon_id == wanted.coupon_id, CouponUse.email_key == email_key
    used = session.scalar(select(func.count()).select_from(CouponUse).where(*mine))
    most = session.scalar(select(Coupon.most_each).where(Coupon.id == wanted.coupon_id))
    return bool(used and most and used > most)


def give_back(session: Session, key: str) -> bool:
    """Let others have what a purchase held; say whether it held anything."""
    use = CouponUse.purchase == key
    coupon_id = session.scalar(select(CouponUse.coupon_id).where(use))
    if coupon_id is None or not rows_changed(session, delete(CouponUse).where(use)):
        return False
    return _count(session, coupon_id, -1)


def follow(session: Session, order: Order, now: datetime) -> None:
    """Bring the coupon of an order in line with it: held, or given back.

    Only a provider's word ends a payment, never our clock: what was given back cannot be
    paid any more. Money that came is counted, whatever the limit says. Safe to repeat.
    """
    if order.coupon_id is None:
        return
    key = _key(order)
    if order.paid_at is None and order.session_state in OVER:
        give_back(session, key)
    else:
        keep(session, order.coupon_id, key, now)


def keep(session: Session, coupon_id: int, key: str, now: datetime) -> None:
    """Count a use, whatever the limit says, unless it is counted. Safe to repeat."""
    use = {"coupon_id": coupon_id, "purchase": key, "taken_at": now}
    if insert_new(session, CouponUse, **use):
        _count(session, coupon_id, 1)


def open_orders(session: Session, coupon_id: int, holder: str) -> Sequence[Order]:
    """Give the orders with which a browser holds a coupon, and which are not paid yet."""
    return session.scalars(
        select(Order)
        .join(CouponUse, CouponUse.purchase == Order.checkout_key)
        .where(
            CouponUse.coupon_id == coupon_id,
            CouponUse.holder == holder,
            Order.session_state == PaymentState.OPEN,
        )
        .order_by(Order.id)
    ).all()


def readdress(session: Session, order: Order) -> None:
    """Let a use of a coupon count for the address that the order has now."""
    mine = update(CouponUse).where(
        CouponUse.purchase == _key(order), CouponUse.email_key.is_not(None)
    )
    rows_changed(session, mine.values(email_key=email_key(order.email or "")))


def complete(session: Session, order: Order, key: str) -> None:
    """Hold the coupon of an order that was rebuilt before it was placed under one key.

    The reconciler may hear of a payment session before whoever began it has written its
    order down.
    """
    if give_back(session, order.public_id):
        assert order.checkout_key == key


def forget(session: Session, now: datetime, providers: Collection[str]) -> int:
    """Give back what nobody will pay for any more; say how many.

    What purchases held that died before they were an order; and what open orders of
    providers hold that are not in use any more, so that nobody hears how they end.
    """
    dead = and_(Order.id.is_(None), CouponUse.taken_at < now - FORGOTTEN)
    deserted = and_(
        Order.provider.not_in([*providers, "free"]),
        Order.session_state == PaymentState.OPEN,
        Order.expires_at < now - DESERTED,
    )
    lost = session.scalars(
        select(CouponUse.purchase)
        .outerjoin(Order, CouponUse.purchase == PURCHASE)
        .where(or_(dead, deserted))
    ).all()
    return sum(give_back(session, key) for key in lost)
