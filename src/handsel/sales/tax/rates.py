"""What VAT the states of the European Union take on downloads, on any day since 2024.

The rates stand in `eu.toml`, each with its date and its source. A sum like the others:
no database, no clock.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from handsel.models.words import TaxClass

BEGINNING = date(2024, 1, 1)
"""The first day of which the table knows everything."""

GOOD_FOR = timedelta(days=365)
"""How long a look at the sources is good for; some state changes a rate every year."""

# Monaco is France here (VAT Directive, article 7); its companies have French numbers.
# Northern Ireland counts as the United Kingdom for services, and so do downloads. What
# belongs to a state and not to its VAT has a code of its own (AX, GP, MQ, RE, GF, YT, GL,
# FO and more) and is not in the table, or has none (Ceuta, Livigno, Mount Athos).
_COUNTED_AS = {"MC": "FR"}


@dataclass(frozen=True)
class Rate:
    """A part of the price, in basis points: 2550 is 25.5 %.

    Args:
        country: the state that gets the tax.
        kind: STANDARD where the state has no other rate for what was asked.
        since: the first day of this rate.
        source: where it was read.
    """

    country: str
    kind: TaxClass
    basis_points: int
    since: date
    source: str


@dataclass(frozen=True)
class _Row:
    rate: Rate
    checked: date


def rate(country: str, kind: TaxClass, on: date) -> Rate:
    """Give the rate at which something of a kind is taxed in a country on a day.

    Raises ValueError for a country that is not in the EU's VAT territory (ask `covers`
    first), and a day before 2024.

    Args:
        country: an ISO code; Monaco is taxed as France.
    """
    if not covers(country):
        raise ValueError(f"{country!r} is not in the VAT territory of the EU")
    if on < BEGINNING:
        raise ValueError(f"the table of rates begins on {BEGINNING}, not by {on}")
    rows = _table()[state(country)]
    known = [row.rate for row in rows if row.rate.since <= on]
    return _last(known, kind) or _known(_last(known, TaxClass.STANDARD))


def state(country: str) -> str:
    """Give the state whose VAT a country has: Monaco's is France's, others' their own."""
    return _COUNTED_AS.get(country, country)


def covers(country: str) -> bool:
    """Say whether a country, by its ISO code, is in the EU's VAT territory."""
    return state(country) in _table()


def states() -> frozenset[str]:
    """Name the member states by their ISO codes."""
    return frozenset(_table())


def last_checked() -> date:
    """Say when every rate had been compared with its source: the day of the oldest look."""
    return min(row.checked for rows in _table().values() for row in rows)


def is_stale(on: date) -> bool:
    """Say whether the rates may have changed since somebody looked."""
    return on - last_checked() > GOOD_FOR


def _last(rates: list[Rate], kind: TaxClass) -> Rate | None:
    return max(
        (each for each in rates if each.kind == kind),
        key=lambda each: each.since,
        default=None,
    )


def _known(found: Rate | None) -> Rate:
    assert found, "every state has a standard rate on every day since the beginning"
    return found


@cache
def _table() -> dict[str, list[_Row]]:
    text = files("handsel.sales.tax").joinpath("eu.toml").read_text("utf-8")
    return {
        country: list(_rows(country, kinds))
        for country, kinds in tomllib.loads(text).items()
    }


def _rows(country: str, kinds: dict[str, list[dict[str, Any]]]) -> Iterator[_Row]:
    for kind, rows in kinds.items():
        for row in rows:
            found = Rate(
                country,
                TaxClass(kind),
                row["basis_points"],
                row["since"],
                row["source"],
            )
            yield _Row(found, row["checked"])
