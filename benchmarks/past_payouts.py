"""What became of the money of a long past: a payout a day and currency, and its lines."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, bindparam, insert, text

from benchmarks.past import DAYS, LAST
from handsel.models import BalanceReading, Payout
from handsel.models.base import UtcDateTime
from handsel.models.database import Database
from handsel.models.words import PayoutState

CURRENCIES = ("EUR", "GBP", "USD")
ON_ITS_WAY = timedelta(days=2)
"""Until the bank has it; of the last days Stripe has not made a payout up."""


def fill(database: Database, *, days: int = DAYS) -> None:
    """Write a line for each payment and refund that `past` has written, all read."""
    with database.engine.begin() as connection:
        for number in range(days):
            _day(connection, LAST - timedelta(days=number), number)
        at = datetime.combine(LAST, time(17), UTC)
        connection.execute(
            insert(BalanceReading),
            {"provider": "stripe", "test": False, "lines_until": at, "read_at": at},
        )
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")
    with database.engine.begin() as connection:
        connection.execute(_AMOUNTS)


def _day(connection: Connection, day: date, number: int) -> None:
    at = datetime.combine(day, time(12), UTC)
    first = number * len(CURRENCIES) + 1
    divided = day + ON_ITS_WAY <= LAST
    if divided:
        rows = [_payout(first + n, each, at) for n, each in enumerate(CURRENCIES)]
        connection.execute(insert(Payout), rows)
    connection.execute(_LINES, {"at": at, "first": first, "divided": divided})


def _payout(number: int, currency: str, at: datetime) -> dict[str, object]:
    return {
        "id": number,
        "provider": "stripe",
        "object_id": f"po_{number}",
        "test": False,
        "amount_minor": 0,
        "currency": currency,
        "state": PayoutState.PAID,
        "created_at": at,
        "arrives_on": at.date() + ON_ITS_WAY,
        "divisible": True,
        "settled": True,
        "lines_read_at": at,
    }


_LINES = text("""
    INSERT INTO balance_lines (provider, object_id, test, kind, word, payment, order_id, payout_id,
        amount_minor, fee_minor, net_minor, currency, at)
    SELECT provider, 'txn_' || id, FALSE, kind, kind, payment, order_id,
        CASE WHEN :divided THEN CASE currency WHEN 'EUR' THEN :first
            WHEN 'GBP' THEN :first + 1 ELSE :first + 2 END END,
        amount, fee, amount - fee, currency, at
    FROM (
        SELECT l.provider, l.id, l.currency, l.at, 'pi_' || l.order_id AS payment,
            l.order_id,
            CASE l.kind WHEN 'capture' THEN 'sale' ELSE 'refund' END AS kind,
            CASE l.kind WHEN 'capture' THEN l.amount_minor ELSE -l.amount_minor END
                AS amount,
            CASE l.kind WHEN 'capture' THEN 25 + l.amount_minor * 3 / 200 ELSE 0 END
                AS fee
        FROM ledger l JOIN orders o ON o.id = l.order_id WHERE l.at = :at AND NOT o.test
    ) moved
""").bindparams(bindparam("at", type_=UtcDateTime()))
_AMOUNTS = text("""
    UPDATE payouts SET amount_minor = coalesce((SELECT sum(net_minor) FROM balance_lines
        WHERE payout_id = payouts.id), 0)
""")
