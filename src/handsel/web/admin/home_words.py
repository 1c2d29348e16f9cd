"""The first page of the desk in words and drawings, out of the figures."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app, url_for
from markupsafe import Markup, escape

from handsel.analytics.reports.tallies import By
from handsel.kit.money import currencies
from handsel.models.words import Level
from handsel.ops.desk.figures import Best, Figure, Figures, Line
from handsel.ops.desk.first_steps import FirstStep
from handsel.ops.desk.running import Sending
from handsel.ops.desk.steps import name_of
from handsel.ops.doctor import Finding
from handsel.ops.reporting import NOTHING, STAGES
from handsel.web.admin import charts, written
from handsel.web.admin.charts import Bar, Columns, Spark
from handsel.web.admin.desk import desk_date


@dataclass(frozen=True)
class Tile:
    """One figure with its line: what it is, what it was, and which way it went.

    Args:
        change: in words; empty where there is nothing to compare.
        way: up, down or same.
        note: one thing more that is to be known.
    """

    name: str
    value: str
    change: str
    way: str
    before: str
    spark: Spark
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a list with its bar."""

    name: str
    bar: Bar
    orders: str
    visitors: str
    conversion: str
    net: str


@dataclass(frozen=True)
class Listed:
    """A list, and how many lines are left out."""

    rows: Sequence[Row]
    more: int


def is_currency(code: str) -> bool:
    """Say whether three letters are a currency."""
    return code in currencies()


def shown(found: Figures, today: date) -> dict[str, Any]:
    """Give all that the page shows of a period."""
    return {
        "period": written.span(found.period, today),
        "before": written.span(found.before, today) if found.before else "",
        "currency": found.currency,
        "test": found.test,
        "empty": not (found.total.orders or found.total.visitors),
        "tiles": list(_tiles(found)),
        "chart": _chart(found, today),
        "tips": _tips(found, today),
        "steps": _steps(found, today),
        "step": name_of(found.period.length),
        "funnel": _funnel(found),
        "products": _list(found, found.products, By.PRODUCT),
        "sources": _list(found, found.sources, By.SOURCE),
        "countries": _list(found, found.countries, By.COUNTRY),
        "devices": _list(found, found.devices, By.DEVICE),
    }


def _tiles(found: Figures) -> Sequence[Tile]:
    def money(minor: int) -> str:
        return written.money(minor, found.currency)

    tiles = [
        _tile("Revenue", found.gross, money),
        _tile("After refunds", found.net, money),
        _tile("Orders", found.orders, written.count, note=_sold_in(found)),
        _tile("Visitors", found.visitors, written.count),
        _part("Of visitors buy", found.conversion, note=_more_than_seen(found)),
        _tile("Average order", found.average, money),
        _part("Goes back", found.refunded),
    ]
    if found.tax:
        tiles.insert(2, _tile("Tax in it", found.tax, money))
    return tiles


def _sold_in(found: Figures) -> str:
    if found.total.sold == found.total.orders:
        return ""
    return f"{written.count(found.total.sold)} in {found.currency}"


def _more_than_seen(found: Figures) -> str:
    """Say why there is no part: more than 100 % of them cannot buy."""
    if found.total.orders <= found.total.visitors:
        return ""
    return "more orders than visitors who could be told apart"


def _tile(
    name: str, figure: Figure, write: Callable[[int], str], note: str = ""
) -> Tile:
    change, way = "", "same"
    if figure.change_bp is not None:
        way = _way(figure.change_bp)
        change = written.part(abs(figure.change_bp), 0) if figure.change_bp else "equal"
    return Tile(
        name,
        "\N{EN DASH}" if figure.now is None else write(figure.now),
        change,
        way,
        "" if figure.before is None else write(figure.before),
        charts.spark(figure.steps),
        note,
    )


def _part(name: str, figure: Figure, note: str = "") -> Tile:
    """Parts have grown by points, not by percent of percents."""
    moved = figure.moved
    change = (
        "" if moved is None else f"{abs(moved) / 100:.1f} points" if moved else "equal"
    )
    return Tile(
        name,
        written.part(figure.now),
        change,
        _way(moved or 0),
        "" if figure.before is None else written.part(figure.before),
        charts.spark(figure.steps),
        note,
    )


def _way(moved: int) -> str:
    return "up" if moved > 0 else "down" if moved < 0 else "same"


def _chart(found: Figures, today: date) -> Columns:
    length = found.period.length
    return charts.columns(
        [step.sums.net for step in found.steps],
        [written.step(step.period, length, today) for step in found.steps],
        lambda minor: written.line_money(minor, found.currency),
    )


def _tips(found: Figures, today: date) -> list[str]:
    return [
        f"{written.span(step.period, today)}: "
        f"{written.money(step.sums.net, found.currency)}, "
        f"{written.count(step.sums.orders)} orders"
        for step in found.steps
    ]


def _steps(found: Figures, today: date) -> list[dict[str, str]]:
    """Give the table beside the chart, the newest first, without what is empty."""
    return [
        {
            "name": written.span(step.period, today),
            "orders": written.count(step.sums.orders),
            "gross": written.money(step.sums.gross, found.currency),
            "back": written.money(step.sums.back, found.currency),
            "net": written.money(step.sums.net, found.currency),
        }
        for step in reversed(found.steps)
        if step.sums.orders or step.sums.gross or step.sums.back
    ]


