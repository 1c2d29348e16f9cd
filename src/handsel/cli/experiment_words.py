"""Experiments as people read them: the plan, the table, the verdict."""

from textwrap import shorten
from typing import Any

from handsel.analytics.verdicts import LONG
from handsel.cli.common import table
from handsel.kit.money import Money, format_money
from handsel.ops.experiment_facts import TOO_LONG

Facts = dict[str, Any]


def planned(found: Facts) -> str:
    """Say how much it takes, before it begins or as it begins."""
    state = "runs" if found["state"] == "running" else "is planned"
    percent = f"{found['lift_bp'] / 100:g} %"
    what = {
        "revenue": "revenue per visitor after refunds",
        "conversion": "how many visitors buy",
    }
    tried = f"{found['part']} of {found['product']}"
    size = f"about {found['planned_visitors']:,} visitors in all"
    lines = [
        f"{found['name']} {state}: {tried}, decided by {what[found['metric']]}.",
        f"To find a difference of {percent}: {size}{_days(found)}.",
    ]
    if (found["planned_days"] or 0) > TOO_LONG:
        lines.append(_too_long(found))
    if found["part"] == "page":
        lines += ["", _snippet(found)]
    return "\n".join(lines)


def _days(found: Facts) -> str:
    if found["planned_days"] is None:
        return (
            "; nobody can say how long that takes, as nobody came in the last 28 days"
        )
    if found["planned_days"] > LONG:
        return ", more than a year at the pace of the last 28 days"
    return f", {found['planned_days']:,} days at the pace of the last 28"


def _snippet(found: Facts) -> str:
    """Give what is to be copied into the seller's own page."""
    names = [each["variant"] for each in found["variants"]]
    elements = [
        f'  <h1 data-handsel-variant="{found["name"]}:{name}"'
        f"{' hidden' if place else ''}>{'...' if place else 'As it is'}</h1>"
        for place, name in enumerate(names)
    ]
    lines = [
        "In the head of your page, and in its style:",
        f'  <script async src="{found["script"]}"></script>',
        '  [data-handsel-variant*=":"] { animation: handsel-hold 1ms .3s backwards }',
        "  @keyframes handsel-hold { from { visibility: hidden } }",
        "And for each variant what it shows, in any elements you like:",
        *elements,
    ]
    return "\n".join(lines)


def _too_long(found: Facts) -> str:
    why = (
        f"That is longer than {TOO_LONG} days: by then too many visitors have another "
        "address or browser, and are counted anew."
    )
    if found["findable_bp"] is None:
        return f"{why} Try it where more people come."
    percent = f"{found['findable_bp'] / 100:g}"
    # As it can be copied: neither a space in it, nor a full stop after it.
    return (
        f"{why} A difference of {percent} % could be found in time: --lift {percent}%"
    )


def after(found: Facts) -> str:
    """Say what to do next."""
    verb = "show" if found["state"] == "running" else "start"
    return f"Next: handsel experiment {verb} {found['name']}"


def short(found: Facts) -> str:
    """Say in one line what an experiment says."""
    if found["shipped"]:
        return f"{found['shipped']} was shipped"
    if found["state"] == "stopped":
        return f"stopped on {found['stopped_at'][:10]}, nothing was shipped"
    return str(found["says"][0]) if "says" in found else ""


def report(found: Facts, locale: str) -> str:
    """Write an experiment down: what it is, its figures, and what follows."""
    if found["state"] == "draft":
        return planned(found)
    lines = [_title(found), *_values(found), "", _table(found, locale), ""]
    lines += found["says"]
    if found["state"] == "running":
        lines += ["", _progress(found)]
    if found["test"]:
        lines += ["", "Test purchases: this shop takes no others."]
    return "\n".join(lines)


def _title(found: Facts) -> str:
    state = f", {found['state']}"
    if found["shipped"]:
        state += f", {found['shipped']} shipped"
    return f"{found['name']}: {found['part']} of {found['product']}{state}"


def _values(found: Facts) -> list[str]:
    """Say what each variant is, in a line."""
    return [
        f"{each['variant']}: {shorten(each['value'], 80, placeholder=' ...')}"
        for each in found["variants"]
        if each["value"]
    ]


def _table(found: Facts, locale: str) -> str:
    head = (
        *("VARIANT", "VISITORS", "BUYERS", "RATE", "(95 %)", "PER VISITOR"),
        *("DIFFERENCE", "(AT ALL TIMES)", "BEST"),
    )
    rows = [
        (
            each["variant"],
            f"{each['visitors']:,}",
            f"{each['buyers']:,}",
            _part(each["rate"]),
            f"{_part(each['rate_low'])} to {_part(each['rate_high'])}",
            _money(each["revenue"], found["currency"], locale),
            _signed(each["uplift"]),
            _range(each),
            _part(each["chance"], places=0),
        )
        for each in found["variants"]
    ]
    return table(head, rows, right={*head} - {"VARIANT"})


def _money(amount: float, currency: str, locale: str) -> str:
    money = format_money(Money(abs(round(amount)), currency), locale)
    return f"-{money}" if round(amount) < 0 else money


def _part(part: float, places: int = 2) -> str:
    return f"{part * 100:.{places}f} %"


def _signed(part: float | None) -> str:
    return "" if part is None else f"{part * 100:+.1f} %"


def _range(figures: Facts) -> str:
    if figures["uplift"] is None and figures["low"] is None:
        return ""
    low, high = _signed(figures["low"]), _signed(figures["high"])
    return f"{low or 'any'} to {high or 'any'}"


def _progress(found: Facts) -> str:
    seen = sum(each["visitors"] for each in found["variants"])
    return f"{seen:,} of about {found['planned_visitors']:,} visitors so far."


def stopped(found: Facts) -> str:
    """Say what everybody sees from now on."""
    name, ship = found["name"], found["shipped"]
    control = found["variants"][0]["variant"]
    if ship is None or ship == control:
        return f"{name} is stopped: everybody sees {control}, as before."
    return f"{name} is stopped: everybody sees {ship} from now on."


def after_the_end(found: Facts) -> str:
    """Say what is left to do by hand."""
    if found["part"] == "page" and found["shipped"]:
        return (
            f"In your page, leave {found['shipped']} alone, without `hidden`; until then "
            "variants.js shows it."
        )
    return ""
