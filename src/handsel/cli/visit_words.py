"""What the reports of visits say to people."""

from collections.abc import Iterable, Sequence
from typing import Any

from handsel.analytics.periods import Period
from handsel.analytics.reports.tallies import By, Wanted
from handsel.cli.common import table
from handsel.kit.money import Money, format_money
from handsel.ops.reporting import NOTHING, STAGES

WIDTH = 24
MOST_DAYS = 62
_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def funnel(wanted: Wanted, rows: Sequence[dict[str, Any]]) -> str:
    """Draw one funnel with bars, or set several side by side."""
    if wanted.by is By.NOTHING:
        (row,) = rows
        return f"{_title('Funnel', wanted)}\n{_bars(row['stages'])}"
    names = [stage["stage"].upper() for stage in rows[0]["stages"]] if rows else []
    lines = [
        (
            _key(wanted.by, row["key"]),
            *(f"{each['count']:,}" for each in row["stages"]),
            percent(row["stages"][3]["of_first_bp"]),
        )
        for row in rows
    ]
    head = (wanted.by.upper(), *names, "PAID OF VIEWED")
    return _titled("Funnel", wanted, head, lines)


def sales(
    wanted: Wanted, rows: Sequence[dict[str, Any]], days: Sequence[dict[str, Any]]
) -> str:
    """Set what was sold in a table, and draw the days of each currency."""
    head = ["ORDERS", "GROSS", "REFUNDS", "GONE BACK", "NET", "AVERAGE"]
    lines = [
        (
            *([_key(wanted.by, row["key"])] if wanted.by is not By.NOTHING else []),
            f"{row['orders']:,}",
            _money(row, "gross_minor"),
            str(row["refunds"]),
            _money(row, "refunded_minor"),
            _money(row, "net_minor"),
            _money(row, "average_minor"),
        )
        for row in rows
    ]
    if wanted.by is not By.NOTHING:
        head.insert(0, wanted.by.upper())
    said = _titled("Sales", wanted, head, lines)
    charts = _charts(wanted.period, days)
    return "\n\n".join([said, *charts])


def sources(wanted: Wanted, rows: Sequence[dict[str, Any]]) -> str:
    """Set sources in a table, a line for each currency of one."""
    head = (wanted.by.upper(), "VISITORS", "ORDERS", "OF VISITORS", "NET", "A VISITOR")
    lines = []
    for row in rows:
        first = (
            _key(wanted.by, row["key"]),
            f"{row['visitors']:,}",
            f"{row['orders']:,}",
            percent(row["conversion_bp"]),
        )
        for money in row["money"] or [None]:
            lines.append((*first, *_worth(money)))
            first = ("", "", "", "")
    return _titled("Where sales come from", wanted, head, lines)


def of_order(visit: dict[str, Any] | None) -> Iterable[str]:
    """Say where an order came from, then what was done when, a line for each."""
    if visit is None:
        return
    words = ("source", "medium", "campaign", "term", "content", "page", "country")
    said = [f"{name} {visit[name]}" for name in words if visit[name]]
    yield ", ".join([*said, visit["device"]])
    for event in visit["events"]:
        yield f"{event['at'][:16].replace('T', ' ')} {event['kind']}"


def percent(points: int | None) -> str:
    """Write basis points as percent; nothing for what is no part."""
    return "" if points is None else f"{points / 100:.1f} %"


def bar(part: float, width: int = WIDTH) -> str:
    """Draw a part of a whole, to an eighth of a letter; above the whole it is full."""
    eighths = round(min(1.0, max(0.0, part)) * width * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def line(values: Sequence[int]) -> str:
    """Draw numbers as heights beside each other; nothing below zero has a height."""
    most = max(values, default=0)
    if most <= 0:
        return _HEIGHTS[0] * len(values)
    top = len(_HEIGHTS) - 1
    return "".join(_HEIGHTS[round(top * max(0, each) / most)] for each in values)


def _bars(stages: Sequence[dict[str, Any]]) -> str:
    most = max((each["count"] for each in stages), default=0)
    rows = [
        (
            STAGES[each["stage"]],
            f"{each['count']:,}",
            percent(each["of_first_bp"]),
            bar(each["count"] / most) if most else "",
        )
        for each in stages
    ]
    head = ("STAGE", "COUNT", "OF FIRST", "")
    return table(head, rows, right=("COUNT", "OF FIRST"))


def _charts(period: Period, days: Sequence[dict[str, Any]]) -> Iterable[str]:
    """Draw the net of each day, for each currency; long periods by their last days."""
    for currency in sorted({day["currency"] for day in days}):
        net = {d["key"]: d["net_minor"] for d in days if d["currency"] == currency}
        shown = period.days[-MOST_DAYS:]
        values = [net.get(day.isoformat(), 0) for day in shown]
        most = format_money(Money(max(0, *values), currency), "en")
        yield (
            f"Net of each day in {currency}, at most {most}\n"
            f"{shown[0]} {line(values)} {shown[-1]}"
        )


def _titled(
    what: str, wanted: Wanted, head: Sequence[str], lines: Sequence[Sequence[str]]
) -> str:
    if not lines:
        return f"{_title(what, wanted)}\nNothing was counted in this time."
    right = head if wanted.by is By.NOTHING else head[1:]
    return f"{_title(what, wanted)}\n{table(head, lines, right=right)}"


def _title(what: str, wanted: Wanted) -> str:
    period = wanted.period
    length = f"{period.first} to {period.last}"
    return f"{what}, {length}" + (", test purchases" if wanted.test else "")


def _key(by: By, key: str) -> str:
    return key or NOTHING.get(by, "-")


def _worth(money: dict[str, Any] | None) -> tuple[str, str]:
    if money is None:
        return ("", "")
    each = money["per_visitor_minor"]
    worth = Money(each, money["currency"]) if each is not None else None
    return (
        _money(money, "net_minor"),
        format_money(worth, "en") if worth else "",
    )


def _money(row: dict[str, Any], name: str) -> str:
    return format_money(Money(row[name], row["currency"]), "en")
