"""Which country an address is in, by a database in MaxMind's format."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from handsel.analytics import countries
from handsel.kit.errors import ConfigurationError
from handsel.models.words import EventKind
from handsel.shop import Shop
from tests import make
from tests.stories.buyers import with_settings
from tests.stories.visiting import Reader, rows, seen


def _packed(value: Any) -> bytes:
    """Write a value as the format wants it: https://maxmind.github.io/MaxMind-DB/."""
    if isinstance(value, dict):
        inside = b"".join(_packed(k) + _packed(v) for k, v in value.items())
        return bytes([7 << 5 | len(value)]) + inside
    if isinstance(value, str):
        return bytes([2 << 5 | len(value)]) + value.encode()
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(_packed, value))
    assert isinstance(value, int)
    return bytes([6 << 5 | 4]) + value.to_bytes(4)


def database(network: str, record: Any) -> bytes:
    """A database that knows one network of IPv4."""
    known = ip_network(network)
    bits = f"{int(known.network_address):032b}"[: known.prefixlen]
    nodes = len(bits)
    tree = b""
    for place, bit in enumerate(bits, 1):
        leads = place if place < nodes else nodes + 16
        pair = (leads, nodes) if bit == "0" else (nodes, leads)
        tree += b"".join(each.to_bytes(3) for each in pair)
    facts = {
        "node_count": nodes,
        "record_size": 24,
        "ip_version": 4,
        "database_type": "Country",
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_700_000_000,
        "description": {"en": "test"},
    }
    end = b"\xab\xcd\xefMaxMind.com" + _packed(facts)
    return tree + bytes(16) + _packed(record) + end


AUSTRIA = {"country": {"iso_code": "AT"}}


def test_an_address_of_a_known_network_has_a_country(tmp_path: Path) -> None:
    path = tmp_path / "countries.mmdb"
    path.write_bytes(database("203.0.113.0/24", AUSTRIA))
    look_up = countries.open_database(path)

    told = [
        look_up(each) for each in ("203.0.113.7", "198.51.100.1", "2001:db8::1", "")
    ]
    assert told == ["AT", "", "", ""]


def test_a_database_that_is_renewed_in_its_place_takes_nobody_along(
    tmp_path: Path,
) -> None:
    path = tmp_path / "countries.mmdb"
    path.write_bytes(database("203.0.113.0/24", AUSTRIA))
    look_up = countries.open_database(path)
    path.write_bytes(b"")

    assert look_up("203.0.113.7") == "AT"


@pytest.mark.parametrize(
    "record",
    ["AT", {"country": "AT"}, {"country": {"iso_code": "Austria"}}, {"x": "y"}],
)
def test_what_is_no_country_is_none(tmp_path: Path, record: Any) -> None:
    path = tmp_path / "countries.mmdb"
    path.write_bytes(database("203.0.113.0/24", record))

    assert countries.open_database(path)("203.0.113.7") == ""


@pytest.mark.parametrize("content", [None, b"", b"no such thing" * 100])
def test_what_is_no_database_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "countries.mmdb"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match="cannot be read") as told:
        countries.open_database(path)
    assert ".mmdb" in told.value.hint


def test_a_visit_has_the_country_of_its_address_unless_something_in_front_knows(
    shop: Shop,
) -> None:
    make.product(shop)
    (shop.home / "countries.mmdb").write_bytes(database("203.0.113.0/24", AUSTRIA))
    changed = with_settings(shop, "analytics", country_database="countries.mmdb")
    changed = with_settings(changed, "server", country_header="CF-IPCountry")
    reader = Reader(changed)
    reader.get("/p/book")
    reader.get("/p/book", headers={"CF-IPCountry": "FR"})
    seen(reader)
    reader.close()

    assert [(each.kind, each.country) for each in rows(shop)] == [
        (EventKind.VIEWED, "AT"),
        (EventKind.VIEWED, "FR"),
    ]
