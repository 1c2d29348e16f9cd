"""Which country an address is in, by a database of the seller's own."""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from handsel.kit.errors import ConfigurationError

LookUp = Callable[[str], str]
"""Gives the two letters of an address's country (ISO 3166-1), or nothing."""


def nowhere(address: str) -> str:
    """Know the country of no address."""
    return ""


def open_database(path: Path) -> LookUp:
    """Open a database in MaxMind's format, as DB-IP and MaxMind give them away.

    Raises ConfigurationError when it cannot be read. The format:
    https://maxmind.github.io/MaxMind-DB/
    """
    try:
        import maxminddb
    except ImportError as error:
        raise ConfigurationError(
            "analytics.country_database needs one package more.",
            'Run: pip install "handsel[country]"',
        ) from error
    try:
        # In memory: a file that is renewed in its place must not take us along.
        reader = maxminddb.open_database(str(path), maxminddb.MODE_MEMORY)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise ConfigurationError(
            f"analytics.country_database: {path} cannot be read: {error}.",
            "It should be a file that ends in .mmdb, of countries or cities.",
        ) from error

    @lru_cache(maxsize=5000)
    def look_up(address: str) -> str:
        try:
            return _code(reader.get(address))
        except (ValueError, maxminddb.InvalidDatabaseError):
            return ""  # no address; one of IPv6 in a database without; a broken one

    return look_up


def _code(record: Any) -> str:
    country = record.get("country") if isinstance(record, dict) else None
    code = country.get("iso_code") if isinstance(country, dict) else None
    return code if isinstance(code, str) and re.fullmatch("[A-Z]{2}", code) else ""
