"""The visits of a long past, and its papers, around the orders that `past` has written."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import JSON, Connection, Date, bindparam, insert, text

from benchmarks.past import DAYS, LAST
from handsel.analytics import counting, months
from handsel.models import EventDay
from handsel.models.base import UtcDateTime
from handsel.models.database import Database


def fill(database: Database, views: int, *, days: int = DAYS) -> None:
    """Write what led to the orders, `views` looks at pages for each of them, and what
    came of it; then count all days but the last, which is still open."""
    with database.engine.begin() as connection:
        for number in range(days):
            _day(connection, LAST - timedelta(days=number), views)
    while counting.count(database, LAST, most=100):
        pass
    months.count(database, LAST)
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")


def _day(connection: Connection, day: date, views: int) -> None:
    said = {
        "day": day,
        "at": datetime.combine(day, time(12), UTC),
        "views": views,
        "seller": {"name": "Bench"},
    }
    connection.execute(
        insert(EventDay), {"day": day, "counted": False, "forgotten": False}
    )
    for statement in _STATEMENTS:
        connection.execute(statement, said)


_VIEWED = """
    INSERT INTO events (kind, at, day, visitor, source_id, country, device, product_id,
        test, amount_minor, currency)
    WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < :views)
    SELECT CASE WHEN k = 1 THEN 'clicked' ELSE 'viewed' END, :at, :day,
        v.visitor * :views + CASE WHEN k = 1 THEN 2 ELSE k END, v.source_id,
        coalesce(o.country, ''), v.device, o.product_id, FALSE, 0, ''
    FROM orders o JOIN order_visits v ON v.order_id = o.id, n
    WHERE o.created_at = :at
"""
_OF_AN_ORDER = """
    INSERT INTO events (kind, at, day, visitor, source_id, country, device, product_id,
        order_id, test, amount_minor, currency)
    WITH k(kind) AS (SELECT 'started' UNION ALL SELECT 'paid' UNION ALL
        SELECT 'downloaded' UNION ALL SELECT 'refunded')
    SELECT kind, :at, :day, v.visitor * :views + 2, v.source_id,
        coalesce(o.country, ''), v.device, o.product_id, o.id, o.test,
        CASE kind WHEN 'paid' THEN o.price_minor WHEN 'refunded' THEN -o.refunded_minor
            ELSE 0 END,
        CASE WHEN kind IN ('paid', 'refunded') THEN o.currency ELSE '' END
    FROM orders o JOIN order_visits v ON v.order_id = o.id, k
    WHERE o.created_at = :at AND (kind = 'started' OR o.paid_at IS NOT NULL)
        AND (kind <> 'refunded' OR o.refunded_minor > 0)
"""
_PAPERS = """
    INSERT INTO invoices (order_id, kind, cause, prefix, sequence, issued_at,
        supplied_at, title, currency, gross_minor, tax_minor, basis_points, tax_word,
        tax_class, treatment, country, confirmed, test, seller)
    SELECT id, 'invoice', 'sale', CASE WHEN test THEN 'TEST-' ELSE 'INV-' END, id, :at,
        :at, 'The Book', currency, price_minor, price_minor / 6, 2000, 'VAT', 'ebook',
        'destination', country, TRUE, test, :seller
    FROM orders WHERE paid_at = :at
"""
_AT = bindparam("at", type_=UtcDateTime())
_DAY_OF = bindparam("day", type_=Date())
_STATEMENTS = (
    *(text(each).bindparams(_AT, _DAY_OF) for each in (_VIEWED, _OF_AN_ORDER)),
    text(_PAPERS).bindparams(_AT, bindparam("seller", type_=JSON())),
)
