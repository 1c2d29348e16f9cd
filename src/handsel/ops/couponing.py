"""Coupons as a seller types them, and as they are shown to the seller."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from handsel.kit.errors import BadInputError
from handsel.kit.money import Money, format_money, parse_money
from handsel.models import Coupon, Product
from handsel.ops.shelving import Witness, nobody
from handsel.sales import coupons, prices
from handsel.sales.coupons import NewCoupon
from handsel.sales.pricing import WHOLE, Off, quote
from handsel.shop import Shop


def make(
    shop: Shop,
    code: str,
    *,
    percent: str | None,
    amount: str | None,
    products: Sequence[str],
    least: str | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    most_uses: int | None,
    most_each: int | None,
    count: int | None = None,
    witness: Witness = nobody,
) -> list[dict[str, Any]]:
    """Make one coupon, or `count` of them whose codes begin with this word.

    All or none. Raises BadInputError, NotFoundError, ConflictError.
    """
    new = NewCoupon(
        off=_off(shop, percent, amount),
        products=products,
        least=parse_money(least, shop.settings.shop.currency) if least else None,
        starts_at=starts_at,
        ends_at=ends_at,
        most_uses=most_uses,
        most_each=most_each,
    )
    _check(new, shop.now())
    if count is not None and not 1 <= count <= coupons.MOST_AT_ONCE:
        raise BadInputError(
            f"1 to {coupons.MOST_AT_ONCE:,} coupons can be made at once.",
            "Make the others after these.",
        )
    with shop.transaction() as session:
        if count is None:
            made = [coupons.create(session, code, new, shop.now())]
        else:
            made = coupons.create_many(session, code, count, new, shop.now())
        witness(session)
        return [facts(shop, each) for each in made]


def makes_free(
    shop: Shop,
    *,
    percent: str | None,
    amount: str | None,
    products: Sequence[str],
    least: str | None,
    **_: object,
) -> bool:
    """Say whether something of the shop would cost nothing with such a coupon.

    Takes what `make` takes. Raises BadInputError.
    """
    off = _off(shop, percent, amount)
    floor = parse_money(least, shop.settings.shop.currency) if least else None
    with shop.reading() as session:
        return _gives_away(session, shop, off, products, floor)


def gives_away(session: Session, shop: Shop, coupon: Coupon) -> bool:
    """Say the same of one that was made; its products must be loaded."""
    floor = None
    if coupon.least_minor:
        assert coupon.currency
        floor = Money(coupon.least_minor, coupon.currency)
    slugs = [each.slug for each in coupon.products]
    return _gives_away(session, shop, coupons.off(coupon), slugs, floor)


def _gives_away(
    session: Session, shop: Shop, off: Off, slugs: Sequence[str], least: Money | None
) -> bool:
    if off.basis_points == WHOLE:
        return True
    wanted = select(Product).options(selectinload(Product.prices))
    if slugs:
        wanted = wanted.where(Product.slug.in_(slugs))
    found = (each for one in session.scalars(wanted) for each in prices.every(one))
    asked = (each for price in found for each in (price.usual, price.sale))
    return any(each and _is_free(shop, each, off, least) for each in asked)


def _is_free(shop: Shop, price: Money, off: Off, least: Money | None) -> bool:
    limits = [each for each in (off.amount, least) if each]
    if not price.minor or any(each.currency != price.currency for each in limits):
        return False
    if least and price < least:
        return False
    return not quote(price, off=off, units=shop.units(price.currency)).total.minor


def _off(shop: Shop, percent: str | None, amount: str | None) -> Off:
    if (percent is None) is (amount is None):
        raise BadInputError(
            "Say what the coupon takes off.", "Either --percent 20 or --amount 5."
        )
    if percent is not None:
        return Off(_basis_points(percent))
    assert amount is not None
    money = parse_money(amount, shop.settings.shop.currency)
    if not money.minor:
        raise BadInputError("A coupon takes off something.", "Try --amount 5.")
    return Off(amount=money)


def _basis_points(text: str) -> int:
    """Read `20`, `20%` or `12.5`; two decimals at the most."""
    found = re.fullmatch(r"([0-9]{1,3}(?:[.,][0-9]{1,2})?)\s*%?", text.strip())
    points = int(Decimal(found[1].replace(",", ".")) * 100) if found else 0
    if not 0 < points <= 10_000:
        raise BadInputError(
            f"“{text}” is no part of a price.", "Write 1 to 100, for instance 12.5."
        )
    return points


def _check(new: NewCoupon, now: datetime) -> None:
    if new.ends_at and new.ends_at <= max(now, new.starts_at or now):
        raise BadInputError(
            "The coupon would be over before it begins.",
            "Give an end that is still to come, after its beginning.",
        )
    amount, least = new.off.amount, new.least
    if least and not least.minor:
        raise BadInputError("The least price is nothing.", "Leave --least out.")
    if amount and least and amount.currency != least.currency:
        raise BadInputError(
            f"{amount} off and {least} at least are two currencies.",
            "A coupon is for prices in one.",
        )


def facts(shop: Shop, coupon: Coupon) -> dict[str, Any]:
    """Give a coupon as `--json` shows it; its products must be loaded."""
    return {
        "code": coupon.code,
        "takes_off": takes_off(shop, coupon),
        "basis_points": coupon.basis_points,
        "amount_minor": coupon.amount_minor,
        "least_minor": coupon.least_minor,
        "currency": coupon.currency,
        "products": [each.slug for each in coupon.products],
        "starts_at": _iso(coupon.starts_at),
        "ends_at": _iso(coupon.ends_at),
        "most_uses": coupon.most_uses,
        "most_each": coupon.most_each,
        "uses": coupon.uses,
        "batch": coupon.batch,
        "state": _state(coupon, shop.now()),
        "links": [
            f"{shop.settings.public_url}/p/{each.slug}?coupon={coupon.code}"
            for each in coupon.products
        ],
    }


def takes_off(shop: Shop, coupon: Coupon) -> str:
    """Write what a coupon takes off, for people: `12.5 %`, `€5.00`."""
    if coupon.basis_points:
        return f"{Decimal(coupon.basis_points) / 100:f} %"
    assert coupon.amount_minor
    assert coupon.currency
    money = Money(coupon.amount_minor, coupon.currency)
    return format_money(money, shop.settings.shop.locale)


def _state(coupon: Coupon, now: datetime) -> str:
    if not coupon.active:
        return "ended"
    if coupon.ends_at and now >= coupon.ends_at:
        return "over"
    if coupon.most_uses is not None and coupon.uses >= coupon.most_uses:
        return "used up"
    return "to come" if coupon.starts_at and now < coupon.starts_at else "counts"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
