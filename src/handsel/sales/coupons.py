"""Coupons: making them, and what one is good for at this moment.

Who holds one is the matter of `sales.reservations`.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session, selectinload

from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.kit.money import Money, format_money
from handsel.models import Coupon, CouponUse, Product
from handsel.models.coupons import coupon_products
from handsel.models.database import insert_new, rows_changed
from handsel.sales import catalogue
from handsel.sales.pricing import Off

LONGEST = 24
MOST_AT_ONCE = 10_000
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]*")
# No letter that is read as another: I, L, O and U are left out (Crockford's base 32).
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM = 10


class CouponError(BadInputError):
    """A coupon that does not count for this purchase, and why; for the buyer to read."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, field="coupon")


@dataclass(frozen=True)
class NewCoupon:
    """What a seller says of a coupon; None and () mean without that limit.

    Args:
        products: slugs it is for.
        least: what a price must at least be.
        most_each: how often one buyer may use it.
    """

    off: Off
    products: Sequence[str] = ()
    least: Money | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    most_uses: int | None = None
    most_each: int | None = None


def tidy(code: str) -> str:
    """Give a code as it is kept: capitals, no spaces."""
    return "".join(code.split()).upper()


def check_code(code: str) -> str:
    """Give a code a seller chose, as it is kept. Raises BadInputError."""
    wanted = tidy(code)
    if len(wanted) > LONGEST or not _CODE.fullmatch(wanted):
        raise BadInputError(
            f"A coupon's code is 1 to {LONGEST} letters A to Z, digits, - and _.",
            "Choose one that is easily typed, such as SPRING25.",
        )
    return wanted


def create(session: Session, code: str, new: NewCoupon, now: datetime) -> Coupon:
    """Make one coupon. Raises BadInputError, NotFoundError, ConflictError."""
    wanted = check_code(code)
    if not insert_new(session, Coupon, code=wanted, **_values(new, None, now)):
        raise ConflictError(
            f"There is a coupon {wanted} already.",
            f"Choose another code; `handsel coupon show {wanted}` has that one.",
        )
    _for_products(session, [get(session, wanted).id], new.products)
    session.expire_all()
    return get(session, wanted)


def create_many(
    session: Session, prefix: str, count: int, new: NewCoupon, now: datetime
) -> list[Coupon]:
    """Make a batch of coupons named after their prefix, each with letters of its own.

    The letters are random: 50 bits, so that nobody finds one by trying. A second batch of
    the same prefix joins the first. Raises BadInputError, NotFoundError.
    """
    start = check_code(prefix) + "-"
    if len(start) + _RANDOM > LONGEST:
        raise BadInputError(
            f"{prefix} is too long to make many codes of.",
            f"Use at most {LONGEST - _RANDOM - 1} letters.",
        )
    codes = {start + _letters() for _ in range(count)}
    while len(codes) < count:
        codes.add(start + _letters())
    rows = [{"code": code, **_values(new, start[:-1], now)} for code in sorted(codes)]
    numbers = session.scalars(insert(Coupon).returning(Coupon.id), rows).all()
    _for_products(session, numbers, new.products)
    made = {each.id: each for each in listed(session, batch=start[:-1])}
    return [made[each] for each in numbers]


def _letters() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))


def _values(new: NewCoupon, batch: str | None, now: datetime) -> dict[str, Any]:
    amount, least = new.off.amount, new.least
    money = amount or least
    return {
        "basis_points": new.off.basis_points or None,
        "amount_minor": amount.minor if amount else None,
        "currency": money.currency if money else None,
        "least_minor": least.minor if least else None,
        "starts_at": new.starts_at,
        "ends_at": new.ends_at,
        "most_uses": new.most_uses,
        "most_each": new.most_each,
        "batch": batch,
        "uses": 0,
        "active": True,
        "created_at": now,
    }


def _for_products(
    session: Session, coupons: Sequence[int], slugs: Sequence[str]
) -> None:
    products = [catalogue.get(session, slug).id for slug in dict.fromkeys(slugs)]
    rows = [
        {"coupon_id": coupon, "product_id": product}
        for coupon in coupons
        for product in products
    ]
    if rows:
        session.execute(insert(coupon_products), rows)


def get(session: Session, code: str) -> Coupon:
    """Give a coupon with its products, for the seller. Raises NotFoundError."""
    found = _find(session, code)
    if found is None:
        raise NotFoundError(
            f"There is no coupon {tidy(code) or code}.",
            "`handsel coupon list` shows them all.",
        )
    return found


