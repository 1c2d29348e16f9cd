"""How often one visitor may try something, counted in the database.

So that the count holds across processes. If it cannot be counted, buyers may pass.
"""

import logging

from flask import request
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from handsel.kit.errors import TryAgainError
from handsel.kit.signing import sign
from handsel.models import RateCounter
from handsel.models.database import insert_new, rows_changed
from handsel.models.turns import DatabaseBusyError
from handsel.settings import is_loopback
from handsel.web.pages import network, the_shop

log = logging.getLogger("handsel.web")


class TooOftenError(TryAgainError):
    """Somebody tried too often."""

    status = 429


def hit(
    what: str,
    *,
    most: int,
    minutes: int,
    who: str | None = None,
    closed: bool = False,
) -> None:
    """Count one try of this visitor (or of `who`) in the present window of time.

    Args:
        closed: nobody passes while tries cannot be counted, as at the seller's desk.

    Raises TooOftenError above `most` tries in `minutes`.
    """
    shop = the_shop()
    if who is None and is_loopback(request.remote_addr or ""):
        # The seller trying things, or a proxy nobody told us of: then everybody would
        # share one count, and buyers lock each other out.
        return
    try:
        with shop.transaction() as session:
            tries = count(session, what, who=who or _visitor(), minutes=minutes)
    except (SQLAlchemyError, DatabaseBusyError):
        if closed:
            raise
        log.exception("The limit on %s could not be counted; letting it pass.", what)
        return
    if tries > most:
        raise TooOftenError(
            "That was too often in a short time.",
            f"Wait {minutes} minutes, then try again.",
            after=minutes * 60,
        )


def count(session: Session, what: str, *, who: str, minutes: int) -> int:
    """Count one try in the open transaction, and say how many of this window it makes."""
    shop, seconds = the_shop(), minutes * 60
    now = int(shop.now().timestamp())
    bucket = f"{what}:{sign(shop.keys, 'limit', what, who)}"
    mine = (RateCounter.bucket == bucket, RateCounter.window == now - now % seconds)
    insert_new(session, RateCounter, bucket=bucket, window=now - now % seconds, hits=0)
    rows_changed(
        session,
        update(RateCounter).where(*mine).values(hits=RateCounter.hits + 1),
    )
    return session.scalars(select(RateCounter.hits).where(*mine)).one()


def forget(what: str, *, who: str) -> None:
    """Take back every try of `who`: it was the right person after all."""
    shop = the_shop()
    bucket = f"{what}:{sign(shop.keys, 'limit', what, who)}"
    with shop.transaction() as session:
        session.execute(delete(RateCounter).where(RateCounter.bucket == bucket))


def visitor_mark(what: str) -> str | None:
    """Name this visitor so that nobody can read who it is; None for this machine."""
    if is_loopback(request.remote_addr or ""):
        return None
    return sign(the_shop().keys, "limit", what, _visitor())


def _visitor() -> str:
    address = request.remote_addr or "unknown"
    return network(address) if ":" in address else address
