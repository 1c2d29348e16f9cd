"""What there is to say of payouts, besides their sums: for a command, and for a page."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from handsel.kit.money import Money, format_money
from handsel.sales.payouts import LOST

NAMES = {"stripe": "Stripe", "paypal": "PayPal"}


def notes(data: dict[str, Any]) -> Iterator[str]:
    """Say what the tables do not, so that nobody has to guess."""
    for each in data["payouts"]:
        yield from remarks(each)
    for each in data["totals"]:
        if each["not_divided_minor"]:
            known = each["amount_minor"] - each["not_divided_minor"]
            yield (
                f"In the sum of {each['currency']} that "
                f"{'arrived' if each['arrived'] else 'is on its way'}, SALES to OTHER "
                f"make up {money(known, each['currency'])}: the rest is not divided."
            )
    if any(each["other_minor"] for each in data["payouts"]):
        yield (
            "OTHER belongs to no order of this shop; handsel report payouts PAYOUT_ID "
            "lists it."
        )
    for each in data["without_fee"]:
        yield (
            f"Of {each['payments']} payments by {who(each)} the fee is not known (yet)."
        )
    if data["test_purchases"]:
        yield (
            f"Paid with test money of the shop's own, which never reaches a bank: "
            f"{data['test_purchases']}."
        )
    for each in data["readings"]:
        yield _freshness(each)
        if each["problem"]:
            yield f"Not all could be read: {each['problem']}"
    if data["not_read"]:
        yield (
            "Nothing was read from Stripe yet: the worker does it every hour, handsel "
            "reconcile at once."
        )


def remarks(payout: dict[str, Any]) -> Iterator[str]:
    """Say of a payout what is special about it."""
    name = payout["id"]
    if payout["reverses"]:
        yield f"{name} takes {payout['reverses']} back."
    if payout["state"] in LOST:
        why = f" ({payout['failure']})" if payout["failure"] else ""
        yield f"{name} did not arrive{why}: its money is in your balance again."
    elif not payout["divisible"]:
        yield (
            f"{name} was asked for by hand, so {who(payout)} cannot say of which sales "
            "it is made up."
        )
    elif payout["lines_minor"] is None:
        yield f"{name} is still being made up; its lines are read when that is done."
    elif not payout["adds_up"]:
        lines = money(payout["lines_minor"], payout["currency"])
        yield (
            f"{name} DOES NOT ADD UP: it is "
            f"{money(payout['amount_minor'], payout['currency'])}, its lines are {lines}. "
            f"Read it again: handsel reconcile --since {payout['created_at'][:10]}"
        )


def _freshness(reading: dict[str, Any]) -> str:
    if reading["read_at"] is None:
        return f"Not read from {who(reading)} to its end yet."
    when = datetime.fromisoformat(reading["read_at"])
    return f"Read from {who(reading)} on {when:%Y-%m-%d %H:%M} UTC."


def state(payout: dict[str, Any]) -> str:
    """Say how far a payout has come, and why it did not arrive."""
    why = f" ({payout['failure']})" if payout["failure"] else ""
    return f"{payout['state'].replace('_', ' ')}{why}"


def who(found: dict[str, Any]) -> str:
    """Name the provider, and that it is not real money, if so."""
    name = NAMES.get(found["provider"], str(found["provider"]))
    return f"{name} (TEST)" if found["test"] else name


def money(minor: int, currency: str) -> str:
    """Write an amount."""
    return format_money(Money(minor, currency), "en")
