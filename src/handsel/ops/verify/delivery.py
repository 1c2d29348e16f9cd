"""What is true of downloads and files: I6, I7 and I11."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from handsel.delivery.storage.local import LocalStorage
from handsel.models import Allowance, Entitlement, Grant
from handsel.models.words import GrantState
from handsel.ops import stock
from handsel.ops.verify.invariant import EXAMPLES, Invariant, listed, number, result

CLOCK_SLACK = timedelta(seconds=30)
"""`now` is read before waiting for the database, so neighbours may look swapped."""
_COUNTED = (GrantState.RESERVED, GrantState.CONSUMED, GrantState.CLOSED)


def downloads_counted(session: Session) -> Invariant:
    """I6: downloads taken are the presses kept, within the limit."""
    grants = (
        select(Grant.entitlement_id, Grant.file_id, func.count().label("taken"))
        .where(Grant.state.in_(_COUNTED))
        .group_by(Grant.entitlement_id, Grant.file_id)
        .subquery()
    )
    same = and_(
        grants.c.entitlement_id == Allowance.entitlement_id,
        grants.c.file_id == Allowance.file_id,
    )
    miscounted = _orders_of(
        session,
        select(Allowance.entitlement_id)
        .outerjoin(grants, same)
        .where(
            or_(
                Allowance.taken != func.coalesce(grants.c.taken, 0),
                Allowance.taken > Allowance.lim,
            )
        ),
    )
    uncounted = _orders_of(
        session,
        select(grants.c.entitlement_id)
        .outerjoin(Allowance, same)
        .where(Allowance.entitlement_id.is_(None)),
    )
    return result(
        "I6",
        "Downloads taken are as many as were pressed and kept, and within the limit.",
        listed("Orders counted wrongly", miscounted),
        listed("Orders not counted at all", uncounted),
    )


def _orders_of(session: Session, entitlements: Select[Any]) -> list[str]:
    chosen = select(Entitlement.order_id).where(Entitlement.id.in_(entitlements))
    return [number(each) for each in session.scalars(chosen.limit(EXAMPLES))]


def nothing_after_the_end(session: Session) -> Invariant:
    """I7: no press is newer than the end of its order's access."""
    rows = session.execute(
        select(Entitlement.order_id, Grant.created_at, Entitlement.access_changed_at)
        .join(Grant, Grant.entitlement_id == Entitlement.id)
        .where(
            Entitlement.access.is_(False),
            Grant.created_at > Entitlement.access_changed_at,
        )
    )
    late = {
        number(order_id)
        for order_id, pressed, ended in rows
        if pressed > ended + CLOCK_SLACK
    }
    return result(
        "I7",
        "No download began after its order had lost access.",
        listed("Orders where one did", sorted(late)),
    )


def files(
    storage: LocalStorage, known: stock.Known, now: datetime, *, quick: bool
) -> Invariant:
    """I11: every file for sale is there as it was, and nothing else is."""
    damaged = stock.damaged(storage, known, quick=quick)
    strays = stock.strays(storage, known)
    old = [path for path in strays if stock.is_old(path, now)]
    young = len(strays) - len(old)
    how = "there, and as long as it should be" if quick else "there, byte for byte"
    return result(
        "I11",
        f"Each of the {len(known)} files is {how}; no others lie about"
        + (f" ({young} are just being added)." if young else "."),
        listed("Missing or damaged", damaged),
        listed("Files that belong to nothing", [path.name for path in old]),
    )
