"""What `handsel report payouts` says to people: tables, each with its sums, and notes."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from handsel.cli.common import table
from handsel.ops import payout_notes
from handsel.ops.payout_notes import money
from handsel.sales.payout_report import SUMS
from handsel.sales.payouts import LOST

_AMOUNTS = ("SALES", "GIVEN BACK", "FEES", "OTHER")


def overview(data: dict[str, Any]) -> str:
    """Put all that is known of payouts and fees into words."""
    parts = [
        *_payouts(data["payouts"], data["totals"]),
        *_in_no_payout(data["in_no_payout"]),
    ]
    if not parts:
        parts = ["There are no payouts, and no fees, to be shown."]
    return "\n\n".join([*parts, "\n".join(payout_notes.notes(data))]).strip()


def one(data: dict[str, Any]) -> str:
    """Put one payout with its lines into words."""
    lines = [
        f"{key:12} {value}"
        for key, value in (
            ("payout", data["id"]),
            ("provider", payout_notes.who(data)),
            ("state", payout_notes.state(data)),
            ("arrives", data["arrives_on"]),
            ("amount", money(data["amount_minor"], data["currency"])),
        )
    ]
    parts = ["\n".join(lines)]
    if data["made_up_of"]:
        parts.append(_made_up(data))
    notes = list(payout_notes.remarks(data))
    if data["lines_of_no_order"]:
        notes.append(
            f"{data['lines_of_no_order']} of these lines belong to no order of this shop."
        )
    return "\n\n".join([*parts, "\n".join(notes)]).strip()


def lines_of_order(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Say what an order did to the seller's balance, a line for each change."""
    for each in found:
        currency = each["currency"]
        said = (
            f"{each['at'][:10]} {each['kind']} "
            f"{money(each['amount_minor'], currency)}{_exchanged(each)}, fee "
            f"{money(each['fee_minor'], currency)}, "
            f"net {money(each['net_minor'], currency)}"
        )
        if each["payout"]:
            said += f", payout {each['payout']} ({each['payout_state']})"
        yield said


def _payouts(
    found: list[dict[str, Any]], totals: list[dict[str, Any]]
) -> Iterator[str]:
    """Give a table for each provider, and below it what each currency comes to."""
    for who, each in groupby(sorted(found, key=payout_notes.who), payout_notes.who):
        rows = [_payout_row(row) for row in each]
        sums = [_total_row(row) for row in totals if payout_notes.who(row) == who]
        head = ("PAYOUT", "ARRIVES", "STATE", *_AMOUNTS, "PAID OUT")
        yield f"Payouts by {who}\n" + table(
            head, rows + sums, right=(*_AMOUNTS, "PAID OUT")
        )


def _payout_row(found: dict[str, Any]) -> tuple[str, ...]:
    return (
        found["id"],
        found["arrives_on"],
        found["state"].replace("_", " "),
        *_sums(found),
        money(found["amount_minor"], found["currency"]),
    )


def _total_row(found: dict[str, Any]) -> tuple[str, ...]:
    what = "Arrived" if found["arrived"] else "On its way"
    number = f"{found['payouts']} payout{'s' if found['payouts'] != 1 else ''}"
    return (
        f"{what}, {found['currency']}",
        "",
        number,
        *_sums(found),
        money(found["amount_minor"], found["currency"]),
    )


def _sums(found: dict[str, Any]) -> Iterator[str]:
    unknown = "-" if found.get("state") in LOST else "?"
    for name in SUMS:
        minor = found[name]
        yield unknown if minor is None else money(minor, found["currency"])


def _in_no_payout(found: list[dict[str, Any]]) -> Iterator[str]:
    """Give a table for each provider with a row for each month, and its sums."""
    for who, each in groupby(sorted(found, key=payout_notes.who), payout_notes.who):
        rows = list(each)
        head = ("MONTH", "", *_AMOUNTS, "NET", "EXCHANGED")
        body = [
            (row["month"], row["currency"], *_sums(row), _net(row), _became(row))
            for row in rows
        ]
        body += list(_months_added(rows))
        title = (
            f"At {who}, by month: PayPal pays nothing out by itself"
            if rows[0]["provider"] == "paypal"
            else f"At {who}, by month: what is in no payout that could be divided (yet)"
        )
        yield f"{title}\n" + table(head, body, right=(*_AMOUNTS, "NET", "EXCHANGED"))


def _months_added(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    def currency(row: dict[str, Any]) -> str:
        return str(row["currency"])

    for code, each in groupby(sorted(rows, key=currency), currency):
        months = list(each)
        names = (*SUMS, "lines_minor")
        added = {name: sum(row[name] for row in months) for name in names}
        said = added | {"currency": code}
        yield ("Together", code, *_sums(said), _net(said), "")


def _net(found: dict[str, Any]) -> str:
    return money(found["lines_minor"], found["currency"])


def _became(found: dict[str, Any]) -> str:
    if found["received_currency"] is None:
        return ""
    return money(found["received_minor"], found["received_currency"])


def _made_up(data: dict[str, Any]) -> str:
    head = ("WHEN", "WHAT", "ORDER", "PAID", "AMOUNT", "FEE", "NET", "NAME")
    rows: list[tuple[str, ...]] = [
        (
            each["at"][:10],
            _what(each),
            each["order"] or "-",
            _paid(each),
            money(each["amount_minor"], each["currency"]),
            money(each["fee_minor"], each["currency"]),
            money(each["net_minor"], each["currency"]),
            each["note"] or each["id"],
        )
        for each in data["made_up_of"]
    ]
    sums = (_added(data, name) for name in ("amount_minor", "fee_minor"))
    total = money(data["lines_minor"], data["currency"])
    rows.append(("Together", "", "", "", *sums, total, ""))
    return table(head, rows, right=("PAID", "AMOUNT", "FEE", "NET"))


def _added(data: dict[str, Any], name: str) -> str:
    return money(sum(each[name] for each in data["made_up_of"]), data["currency"])


def _what(line: dict[str, Any]) -> str:
    """Name a line's kind, and the provider's own word where ours says too little."""
    plain = line["kind"] not in ("other", "returned")
    return line["kind"] if plain else f"{line['kind']} ({line['word']})"


def _paid(line: dict[str, Any]) -> str:
    if line["paid_currency"] in (None, line["currency"]):
        return ""
    return f"{money(line['paid_minor'], line['paid_currency'])} x {line['rate']}"


def _exchanged(line: dict[str, Any]) -> str:
    paid = _paid(line)
    return f" ({paid})" if paid else ""
