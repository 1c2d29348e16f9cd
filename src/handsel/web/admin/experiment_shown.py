"""Experiments in words and drawings, for the pages of the desk."""

from typing import Any

from handsel.kit.errors import ShopError
from handsel.models.words import Part
from handsel.ops import experiment_words
from handsel.ops.experiment_facts import TOO_LONG
from handsel.web.admin import charts, written
from handsel.web.admin.charts import Interval, Intervals

Facts = dict[str, Any]

PARTS = {
    Part.HEADLINE: "headline",
    Part.DESCRIPTION: "description",
    Part.COVER: "cover",
    Part.BUTTON: "words of the button",
    Part.PRICE: "price",
    Part.TEMPLATE: "template of the page",
    Part.PAGE: "a page of your own site",
}
_STATES = {"draft": "planned", "running": "running", "stopped": "over"}


def told(error: ShopError) -> str:
    """Say what is wrong, and what to do if that can be done on a page."""
    by_command = "--" in error.hint or "handsel " in error.hint
    return error.message if by_command else f"{error.message} {error.hint}".strip()


def line(found: Facts) -> dict[str, str]:
    """Write one line of the list."""
    return {
        "name": found["name"],
        "product": found["product"],
        "part": PARTS[Part(found["part"])],
        "state": _STATES[found["state"]],
        "says": experiment_words.short(found) or experiment_words.size(found),
    }


def one(found: Facts) -> dict[str, Any]:
    """Write all of one: its plan, and its figures if it has begun."""
    days = found["planned_days"] or 0
    said = {
        "state": _STATES[found["state"]],
        "part": PARTS[Part(found["part"])],
        "decided": experiment_words.DECIDES[found["metric"]],
        "size": experiment_words.size(found),
        "too_long": _too_long(found) if days > TOO_LONG else "",
        "head": experiment_words.head(found) if found["part"] == "page" else [],
        "elements": experiment_words.elements(found) if found["part"] == "page" else [],
        "begun": found["state"] != "draft",
    }
    if found["state"] == "draft":
        return said
    return said | {
        "says": found["says"],
        "wrong_split": found["verdict"] == "wrong_split",
        "progress": experiment_words.progress(found),
        "share": _share(found),
        "rows": [_row(each, found) for each in found["variants"]],
        "uplifts": _uplifts(found),
    }


def _too_long(found: Facts) -> str:
    why = experiment_words.TOO_LONG_WHY
    if found.get("findable_bp") is None:
        return f"{why} Try it where more people come."
    return (
        f"{why} A difference of {found['findable_bp'] / 100:g} % could be found in time: "
        "plan another one for that."
    )


def _share(found: Facts) -> charts.Bar:
    seen = sum(each["visitors"] for each in found["variants"])
    planned = found["planned_visitors"] or 1
    return charts.Bar(round(min(100.0, 100 * seen / planned), 1))


def _row(each: Facts, found: Facts) -> dict[str, str]:
    return {
        "name": each["variant"],
        "value": each["value"] or "",
        "visitors": written.count(each["visitors"]),
        "buyers": written.count(each["buyers"]),
        "rate": written.fraction(each["rate"]),
        "within": f"{written.fraction(each['rate_low'])} to "
        f"{written.fraction(each['rate_high'])}",
        "revenue": written.money(round(each["revenue"]), found["currency"]),
        "uplift": _signed(each["uplift"]),
        "bounds": _bounds(each),
        "chance": written.fraction(each["chance"], 0),
    }


def _signed(part: float | None) -> str:
    if part is None:
        return ""
    return ("+" if part > 0 else "") + written.fraction(part, 1)


def _bounds(each: Facts) -> str:
    if each["uplift"] is None and each["low"] is None:
        return ""
    low, high = _signed(each["low"]), _signed(each["high"])
    return f"{low or 'any'} to {high or 'any'}"


def _uplifts(found: Facts) -> Intervals:
    """Draw how the others stand against the first, at all times."""
    return charts.intervals(
        [
            Interval(
                f"{each['variant']}: {_signed(each['uplift']) or 'not known'}",
                each["low"],
                each["high"],
                each["uplift"],
                each["outcome"] or "open",
            )
            for each in found["variants"][1:]
        ]
    )
