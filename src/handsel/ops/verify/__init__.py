"""The invariants: sentences about the books that are true, whatever has happened.

Each is one small function that looks and changes nothing; together they are one
consistent view of the database. Most are a count in SQL of what should not be; the
standing of orders and their papers are worked out anew, a batch at a time, so that a
hundred thousand orders need a few seconds for each and little memory.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from handsel.delivery.storage.local import LocalStorage
from handsel.models.database import Database
from handsel.ops import stock
from handsel.ops.verify import delivery, mails, money, papers, payouts, prices
from handsel.ops.verify.invariant import Invariant

__all__ = ["Invariant", "verify"]

_CHECKS: tuple[Callable[[Session], Invariant], ...] = (
    money.captures_have_orders,
    money.one_order_per_session,
    money.access_follows_money,
    money.refunds_within_payments,
    money.receipts,
    delivery.downloads_counted,
    delivery.nothing_after_the_end,
    mails.everyone_accounted_for,
    prices.coupons_counted,
)


def verify(
    database: Database, storage: LocalStorage, now: datetime, *, quick: bool = False
) -> list[Invariant]:
    """Look at every invariant. Changes nothing; safe beside a shop at work.

    Args:
        quick: only look whether the files are there and as long as they should be,
            instead of reading every byte.
    """
    with storage.kept():
        with database.reading() as session:
            if not database.is_sqlite:
                # Several statements that must speak of one moment.
                one = {"isolation_level": "REPEATABLE READ"}
                session.connection(execution_options=one)
            found = [check(session) for check in _CHECKS]
            known = stock.known(session)
            last = [
                mails.leases(session, now),
                papers.papers_in_order(session),
                payouts.payouts_add_up(session),
            ]
        return [*found, delivery.files(storage, known, now, quick=quick), *last]
