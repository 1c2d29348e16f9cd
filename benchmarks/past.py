"""A shop with a long past, written into its database in bulk: orders and all around them.

One statement for each table and day, the same on both databases: a million orders take
about a minute. Shares are those of a shop that goes well: most orders are paid, some
are given back, a tenth was begun and never paid, half of the buyers come again.
"""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import (
    JSON,
    Connection,
    bindparam,
    func,
    insert,
    select,
    text,
)

from handsel.models import Coupon, Customer, Order, Product, Release, Source
from handsel.models.base import UtcDateTime
from handsel.models.database import Database
from handsel.models.words import ProductStatus, TaxClass

DAYS = 1_000
LAST = date(2026, 11, 26)
PRODUCTS = 20
COUPONS = 10
SOURCES = 50


def fill(database: Database, orders: int, *, days: int = DAYS) -> None:
    """Write so many orders of so many days, the last one LAST, into an empty shop."""
    each_day = max(1, orders // days)
    with database.engine.begin() as connection:
        _shelves(connection)
        for number in range(days):
            _day(connection, LAST - timedelta(days=days - 1 - number), number, each_day)
    _settle(database)


def _shelves(connection: Connection) -> None:
    at = datetime.combine(LAST - timedelta(days=2 * DAYS), time(), UTC)
    known = connection.scalar(select(func.count()).select_from(Product)) or 0
    connection.execute(
        insert(Product),
        [
            {
                "id": number,
                "slug": f"book{number}",
                "name": f"The Book, part {number}",
                "description": "",
                "price_minor": 1500,
                "currency": "EUR",
                "download_limit": 5,
                "open_price": False,
                "suggestions": [],
                "tax_class": TaxClass.EBOOK,
                "status": ProductStatus.PUBLISHED,
                "created_at": at,
            }
            for number in range(known + 1, PRODUCTS + 1)
        ],
    )
    connection.execute(
        insert(Release),
        [
            {"id": n, "product_id": n, "version": "1", "notes": "", "created_at": at}
            for n in range(known + 1, PRODUCTS + 1)
        ],
    )
    connection.execute(
        insert(Coupon),
        [
            {
                "id": n,
                "code": f"SPRING{n}",
                "basis_points": 2000,
                "uses": 0,
                "active": True,
                "created_at": at,
            }
            for n in range(1, COUPONS + 1)
        ],
    )
    none = dict.fromkeys(
        ("medium", "campaign", "term", "content", "referrer", "page"), ""
    )
    connection.execute(
        insert(Source),
        [
            none
            | {
                "id": n + 1,
                "mark": str(n),
                "name": f"site{n}.example" if n else "",
                "campaign": f"campaign{n % 7}" if n % 3 else "",
                "first_at": at,
            }
            for n in range(SOURCES)
        ],
    )


def _day(connection: Connection, day: date, number: int, each_day: int) -> None:
    said = {
        "first": number * each_day,
        "n": each_day,
        "at": datetime.combine(day, time(12), UTC),
        "products": PRODUCTS,
        "coupons": COUPONS,
        "sources": SOURCES,
        "payload": {},
    }
    for statement in _STATEMENTS:
        connection.execute(statement, said)


def _settle(database: Database) -> None:
    """Do what PostgreSQL does by itself before long; SQLite does nothing of the kind."""
    if database.is_sqlite:
        return
    with database.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in (Product, Release, Coupon, Source, Customer, Order):
            sequence = func.pg_get_serial_sequence(table.__tablename__, "id")
            connection.execute(select(func.setval(sequence, func.max(table.id))))
        connection.exec_driver_sql("VACUUM ANALYZE")


_STAGE = """
    CREATE TEMPORARY TABLE past (i BIGINT, status VARCHAR(24), price INTEGER,
        currency VARCHAR(3), person BIGINT, address VARCHAR(254), sold BOOLEAN)
"""
"""The orders of one day, before they are written into the tables."""
_DRAWN = """
    INSERT INTO past (i, status, price, currency, person, sold)
    WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < :n)
    SELECT :first + k,
        CASE WHEN (:first + k) % 20 = 3 THEN 'started'
             WHEN (:first + k) % 20 = 13 THEN 'expired'
             WHEN (:first + k) % 33 = 1 THEN 'refunded'
             WHEN (:first + k) % 101 = 1 THEN 'partly_refunded'
             WHEN (:first + k) % 2003 = 1 THEN 'disputed'
             WHEN (:first + k) % 5003 = 1 THEN 'needs_review' ELSE 'paid' END,
        CASE WHEN (:first + k) % 20 = 7 THEN 1200 ELSE 1500 END,
        CASE WHEN (:first + k) % 7 = 5 THEN 'USD' WHEN (:first + k) % 23 = 5 THEN 'GBP'
             ELSE 'EUR' END,
        CASE WHEN (:first + k) % 3 = 0 THEN :first + k - 1 ELSE :first + k END,
        (:first + k) % 10 <> 3
    FROM n
"""
_ADDRESSED = """
    UPDATE past SET address = 'Reader' || person || '@' || CASE
        WHEN person * 7919 % 10 < 5 THEN 'gmail.com'
        WHEN person * 7919 % 10 < 8 THEN 'web.example'
        ELSE 'company' || person % 5000 || '.example' END
"""
_CUSTOMERS = """
    INSERT INTO customers (id, email, email_key, created_at)
    SELECT person, address, lower(address), :at FROM past WHERE person = i
"""
_ORDERS = """
    INSERT INTO orders (id, public_id, token_version, provider, session_id,
        session_state, test, product_id, release_id, price_minor, discount_minor,
        relief_minor, coupon_id, currency, download_limit, email, customer_id,
        card_last4, country, created_at, expires_at, status, paid_at, refunded_minor)
    SELECT i, 'bench' || i, 1, 'stripe', 'cs_' || i,
        CASE WHEN status = 'started' THEN 'open' WHEN sold THEN 'complete'
             ELSE 'expired' END,
        i % 500 = 11, 1 + i % 7 * (i % 11) % :products, 1 + i % 7 * (i % 11) % :products,
        price, 1500 - price, 0, CASE WHEN price < 1500 THEN 1 + i / 20 % :coupons END,
        currency, 5, address, CASE WHEN sold THEN person END,
        CASE WHEN sold THEN substr('' || (10000 + i * 7919 % 9000), 2) END,
        CASE WHEN i % 3 = 0 THEN 'DE' WHEN i % 3 = 1 THEN 'US' ELSE
            substr('ATFRGBITNLESPLCZBEDKFISEPTIEMT', CAST(1 + 2 * (i * 31 % 15) AS INTEGER), 2) END,
        :at, :at, status, CASE WHEN sold THEN :at END,
        CASE WHEN status = 'refunded' THEN price WHEN status = 'partly_refunded' THEN 500
             ELSE 0 END
    FROM past
"""
_CAPTURES = """
    INSERT INTO ledger (order_id, provider, kind, object_id, amount_minor, currency, at,
        recorded_at)
    SELECT i, 'stripe', 'capture', 'pi_' || i, price, currency, :at, :at
    FROM past WHERE sold
"""
_REFUNDS = """
    INSERT INTO ledger (order_id, provider, kind, object_id, amount_minor, currency, at,
        recorded_at)
    SELECT i, 'stripe', 'refund', 're_' || i,
        CASE WHEN status = 'refunded' THEN price ELSE 500 END, currency, :at, :at
    FROM past WHERE status IN ('refunded', 'partly_refunded')
"""
_ENTITLEMENTS = """
    INSERT INTO entitlements (order_id, product_id, release_id, access, granted_at,
        access_changed_at)
    SELECT i, 1 + i % 7 * (i % 11) % :products, 1 + i % 7 * (i % 11) % :products,
        status IN ('paid', 'partly_refunded'), :at, :at
    FROM past WHERE sold
"""
_RECEIPTS = """
    INSERT INTO outbox (topic, dedupe, recipient, order_id, payload, state, tries,
        next_at, created_at, sent_at)
    SELECT 'mail.receipt', 'receipt:bench' || i, address, i, :payload,
        CASE WHEN i % 4001 = 1 THEN 'dead' ELSE 'sent' END, 1, :at, :at, :at
    FROM past WHERE sold
"""
_VISITS = """
    INSERT INTO order_visits (order_id, visitor, source_id, country, device, at)
    SELECT i, i, 1 + (i * 31 % :sources) * (i % 5) / 4, '',
        CASE WHEN i % 2 = 0 THEN 'phone' ELSE 'computer' END, :at
    FROM past
"""
_AT = bindparam("at", type_=UtcDateTime())
_PAYLOAD = bindparam("payload", type_=JSON())
_STATEMENTS = (
    *map(text, (_STAGE, _DRAWN, _ADDRESSED)),
    *(
        text(each).bindparams(_AT)
        for each in (_CUSTOMERS, _ORDERS, _CAPTURES, _REFUNDS, _ENTITLEMENTS, _VISITS)
    ),
    text(_RECEIPTS).bindparams(_AT, _PAYLOAD),
    # Emptying it would leave all of its rows behind, until the end, on PostgreSQL.
    text("DROP TABLE past"),
)
