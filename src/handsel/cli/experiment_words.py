"""Experiments as people read them: the plan, the table, the verdict."""

from textwrap import shorten

from handsel.cli.common import table
from handsel.kit.money import Money, format_money
from handsel.ops import experiment_words
from handsel.ops.experiment_facts import TOO_LONG
from handsel.ops.experiment_words import DECIDES, Facts


def planned(found: Facts) -> str:
    """Say how much it takes, before it begins or as it begins."""
    state = "runs" if found["state"] == "running" else "is planned"
    tried = f"{found['part']} of {found['product']}"
    lines = [
        f"{found['name']} {state}: {tried}, decided by {DECIDES[found['metric']]}.",
        experiment_words.size(found),
    ]
    if (found["planned_days"] or 0) > TOO_LONG:
        lines.append(_too_long(found))
    if found["part"] == "page":
        lines += [
            "",
            "In the head of your page, and in its style:",
            *(f"  {line}" for line in experiment_words.head(found)),
            "And for each variant what it shows, in any elements you like:",
            *(f"  {line}" for line in experiment_words.elements(found)),
        ]
    return "\n".join(lines)


def _too_long(found: Facts) -> str:
    why = experiment_words.TOO_LONG_WHY
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


def report(found: Facts, locale: str) -> str:
    """Write an experiment down: what it is, its figures, and what follows."""
    if found["state"] == "draft":
        return planned(found)
    lines = [_title(found), *_values(found), "", _table(found, locale), ""]
    lines += found["says"]
    if found["state"] == "running":
        lines += ["", experiment_words.progress(found)]
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
