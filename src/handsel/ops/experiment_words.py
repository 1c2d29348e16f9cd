"""Experiments in sentences, for a command and for a page: the plan, the state, the end."""

from typing import Any

from handsel.analytics.verdicts import LONG
from handsel.ops.experiment_facts import TOO_LONG

Facts = dict[str, Any]
DECIDES = {
    "revenue": "revenue per visitor after refunds",
    "conversion": "how many visitors buy",
}
TOO_LONG_WHY = (
    f"That is longer than {TOO_LONG} days: by then too many visitors have another "
    "address or browser, and are counted anew."
)


def size(found: Facts) -> str:
    """Say how many visitors it takes, and how long that is."""
    percent = f"{found['lift_bp'] / 100:g} %"
    visitors = f"about {found['planned_visitors']:,} visitors in all"
    return f"To find a difference of {percent}: {visitors}{_days(found)}."


def _days(found: Facts) -> str:
    if found["planned_days"] is None:
        return (
            "; nobody can say how long that takes, as nobody came in the last 28 days"
        )
    if found["planned_days"] > LONG:
        return ", more than a year at the pace of the last 28 days"
    return f", {found['planned_days']:,} days at the pace of the last 28"


def head(found: Facts) -> list[str]:
    """Give what is to be copied into the head of the seller's own page."""
    return [
        f'<script async src="{found["script"]}"></script>',
        '[data-handsel-variant*=":"] { animation: handsel-hold 1ms .3s backwards }',
        "@keyframes handsel-hold { from { visibility: hidden } }",
    ]


def elements(found: Facts) -> list[str]:
    """Give an element for each variant, as it stands in that page."""
    names = [each["variant"] for each in found["variants"]]
    return [
        f'<h1 data-handsel-variant="{found["name"]}:{name}"'
        f"{' hidden' if place else ''}>{'...' if place else 'As it is'}</h1>"
        for place, name in enumerate(names)
    ]


def short(found: Facts) -> str:
    """Say in one line what an experiment says."""
    if found["shipped"]:
        return f"{found['shipped']} was shipped"
    if found["state"] == "stopped":
        return f"stopped on {found['stopped_at'][:10]}, nothing was shipped"
    return str(found["says"][0]) if "says" in found else ""


def progress(found: Facts) -> str:
    """Say how far it has come."""
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
