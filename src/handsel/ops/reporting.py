"""Reports as they are asked for, by a command or on a page, and as spreadsheets."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from handsel.analytics.periods import Period
from handsel.analytics.reports.tallies import By, Wanted
from handsel.kit.errors import BadInputError
from handsel.kit.sheets import cells, decimal, sheet
from handsel.ops.experiment_facts import takes_tests_alone
from handsel.sales import catalogue
from handsel.sales.tax_report import Span
from handsel.shop import Shop

Rows = Iterable[dict[str, Any]]

STAGES = {
    "viewed": "looked at a page",
    "clicked": "pressed Buy",
    "started": "began to pay",
    "paid": "paid",
    "opened": "opened the purchase",
    "downloaded": "downloaded",
}
"""What the stages of the funnel are called."""
NOTHING = {
    By.SOURCE: "(came by themselves)",
    By.MEDIUM: "(none)",
    By.CAMPAIGN: "(none)",
    By.COUNTRY: "(unknown)",
}
"""What is said where nothing is known."""


def wanted(
    shop: Shop,
    session: Session,
    period: Period,
    *,
    by: By,
    slug: str | None = None,
    test: bool = False,
) -> Wanted:
    """Say what is asked; a shop that takes test payments alone has only those.

    Raises NotFoundError for a product that is none.
    """
    product_id = catalogue.get(session, slug).id if slug else None
    return Wanted(period, by, product_id, test or takes_tests_alone(shop))


def read_quarter(text: str) -> Span:
    """Read `2026-Q4` or `2026`. Raises BadInputError."""
    said = text.strip()
    found = re.fullmatch(r"(20\d\d)(?:-?[Qq]([1-4]))?", said, re.ASCII)
    if not found:
        raise BadInputError(
            f"{said!r} is no quarter.",
            "Write a quarter like 2026-Q4, or a year like 2026.",
        )
    year, quarter = int(found[1]), int(found[2] or 0)
    first, last = (3 * quarter - 2, 3 * quarter) if quarter else (1, 12)
    until = (year + 1, 1) if last == 12 else (year, last + 1)
    return Span(datetime(year, first, 1, tzinfo=UTC), datetime(*until, 1, tzinfo=UTC))


def funnel_sheet(rows: Rows) -> str:
    """Set funnels in CSV, a line for each stage."""
    head = ("key", "stage", "count", "of_first_bp", "of_before_bp")
    lines = [{"key": row["key"]} | each for row in rows for each in row["stages"]]
    return sheet(head, map(cells, lines))


def sales_sheet(rows: Rows) -> str:
    """Set sales in CSV."""
    head = ("key", "currency", "orders", "gross", "refunds", "refunded", "net")
    return sheet((*head, "average"), map(cells, rows))


def sources_sheet(rows: Rows) -> str:
    """Set sources in CSV, a line for each currency of one."""
    head = ("key", "visitors", "orders", "conversion_bp", "currency", "net")
    lines = [row | each for row in rows for each in _money(row)]
    return sheet((*head, "per_visitor"), map(cells, lines))


def _money(row: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """Give a line for each currency of a source, one also where nothing was sold."""
    found: Sequence[dict[str, Any]] = row["money"]
    return found or [{}]


_TAX = (
    *("quarter", "currency", "treatment", "country", "tax_class", "rate", "vat_number"),
    *("net", "tax", "sales", "invoices", "credit_notes", "unconfirmed"),
)


def tax_sheet(rows: Rows) -> str:
    """Set the tax of quarters in CSV."""
    return sheet(_TAX, map(_taxed, rows))


def _taxed(row: dict[str, Any]) -> dict[str, Any]:
    points = row["basis_points"]
    rate = "" if points is None else f"{points // 100}.{points % 100:02}"
    return cells(row) | {"rate": rate}


_PAYOUT = (
    *("what", "provider", "test", "id", "when", "state", "currency", "sales"),
    *("given_back", "fees", "other", "amount", "adds_up"),
)
_LINE = (
    *("id", "at", "kind", "word", "order", "payment", "paid", "paid_currency"),
    *("rate", "amount", "fee", "net", "currency", "note"),
)


def payouts_sheet(data: dict[str, Any]) -> str:
    """Set payouts in CSV, then what is in none, in rows of one shape."""
    sent = [
        cells(each) | {"what": "payout", "when": each["arrives_on"]}
        for each in data["payouts"]
    ]
    kept = [
        cells(each)
        | {
            "what": "in no payout",
            "when": each["month"],
            "amount": decimal(each["lines_minor"], each["currency"]),
        }
        for each in data["in_no_payout"]
    ]
    return sheet(_PAYOUT, [*sent, *kept])


def payout_sheet(data: dict[str, Any]) -> str:
    """Set the lines of one payout in CSV."""
    return sheet(_LINE, map(cells, data["made_up_of"]))