def _funnel(found: Figures) -> list[dict[str, Any]]:
    return funnel_rows(found.funnel)


def funnel_rows(stages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the stages of a funnel with their bars, and who was lost before each."""
    bars = charts.funnel([each["count"] for each in stages])
    return [
        {
            "name": STAGES[each["stage"]],
            "count": written.count(each["count"]),
            "of_first": written.part(each["of_first_bp"]),
            "lost": _lost(each["of_before_bp"]),
            "bar": bar,
        }
        for each, bar in zip(stages, bars, strict=True)
    ]


def _lost(of_before_bp: int | None) -> str:
    """Say which part did not come as far; nothing where more came than were before."""
    if of_before_bp is None:
        return ""
    return written.part(10_000 - of_before_bp, 0)


def _list(found: Figures, best: Best, by: By) -> Listed:
    lines = best.lines
    bars = charts.bars(_weights(lines, money=by is By.PRODUCT))
    return Listed(
        [
            Row(
                _name(found, line.key, by),
                bar,
                written.count(line.orders),
                written.count(line.visitors),
                written.part(line.conversion_bp),
                written.money(line.net_minor, found.currency),
            )
            for line, bar in zip(lines, bars, strict=True)
        ],
        best.more,
    )


def _weights(lines: Sequence[Line], *, money: bool) -> list[int]:
    """Choose what the bars show: what the lines are sorted by, if any has some of it."""
    if money and any(line.net_minor for line in lines):
        return [line.net_minor for line in lines]
    if any(line.orders for line in lines):
        return [line.orders for line in lines]
    return [line.visitors for line in lines]


def _name(found: Figures, key: str, by: By) -> str:
    if by is By.PRODUCT:
        return found.named.get(key, key)
    return key_name(key, by)


def key_name(key: str, by: By) -> str:
    """Write what a report tells apart: a source, a country, a device."""
    if by is By.COUNTRY and key:
        return written.country(key)
    return key or NOTHING.get(by, "\N{EN DASH}")


_STEPS = {
    "product": ("Put a product on sale", "desk.products", ""),
    "provider": ("Connect Stripe or PayPal", "desk.chapter", "payments"),
    "mail": (
        "Set up your mail server, and send yourself a mail",
        "desk.chapter",
        "mail",
    ),
    "trial": ("Buy something yourself, with test money", "storefront.shop", ""),
    "address": ("Move in at your own address, with https", "desk.chapter", "shop"),
    "backup": ("Make a backup", "desk.backups", ""),
    "people": ("Keep codes on paper, or let in a second person", "desk.account", ""),
}


def first_step(step: FirstStep) -> dict[str, Any]:
    """Say what is to be done, where, and whether it is."""
    words, endpoint, chapter = _STEPS[step.name]
    url = url_for(endpoint, name=chapter) if chapter else url_for(endpoint)
    return {"name": words, "done": step.done, "url": url}


def _there(endpoint: str, **values: Any) -> str:
    """Give the address of a page, if this desk has it."""
    known = endpoint in current_app.view_functions
    return url_for(endpoint, **values) if known else ""


def sending(found: Sending) -> dict[str, Any]:
    """Say how far a mail to everyone has come."""
    done = found.progress
    over = done.sent + done.failed
    said = f"{written.count(done.sent)} of {written.count(done.recipients)} sent"
    if done.failed:
        said += f", {written.count(done.failed)} failed"
    if found.starts_at:
        said = Markup("begins on {}").format(desk_date(found.starts_at))
    elif found.state == "draft":
        said = "has not begun"
    elif found.state == "paused":
        said += ", paused"
    return {
        "title": found.title,
        "said": said,
        "bar": Bar(round(100 * over / done.recipients, 1) if done.recipients else 0.0),
        "url": _there("desk.update", number=str(found.id)) or _there("desk.updates"),
    }


_PLACES: dict[str, tuple[str, dict[str, str]]] = {
    "H024": ("desk.hooks", {}),
    "H026": ("desk.orders", {"status": "needs_review"}),
    "H027": ("desk.updates", {}),
    "H033": ("desk.mails", {"state": "dead"}),
    "H034": ("desk.mails", {}),
    "H035": ("desk.mails", {}),
    "H037": ("desk.backups", {}),
    "H038": ("desk.updates", {}),
    "H039": ("desk.updates", {}),
    "H073": ("desk.orders", {"status": "disputed"}),
    "H081": ("desk.report_payouts", {"since": ""}),
    "H082": ("desk.report_payouts", {}),
    "H092": ("desk.report_invoices", {}),
}
"""Where something can be done about a finding; of the others the hint says enough."""


def finding(found: Finding) -> dict[str, Any]:
    """Say what is so and what to do, and where."""
    endpoint, values = _PLACES.get(found.id, ("", {}))
    return {
        "bad": found.level is Level.ERROR,
        "problem": _spoken(found.problem),
        "hint": _spoken(found.hint),
        "url": _there(endpoint, **values),
        "id": found.id,
    }


def _spoken(text: str) -> Markup:
    """Set what stands between backticks as something that is typed."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(each) if place % 2 else escape(each)
        for place, each in enumerate(parts)
    )
