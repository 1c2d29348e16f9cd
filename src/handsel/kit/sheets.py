"""Answers in CSV, for spreadsheets: the same facts as in JSON, in rows of one shape."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from handsel.kit.money import Money

_FORMULA = tuple("=+-@\t\r\n")
"""What a cell begins with that a spreadsheet takes for a formula."""


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
        elif isinstance(value, str):
            cells[name] = plain_text(value)
        else:
            cells[name] = value
    return cells


def plain_text(text: str) -> str:
    """Keep a spreadsheet from taking text for a formula: it begins with a mark then.

    Some programs also take the wide forms of Chinese and Japanese keyboards.
    """
    # The first letter alone: to look through a long text would not be cheap.
    first = unicodedata.normalize("NFKC", text[:1])
    return f"'{text}" if first.startswith(_FORMULA) else text


def decimal(minor: int | None, currency: str) -> str:
    """Write an amount as a spreadsheet reads it; nothing for None."""
    return "" if minor is None else Money(minor, currency).amount


def sheet(head: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """Set rows in the columns of `head`; what has no column is left out."""
    return "".join(lines(head, rows))


def lines(head: Sequence[str], rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The same, line by line, for as many rows as there are."""
    text = io.StringIO()
    writer = csv.DictWriter(text, head, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        yield _taken(text)
        writer.writerow(row)
    yield _taken(text)


def _taken(text: io.StringIO) -> str:
    """Take out what was written, so that the next line finds an empty sheet."""
    written = text.getvalue()
    text.seek(0)
    text.truncate()
    return written
