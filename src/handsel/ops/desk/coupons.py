"""What the desk lists of coupons: those made alone, and those made together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session, selectinload

from handsel.models import Coupon
from handsel.ops import couponing
from handsel.sales import coupons
from handsel.shop import Shop

PAGE = 50
AT_ONCE = 500


@dataclass(frozen=True)
class Batch:
    """Coupons that were made together: how many, how many count, and their uses."""

    name: str
    codes: int
    active: int
    uses: int


@dataclass(frozen=True)
class Coupons:
    """A page of the list; `after` is where the next one goes on, None at the end."""

    facts: Sequence[dict[str, Any]]
    after: int | None


def listed(
    session: Session, shop: Shop, *, batch: str | None = None, after: int | None = None
) -> Coupons:
    """List coupons, newest first: those of a batch, or those that belong to none."""
    rows = _some(session, batch, after, PAGE + 1)
    shown = rows[:PAGE]
    facts = [couponing.facts(shop, each) for each in shown]
    return Coupons(facts, shown[-1].id if len(rows) > PAGE else None)


def every(session: Session, shop: Shop, batch: str) -> Iterator[dict[str, Any]]:
    """Give the facts of all coupons of a batch, a few hundred in memory at a time."""
    after = None
    while rows := _some(session, batch, after, AT_ONCE):
        yield from (couponing.facts(shop, each) for each in rows)
        after = rows[-1].id
        session.expunge_all()


def _some(
    session: Session, batch: str | None, after: int | None, most: int
) -> Sequence[Coupon]:
    wanted = select(Coupon).options(selectinload(Coupon.products))
    if batch is None:
        wanted = wanted.where(Coupon.batch.is_(None))
    else:
        wanted = wanted.where(Coupon.batch == coupons.tidy(batch))
    if after is not None:
        wanted = wanted.where(Coupon.id < after)
    return session.scalars(wanted.order_by(Coupon.id.desc()).limit(most)).all()


def batches(session: Session) -> list[Batch]:
    """List what was made together, newest first."""
    rows = session.execute(
        select(
            Coupon.batch,
            func.count(),
            func.sum(cast(Coupon.active, Integer)),
            func.sum(Coupon.uses),
        )
        .where(Coupon.batch.is_not(None))
        .group_by(Coupon.batch)
        .order_by(func.max(Coupon.id).desc())
    )
    return [
        Batch(str(name), codes, int(on), int(uses)) for name, codes, on, uses in rows
    ]
