"""Reports of visits in words and drawings."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from handsel.analytics.periods import Period
from handsel.analytics.reports.tallies import By
from handsel.ops.desk.steps import name_of, steps
from handsel.ops.reporting import STAGES
from handsel.web.admin import charts, written
from handsel.web.admin.home_words import funnel_rows, key_name

Rows = Sequence[dict[str, Any]]

WAYS = {
    "nothing": "all together",
    "day": "day",
    "product": "product",
    "source": "source",
    "medium": "medium",
    "campaign": "campaign",
    "country": "country",
    "device": "device",
}
"""What a report can tell apart."""


def sales(rows: Rows, by: By) -> list[dict[str, Any]]:
    """Write what was sold; the bars of each currency are parts of its own largest."""
    bars: dict[str, Iterator[charts.Bar]] = {}
    for currency in {row["currency"] for row in rows}:
        nets = [row["net_minor"] for row in rows if row["currency"] == currency]
        bars[currency] = iter(charts.bars(nets))
    return [
        {
            "key": key_name(row["key"], by),
            "currency": row["currency"],
            "orders": written.count(row["orders"]),
            "refunds": written.count(row["refunds"]),
            **{
                name: written.money(row[f"{name}_minor"], row["currency"])
                for name in ("gross", "refunded", "net", "average")
            },
            "bar": next(bars[row["currency"]]),
        }
        for row in rows
    ]


def sales_charts(period: Period, days: Rows, today: date) -> list[dict[str, Any]]:
    """Draw the net of the days of each currency; a long time by weeks or months."""
    known = Period(period.first, max(period.first, min(period.last, today)))
    keys = [row["key"] for row in days]
    if keys and min(keys) > known.first.isoformat():
        # `all` begins long before anything was sold.
        first = date.fromisoformat(min(keys))
        known = (
            Period(max(known.first, first), known.last) if _is_long(known) else known
        )
    return [
        _chart(known, [row for row in days if row["currency"] == currency], currency)
        for currency in dict.fromkeys(row["currency"] for row in days)
    ]


def _is_long(period: Period) -> bool:
    return name_of(period.length) == "month"


def _chart(period: Period, days: Rows, currency: str) -> dict[str, Any]:
    every = steps(period)
    nets = {row["key"]: row["net_minor"] for row in days}
    values = [sum(nets.get(day.isoformat(), 0) for day in step.days) for step in every]
    names = [written.step(each, period.length, period.last) for each in every]
    return {
        "currency": currency,
        "step": name_of(period.length),
        "drawn": charts.columns(
            values, names, lambda minor: written.line_money(minor, currency)
        ),
        "tips": [
            f"{written.span(each, period.last)}: {written.money(value, currency)}"
            for each, value in zip(every, values, strict=True)
        ],
        "figures": [
            (written.span(each, period.last), written.money(value, currency))
            for each, value in zip(every, values, strict=True)
            if value
        ][::-1],
    }


def stages(found: Rows) -> list[dict[str, Any]]:
    """Write the stages of one funnel."""
    return funnel_rows(found)


def stage_names() -> list[str]:
    """Name the stages, in order."""
    return list(STAGES.values())


def funnels(rows: Rows, by: By) -> list[dict[str, Any]]:
    """Write several funnels, a row for each; the bar shows how many came first of all."""
    bars = charts.bars([row["stages"][0]["count"] for row in rows])
    return [
        {
            "key": key_name(row["key"], by),
            "counts": [written.count(each["count"]) for each in row["stages"]],
            "paid": written.part(row["stages"][3]["of_first_bp"]),
            "bar": bar,
        }
        for row, bar in zip(rows, bars, strict=True)
    ]


def sources(rows: Rows, by: By) -> list[dict[str, Any]]:
    """Write what visits from each source came to."""
    sold = any(row["orders"] for row in rows)
    bars = charts.bars([row["orders" if sold else "visitors"] for row in rows])
    return [
        {
            "key": key_name(row["key"], by),
            "visitors": written.count(row["visitors"]),
            "orders": written.count(row["orders"]),
            "conversion": written.part(row["conversion_bp"]),
            "more_orders": row["orders"] > row["visitors"],
            "money": [_worth(each) for each in row["money"]],
            "bar": bar,
        }
        for row, bar in zip(rows, bars, strict=True)
    ]


def _worth(found: dict[str, Any]) -> dict[str, str]:
    each = found["per_visitor_minor"]
    return {
        "net": written.money(found["net_minor"], found["currency"]),
        "a_visitor": "" if each is None else written.money(each, found["currency"]),
    }


def quarters(rows: Iterable[dict[str, Any]], totals: Rows) -> list[dict[str, Any]]:
    """Write the tax of quarters, a table for each and each currency."""
    sums = {(each["quarter"], each["currency"]): each for each in totals}
    return [
        {
            "quarter": quarter,
            "currency": currency,
            "rows": [_taxed(row) for row in found],
            "total": _amounts(sums[quarter, currency]),
        }
        for (quarter, currency), found in groupby(
            rows, lambda row: (row["quarter"], row["currency"])
        )
    ]


def _taxed(row: dict[str, Any]) -> dict[str, Any]:
    points = row["basis_points"]
    return {
        "country": written.country(row["country"]) if row["country"] else "(unknown)",
        "rule": row["treatment"].replace("_", " "),
        "number": row["vat_number"] or row["tax_class"],
        "rate": "" if points is None else f"{points / 100:g} %",
        "invoices": written.count(row["invoices"]),
        "credit_notes": written.count(row["credit_notes"]),
        "unconfirmed": row["unconfirmed"],
        **_amounts(row),
    }


def _amounts(row: dict[str, Any]) -> dict[str, str]:
    return {
        name: written.money(row[f"{name}_minor"], row["currency"])
        for name in ("net", "tax", "sales")
    }
