"""Who may fetch what, how often: the download rule, kept in the database.

A press on a download button makes a grant and reserves one of the allowed downloads.
The grant serves any number of requests for its window. It costs the download only when
half of the file's distinct bytes have arrived; otherwise it is given back when the
window is over. Looking at pages, HEAD, resumes and repeats by the same browser are
free. Every counter changes by an UPDATE that carries its own condition, so that presses
at the same instant cannot pass the limit together.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError, NotFoundError, ShopError
from handsel.models import Allowance, Entitlement, Grant, Order, Release, ReleaseFile
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import GrantState

GIVE_BACKS = 10
"""How many presses without a download are forgiven, for each file of a purchase."""

OPEN = Grant.state.in_((GrantState.RESERVED, GrantState.CONSUMED))
"""A grant that serves."""


class DownloadsUsedUpError(ShopError):
    """Every allowed download of this file has been taken."""

    status = 410


class AccessEndedError(ShopError):
    """The purchase does not open its files any more, for instance after a refund."""

    status = 403


def can_access(session: Session, order_id: int) -> bool:
    """Say whether an order opens its files now. Every surface asks this, nothing else."""
    return bool(
        session.scalar(
            select(Entitlement.id).where(
                Entitlement.order_id == order_id, Entitlement.access
            )
        )
    )


def taken_from(session: Session, order: Order) -> dict[int, int]:
    """Say of each file that was taken once how many downloads are left to a purchase."""
    rows = session.execute(
        select(Allowance.file_id, Allowance.lim - Allowance.taken)
        .join(Entitlement, Entitlement.id == Allowance.entitlement_id)
        .where(Entitlement.order_id == order.id)
    )
    return {row[0]: row[1] for row in rows}


def running(session: Session, order: Order, client_key: str, now: datetime) -> set[int]:
    """Name the files this browser may go on fetching without taking a download."""
    return set(
        session.scalars(
            select(Grant.file_id)
            .join(Entitlement, Entitlement.id == Grant.entitlement_id)
            .where(
                Entitlement.order_id == order.id,
                Grant.client_key == client_key,
                Grant.expires_at > now,
                OPEN,
            )
        )
    )


def press(
    session: Session,
    order: Order,
    file_id: int,
    client_key: str,
    *,
    window: timedelta,
    now: datetime,
) -> int:
    """Take one of the allowed downloads of a file, and give the id of its grant.

    The same browser within the window gets the same grant and takes nothing.

    Raises NotFoundError for a file of another product, AccessEndedError,
    DownloadsUsedUpError.
    """
    entitlement = _entitled(session, order, file_id)
    mine = and_(
        Grant.entitlement_id == entitlement,
        Grant.file_id == file_id,
        Grant.client_key == client_key,
    )
    _close_over(session, mine, now)
    running = session.scalar(select(Grant.id).where(mine, OPEN))
    if running is not None:
        return running
    _take(session, entitlement, file_id, order.download_limit)
    insert_new(
        session,
        Grant,
        entitlement_id=entitlement,
        file_id=file_id,
        client_key=client_key,
        state=GrantState.RESERVED,
        created_at=now,
        expires_at=now + window,
        bytes_out=0,
        parts=[],
    )
    return session.scalars(select(Grant.id).where(mine, OPEN)).one()


def _entitled(session: Session, order: Order, file_id: int) -> int:
    """Give the entitlement; presses on one purchase, and its end, take turns.

    A file that another had taken the place of before the purchase is not part of it.
    """
    row = session.execute(
        select(Entitlement.id, Entitlement.access)
        .join(Release, Release.product_id == Entitlement.product_id)
        .join(Release.files)
        .where(
            Entitlement.order_id == order.id,
            ReleaseFile.id == file_id,
            or_(
                ReleaseFile.replaced_in.is_(None),
                ReleaseFile.replaced_in > Entitlement.release_id,
            ),
        )
        .with_for_update(of=Entitlement, key_share=True)  # not in the way of a grant
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such file in this purchase.")
    if not row.access:
        raise AccessEndedError(
            "This purchase does not open its files any more.",
            "If you think that is a mistake, write to the seller.",
        )
    return int(row.id)


def _take(session: Session, entitlement: int, file_id: int, limit: int) -> None:
    insert_new(
        session,
        Allowance,
        entitlement_id=entitlement,
        file_id=file_id,
        taken=0,
        lim=limit,
        given_back=0,
        bytes_out=0,
    )
    won = rows_changed(
        session,
        update(Allowance)
        .where(_allowance(entitlement, file_id), Allowance.taken < Allowance.lim)
        .values(taken=Allowance.taken + 1),
    )
    if not won:
        raise DownloadsUsedUpError(
            "This file has been fetched as often as this purchase allows.",
            "Ask the seller for more downloads: it takes them one command.",
        )


def _allowance(entitlement: int, file_id: int) -> ColumnElement[bool]:
    return and_(Allowance.entitlement_id == entitlement, Allowance.file_id == file_id)


def close_expired(session: Session, now: datetime) -> int:
    """Close every grant whose window is over; give how many. Safe to repeat.

    A consumed one stays counted. A reserved one is given back, GIVE_BACKS times for
    each file of a purchase.
    """
    return _close_over(session, Grant.id.is_not(None), now)


def _close_over(session: Session, which: ColumnElement[bool], now: datetime) -> int:
    over = session.scalars(
        select(Grant).where(which, OPEN, Grant.expires_at <= now).with_for_update()
    ).all()
    for grant in over:
        if grant.state is GrantState.RESERVED and _give_back_unit(
            session, grant.entitlement_id, grant.file_id
        ):
            grant.state = GrantState.RETURNED
        else:
            grant.state = GrantState.CLOSED
    session.flush()
    return len(over)


def _give_back_unit(session: Session, entitlement: int, file_id: int) -> bool:
    return bool(
        rows_changed(
            session,
            update(Allowance)
            .where(
                _allowance(entitlement, file_id),
                Allowance.taken > 0,
                Allowance.given_back < GIVE_BACKS,
            )
            .values(taken=Allowance.taken - 1, given_back=Allowance.given_back + 1),
        )
    )


def reset(session: Session, order: Order, limit: int) -> int:
    """Allow `limit` more downloads of each file of an order from now on.

    Gives how many files had been used. What was taken stays on record. Raises
    ConflictError when the order gives no access.
    """
    if not can_access(session, order.id):
        raise ConflictError(
            f"Order {order.number} does not open its files, so there is nothing to reset.",
            f"`handsel order show {order.number}` says why.",
        )
    entitlement = select(Entitlement.id).where(Entitlement.order_id == order.id)
    return rows_changed(
        session,
        update(Allowance)
        .where(Allowance.entitlement_id.in_(entitlement), Allowance.taken > 0)
        .values(lim=Allowance.taken + limit, given_back=0),
    )
