"""Answers in CSV, for spreadsheets: the same facts as in JSON, in rows of one shape."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from handsel.kit.money import Money


def cells(found: dict[str, Any]) -> dict[str, Any]:
    """Write amounts as decimals, yes and no as words, and no text as a formula."""
    cells: dict[str, Any] = {}
    for name, value in found.items():
        if name.endswith("_minor"):
            plain = name.removesuffix("_minor")
            currency = found.get(f"{plain}_currency") or found["currency"]
            cells[plain] = decimal(value, currency)
        elif isinstance(value, bool):
            cells[name] = "yes" if value else "no"
        elif isinstance(value, str) and value.startswith(tuple("=+-@\t\r")):
            # A spreadsheet would take it for a formula.
            cells[name] = f"'{value}"
        else:
            cells[name] = value
    return cells


def decimal(minor: int | None, currency: str) -> str:
    """Write an amount as a spreadsheet reads it; nothing for None."""
    return "" if minor is None else Money(minor, currency).amount


def sheet(head: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """Set rows in the columns of `head`; what has no column is left out."""
    text = io.StringIO()
    writer = csv.DictWriter(text, head, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