def _find(session: Session, code: str) -> Coupon | None:
    wanted = tidy(code)
    if len(wanted) > LONGEST or not _CODE.fullmatch(wanted):
        return None
    return session.scalars(
        select(Coupon)
        .where(Coupon.code == wanted)
        .options(selectinload(Coupon.products))
    ).one_or_none()


def listed(session: Session, *, batch: str | None = None) -> Sequence[Coupon]:
    """Give all coupons, or those of a batch, newest first, with their products."""
    query = select(Coupon).options(selectinload(Coupon.products))
    if batch is not None:
        query = query.where(Coupon.batch == tidy(batch))
    return session.scalars(query.order_by(Coupon.id.desc())).all()


def switch(session: Session, code: str, *, active: bool) -> Coupon:
    """End a coupon before its time, or let it count again. Safe to repeat.

    Purchases that hold it already keep their price.
    """
    coupon = get(session, code)
    coupon.active = active
    session.flush()
    return coupon


def switch_batch(session: Session, batch: str, *, active: bool) -> int:
    """Do the same to all that were made together; say how many. Raises NotFoundError."""
    mine = update(Coupon).where(Coupon.batch == tidy(batch))
    many = rows_changed(session, mine.values(active=active))
    if not many:
        raise NotFoundError(
            f"There is no batch {batch}.",
            "`handsel coupon list` shows them; a batch is called as its codes begin.",
        )
    return many


def any_now(session: Session, now: datetime) -> bool:
    """Say whether a buyer may have one: else nobody need be asked for a code."""
    query = select(Coupon.id).where(
        Coupon.active,
        or_(Coupon.starts_at.is_(None), Coupon.starts_at <= now),
        or_(Coupon.ends_at.is_(None), Coupon.ends_at > now),
        or_(Coupon.most_uses.is_(None), Coupon.uses < Coupon.most_uses),
    )
    return session.scalar(query.limit(1)) is not None


def off(coupon: Coupon) -> Off:
    """Give what a coupon takes off, for the sum."""
    if coupon.basis_points:
        return Off(coupon.basis_points)
    assert coupon.amount_minor
    assert coupon.currency
    return Off(amount=Money(coupon.amount_minor, coupon.currency))


def usable(
    session: Session,
    code: str,
    product: Product,
    price: Money,
    now: datetime,
    *,
    holder: str | None,
) -> Coupon:
    """Give the coupon if it lowers this price now. Raises CouponError, for the buyer.

    One that is used up counts for the browser that holds it. Whether any is left is only
    known for certain when it is reserved.
    """
    coupon = _find(session, code)
    if coupon is None or not coupon.active:
        raise CouponError(
            f"There is no coupon “{code[:LONGEST]}” here.",
            "Check how it is written, or buy without it.",
        )
    if _is_used_up(coupon) and not _holds(session, coupon, holder):
        raise used_up(coupon.code)
    if refusal := _refusal(coupon, product, price, now):
        raise CouponError(refusal, "You can buy without it.")
    return coupon


def used_up(code: str) -> CouponError:
    """Say that nobody can use a coupon any more."""
    return CouponError(
        f"The coupon {code} has been used as often as it can be.",
        "You can buy without it.",
    )


def _is_used_up(coupon: Coupon) -> bool:
    return coupon.most_uses is not None and coupon.uses >= coupon.most_uses


def _holds(session: Session, coupon: Coupon, holder: str | None) -> bool:
    if holder is None:
        return False
    held = select(CouponUse.id).where(
        CouponUse.coupon_id == coupon.id, CouponUse.holder == holder
    )
    return session.scalar(held.limit(1)) is not None


def _refusal(coupon: Coupon, product: Product, price: Money, now: datetime) -> str:
    """Say in one sentence why a coupon does not count; nothing if it does."""
    code = coupon.code
    if coupon.starts_at and now < coupon.starts_at:
        return f"The coupon {code} does not count yet."
    if coupon.ends_at and now >= coupon.ends_at:
        return f"The coupon {code} has ended."
    if coupon.products and product.id not in {each.id for each in coupon.products}:
        return f"The coupon {code} is for something else in this shop."
    if coupon.currency and coupon.currency != price.currency:
        return f"The coupon {code} is for prices in {coupon.currency}."
    if coupon.least_minor and price.minor < coupon.least_minor:
        least = format_money(Money(coupon.least_minor, price.currency), "en")
        return f"The coupon {code} is for purchases of {least} or more."
    if not price.minor:
        return "This is free already."
    return ""
