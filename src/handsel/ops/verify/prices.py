"""What is true of coupons: I9."""

from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from handsel.models import Coupon, CouponUse, Order
from handsel.ops.verify.invariant import EXAMPLES, Invariant, listed, number, result
from handsel.sales.reservations import OVER, PURCHASE


def coupons_counted(session: Session) -> Invariant:
    """I9: a coupon is used as often as purchases hold it, paid ones and open ones."""
    total = session.scalar(select(func.count()).select_from(CouponUse))
    return result(
        "I9",
        f"Each of the {total} uses of a coupon is counted, and held by one purchase.",
        listed("Coupons counted wrongly", _miscounted(session)),
        listed("Orders that do not hold their coupon", map(number, _without(session))),
        listed("Orders that hold one for nothing", map(number, _in_vain(session))),
    )


def _miscounted(session: Session) -> Sequence[str]:
    held = (
        select(func.count())
        .where(CouponUse.coupon_id == Coupon.id)
        .correlate(Coupon)
        .scalar_subquery()
    )
    wrong = select(Coupon.code).where(Coupon.uses != held)
    return session.scalars(wrong.limit(EXAMPLES)).all()


def _without(session: Session) -> Sequence[int]:
    """Find orders with a coupon, paid or open, that nobody counted."""
    held = select(CouponUse.id).where(CouponUse.purchase == PURCHASE).exists()
    alive = or_(Order.paid_at.is_not(None), Order.session_state.not_in(OVER))
    return _orders(session, Order.coupon_id.is_not(None), alive, ~held)


def _in_vain(session: Session) -> Sequence[int]:
    """Find orders that cannot be paid any more, and keep a coupon from others."""
    held = select(CouponUse.id).where(CouponUse.purchase == PURCHASE).exists()
    over = and_(Order.paid_at.is_(None), Order.session_state.in_(OVER))
    return _orders(session, Order.coupon_id.is_not(None), over, held)


def _orders(session: Session, *conditions: object) -> Sequence[int]:
    wanted = select(Order.id).where(*conditions)  # type: ignore[arg-type]  # conditions of SQL
    return session.scalars(wanted.order_by(Order.id).limit(EXAMPLES)).all()
