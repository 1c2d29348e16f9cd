"""What a grant sends: every byte is set aside before it goes, and counted when it is there.

A download is used when half of the file's distinct bytes have arrived, in whatever pieces
and order.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select, update
from sqlalchemy.orm import Session

from handsel.delivery.access import OPEN, AccessEndedError
from handsel.kit.errors import NotFoundError, TryAgainError
from handsel.kit.ranges import Spans
from handsel.models import Allowance, Entitlement, Grant, Order, ReleaseFile
from handsel.models.database import rows_changed
from handsel.models.words import GrantState

BYTES_PER_GRANT = 3
"""One grant sends at most this many times the file's size."""
EXTRA_SIZES = 2
"""All grants together send at most the limit plus this many times the file's size."""


class TooMuchSentError(TryAgainError):
    """This download is being fetched too many times over at the moment."""

    status = 429


@dataclass(frozen=True)
class OpenGrant:
    """An open grant with the file it serves."""

    grant_id: int
    file_id: int
    name: str
    content_type: str
    size: int
    sha256: str


def open_grant(session: Session, grant_id: int, now: datetime) -> OpenGrant:
    """Give an open grant, asking anew whether its order may be opened.

    Raises NotFoundError when the window is over, AccessEndedError.
    """
    row = session.execute(_grant_query().where(Grant.id == grant_id)).one_or_none()
    if row is None or row.expires_at <= now:
        raise NotFoundError(
            "This download link has ended.",
            "Open your purchase page and press Download again.",
        )
    if not row.access:
        raise AccessEndedError(
            "This purchase does not open its files any more.",
            "If you think that is a mistake, write to the seller.",
        )
    return OpenGrant(
        grant_id,
        row.file_id,
        row.name,
        row.content_type,
        row.size,
        row.sha256,
    )


def _grant_query() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Grant.expires_at,
            Grant.file_id,
            Entitlement.access,
            ReleaseFile.name,
            ReleaseFile.content_type,
            ReleaseFile.size,
            ReleaseFile.sha256,
        )
        .join(Entitlement, Entitlement.id == Grant.entitlement_id)
        .join(Order, Order.id == Entitlement.order_id)
        .join(ReleaseFile, ReleaseFile.id == Grant.file_id)
        .where(OPEN)
    )


def book(session: Session, grant: OpenGrant, count: int) -> None:
    """Set aside `count` bytes of what this grant may send, before sending them.

    Raises TooMuchSentError. `arrived` gives back what was not sent.
    """
    bounded = max(grant.size, 1)
    own = rows_changed(
        session,
        update(Grant)
        .where(
            Grant.id == grant.grant_id,
            Grant.bytes_out + count <= BYTES_PER_GRANT * bounded,
        )
        .values(bytes_out=Grant.bytes_out + count),
    )
    together = own and rows_changed(
        session,
        update(Allowance)
        .where(
            _allowance_of(grant),
            Allowance.bytes_out + count <= (Allowance.lim + EXTRA_SIZES) * bounded,
        )
        .values(bytes_out=Allowance.bytes_out + count),
    )
    if not together:
        raise TooMuchSentError(
            "This download has been fetched too many times over.",
            "Try again in a minute; if that does not help, write to the seller.",
        )


def _allowance_of(grant: OpenGrant) -> ColumnElement[bool]:
    entitlement = select(Grant.entitlement_id).where(Grant.id == grant.grant_id)
    return and_(
        Allowance.entitlement_id == entitlement.scalar_subquery(),
        Allowance.file_id == grant.file_id,
    )


def arrived(
    session: Session, grant: OpenGrant, start: int, count: int, *, booked: int
) -> None:
    """Note that `count` bytes from `start` on have arrived, of `booked` set aside.

    When half of the file's distinct bytes are there, the download counts as used.
    """
    row = session.scalars(
        select(Grant).where(Grant.id == grant.grant_id).with_for_update()
    ).one()
    spans = Spans.of(row.parts).add(start, start + count)
    unsent = max(0, booked - count)
    row.parts = spans.as_list()
    row.bytes_out -= unsent
    rows_changed(
        session,
        update(Allowance)
        .where(_allowance_of(grant))
        .values(bytes_out=Allowance.bytes_out - unsent),
    )
    if 2 * spans.total() >= grant.size:
        _use(session, row, grant)


def _use(session: Session, row: Grant, grant: OpenGrant) -> None:
    """Count a download; one that outlived its window is counted after all."""
    if row.state is GrantState.RESERVED:
        row.state = GrantState.CONSUMED
    elif row.state is GrantState.RETURNED and rows_changed(
        session,
        update(Allowance)
        .where(_allowance_of(grant), Allowance.taken < Allowance.lim)
        .values(taken=Allowance.taken + 1),
    ):
        row.state = GrantState.CLOSED


def consume(session: Session, grant_id: int) -> None:
    """Count a grant as used at once, where the bytes are sent by somebody else."""
    rows_changed(
        session,
        update(Grant)
        .where(Grant.id == grant_id, Grant.state == GrantState.RESERVED)
        .values(state=GrantState.CONSUMED),
    )
