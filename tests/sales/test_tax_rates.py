"""What VAT is taken where: the table is whole, in order, and says what the laws say."""

import re
import tomllib
from dataclasses import FrozenInstanceError
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.models.words import TaxClass
from handsel.sales.tax import rates
from handsel.sales.tax.rates import BEGINNING, covers, rate

STATES = {
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU"),
    *(
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
    ),
}
OUTSIDE = [
    # Parts of states that are not in the Union's VAT.
    *("AX", "GP", "MQ", "RE", "GF", "YT", "PM", "BL", "MF", "NC", "PF", "GL", "FO"),
    *("IC", "EA", "AW", "CW", "BQ", "SX"),
    # Neighbours, and what is no country by ISO's word.
    *("GB", "GG", "JE", "IM", "GI", "CH", "NO", "LI", "IS", "SM", "VA", "AD", "US"),
    *("XI", "EL", "EU", "", "at", "Austria"),
]
KINDS = tuple(TaxClass)
TODAY = date(2026, 11, 26)
days = st.dates(BEGINNING, date(2030, 12, 31))


def table() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Read the file as a person would, without the code that is tested."""
    text = files("handsel.sales.tax").joinpath("eu.toml").read_text("utf-8")
    return tomllib.loads(text)


def taken(country: str, kind: TaxClass, day: str = "2026-11-26") -> int:
    """Give the basis points of a day."""
    return rate(country, kind, date.fromisoformat(day)).basis_points


def test_the_table_has_the_states_of_the_union_and_nothing_else() -> None:
    assert set(table()) == rates.states() == STATES
    assert len(STATES) == 27


def test_every_row_has_its_five_parts_and_no_float_is_among_them() -> None:
    for country, kinds in table().items():
        assert set(kinds) <= set(KINDS), country
        for kind, rows in kinds.items():
            for row in rows:
                where = f"{country} {kind} {row.get('since')}"
                found = {name: type(value) for name, value in row.items()}
                assert found == {
                    "since": date,
                    "basis_points": int,
                    "source": str,
                    "checked": date,
                }, where
                assert row["source"].strip(), where
                assert 0 <= row["basis_points"] <= 2700, where
                assert row["since"] <= row["checked"] + timedelta(days=730), where


def test_a_standard_rate_is_never_below_what_the_directive_allows() -> None:
    for country, kinds in table().items():
        assert all(row["basis_points"] >= 1500 for row in kinds["standard"]), country


def test_rows_stand_in_the_order_of_their_dates() -> None:
    for country, kinds in table().items():
        for kind, rows in kinds.items():
            dates = [row["since"] for row in rows]
            assert dates == sorted(set(dates)), f"{country} {kind}"


def test_states_stand_in_the_order_of_the_alphabet() -> None:
    assert list(table()) == sorted(table())


def test_every_state_has_a_standard_rate_on_the_first_day_and_so_on_every_day() -> None:
    for country, kinds in table().items():
        assert kinds["standard"][0]["since"] <= BEGINNING, country


@given(st.sampled_from(sorted(STATES)), st.sampled_from(KINDS), days)
def test_on_every_day_there_is_one_rate_that_has_begun(
    country: str, kind: TaxClass, on: date
) -> None:
    found = rate(country, kind, on)

    assert found.country == country
    assert found.since <= on
    assert type(found.basis_points) is int
    # Nobody takes more for a book than for anything else.
    assert found.basis_points <= rate(country, TaxClass.STANDARD, on).basis_points


@pytest.mark.parametrize(
    ("country", "basis_points"),
    [
        *[("AT", 2000), ("BE", 2100), ("BG", 2000), ("HR", 2500), ("CY", 1900)],
        *[("CZ", 2100), ("DK", 2500), ("EE", 2400), ("FI", 2550), ("FR", 2000)],
        *[("DE", 1900), ("GR", 2400), ("HU", 2700), ("IE", 2300), ("IT", 2200)],
        *[("LV", 2100), ("LT", 2100), ("LU", 1700), ("MT", 1800), ("NL", 2100)],
        *[("PL", 2300), ("PT", 2300), ("RO", 2100), ("SK", 2300), ("SI", 2200)],
        *[("ES", 2100), ("SE", 2500), ("MC", 2000)],
    ],
)
def test_the_standard_rates_of_today(country: str, basis_points: int) -> None:
    assert taken(country, TaxClass.STANDARD) == basis_points


@pytest.mark.parametrize(
    ("country", "basis_points"),
    [
        *[("AT", 1000), ("BE", 600), ("BG", 900), ("HR", 500), ("CY", 300)],
        *[("CZ", 0), ("DK", 2500), ("EE", 900), ("FI", 1350), ("FR", 550)],
        *[("DE", 700), ("GR", 600), ("HU", 2700), ("IE", 0), ("IT", 400)],
        *[("LV", 500), ("LT", 500), ("LU", 300), ("MT", 500), ("NL", 900)],
        *[("PL", 500), ("PT", 600), ("RO", 1100), ("SK", 500), ("SI", 500)],
        *[("ES", 400), ("SE", 600), ("MC", 550)],
    ],
)
def test_the_rates_of_e_books_today(country: str, basis_points: int) -> None:
    assert taken(country, TaxClass.EBOOK) == basis_points


@pytest.mark.parametrize(
    ("country", "kind", "first_day", "before", "after"),
    [
        ("EE", "standard", "2025-07-01", 2200, 2400),
        ("FI", "standard", "2024-09-01", 2400, 2550),
        ("FI", "ebook", "2025-01-01", 1000, 1400),
        ("FI", "ebook", "2026-01-01", 1400, 1350),
        ("LT", "ebook", "2026-01-01", 900, 500),
        ("RO", "standard", "2025-08-01", 1900, 2100),
        ("RO", "ebook", "2025-08-01", 500, 1100),
        ("SK", "standard", "2025-01-01", 2000, 2300),
        ("SK", "ebook", "2025-01-01", 2000, 500),
        ("LV", "ebook", "2026-01-01", 500, 500),
    ],
)
def test_a_rate_changes_on_its_day_and_not_before(
    country: str, kind: TaxClass, first_day: str, before: int, after: int
) -> None:
    day = date.fromisoformat(first_day)

    assert rate(country, kind, day - timedelta(days=1)).basis_points == before
    assert rate(country, kind, day).basis_points == after
    assert rate(country, kind, day).since == day


@pytest.mark.parametrize(
    ("country", "kind"), [("DK", "ebook"), ("HU", "ebook"), ("PL", "audiobook")]
)
def test_what_has_no_row_is_taxed_at_the_standard_rate_and_says_so(
    country: str, kind: TaxClass
) -> None:
    assert rate(country, kind, TODAY) == rate(country, TaxClass.STANDARD, TODAY)
    assert rate(country, kind, TODAY).kind == "standard"


def test_monaco_pays_to_france() -> None:
    assert covers("MC")
    assert rate("MC", TaxClass.EBOOK, TODAY) == rate("FR", TaxClass.EBOOK, TODAY)
    assert rate("MC", TaxClass.EBOOK, TODAY).country == "FR"


@pytest.mark.parametrize("country", OUTSIDE)
def test_other_places_are_not_in_the_table(country: str) -> None:
    assert not covers(country)
    with pytest.raises(ValueError, match=f"^{re.escape(repr(country))} is not in"):
        rate(country, TaxClass.STANDARD, TODAY)


def test_the_states_are_covered_by_their_iso_codes() -> None:
    assert all(covers(country) for country in STATES)


def test_a_day_before_the_table_and_an_unknown_kind_are_mistakes() -> None:
    with pytest.raises(ValueError, match="begins on 2024-01-01, not by 2023-12-31"):
        rate("DE", TaxClass.STANDARD, BEGINNING - timedelta(days=1))


def test_the_table_is_stale_a_year_after_the_last_look_at_every_row() -> None:
    looked = rates.last_checked()

    oldest = min(
        row["checked"]
        for kinds in table().values()
        for rows in kinds.values()
        for row in rows
    )
    assert looked == oldest
    assert not rates.is_stale(looked + timedelta(days=365))
    assert rates.is_stale(looked + timedelta(days=366))


def test_a_rate_cannot_be_changed_by_who_got_it() -> None:
    found: Any = rate("DE", TaxClass.EBOOK, TODAY)

    with pytest.raises(FrozenInstanceError):
        found.basis_points = 0
