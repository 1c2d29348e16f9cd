"""What was sold, what went back, and what a visitor is worth."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from handsel.analytics.reports.funnel import among_bp
from handsel.analytics.reports.tallies import By, Tally, Wanted, tally
from handsel.models.words import EventKind


def sales(session: Session, wanted: Wanted) -> list[dict[str, Any]]:
    """Give a row for each of what `wanted.by` tells apart: see `sold`."""
    return sold(tally(session, wanted), wanted.by)


def sold(counts: Iterable[Tally], by: By) -> list[dict[str, Any]]:
    """Give a row for each of what was told apart, and each currency.

    `orders`, those that cost nothing among them, `gross_minor`, `refunds`,
    `refunded_minor` (positive), `net_minor`, and `average_minor` of an order. What went
    back counts on the day it went. Nothing is added up over currencies.
    """
    money = (EventKind.PAID, EventKind.REFUNDED)
    groups: dict[tuple[str, str], list[Tally]] = {}
    for each in counts:
        if each.kind in money:
            groups.setdefault((each.key, each.currency), []).append(each)
    rows = [
        {"key": key, "currency": currency} | _sums(found)
        for (key, currency), found in groups.items()
    ]
    if by is By.DAY:
        return sorted(rows, key=lambda row: (row["key"], row["currency"]))
    return sorted(rows, key=lambda row: (-row["net_minor"], row["key"]))


def _sums(found: list[Tally]) -> dict[str, Any]:
    sold = [each for each in found if each.kind is EventKind.PAID]
    back = [each for each in found if each.kind is EventKind.REFUNDED]
    orders = sum(each.times for each in sold)
    gross = sum(each.amount_minor for each in sold)
    refunded = -sum(each.amount_minor for each in back)
    return {
        "orders": orders,
        "gross_minor": gross,
        "refunds": sum(each.times for each in back),
        "refunded_minor": refunded,
        "net_minor": gross - refunded,
        "average_minor": round(gross / orders) if orders else 0,
    }


def sources(session: Session, wanted: Wanted) -> list[dict[str, Any]]:
    """Give what visits from each source came to: see `worth`."""
    return worth(tally(session, wanted))


def worth(counts: Iterable[Tally]) -> list[dict[str, Any]]:
    """Give what visits from each of what was told apart came to, most sales first.

    `key`, `visitors` (of product pages), `orders`, `conversion_bp` (see
    `among_bp`), and `money`: for each currency `net_minor` and `per_visitor_minor`.
    """
    groups: dict[str, list[Tally]] = {}
    for each in counts:
        groups.setdefault(each.key, []).append(each)
    rows = [{"key": key} | _worth(found) for key, found in groups.items()]
    return sorted(rows, key=lambda row: (-row["orders"], -row["visitors"], row["key"]))


def _worth(found: list[Tally]) -> dict[str, Any]:
    visitors = sum(each.visitors for each in found if each.kind is EventKind.VIEWED)
    orders = sum(each.times for each in found if each.kind is EventKind.PAID)
    net: dict[str, int] = {}
    for each in found:
        if each.currency:
            net[each.currency] = net.get(each.currency, 0) + each.amount_minor
    return {
        "visitors": visitors,
        "orders": orders,
        "conversion_bp": among_bp(orders, visitors),
        "money": [
            {
                "currency": currency,
                "net_minor": minor,
                "per_visitor_minor": round(minor / visitors) if visitors else None,
            }
            for currency, minor in sorted(net.items())
        ],
    }
