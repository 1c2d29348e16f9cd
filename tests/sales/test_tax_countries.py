"""The list of countries a buyer chooses from: all of them, no others, in order."""

import pytest
from babel.core import UnknownLocaleError

from handsel.sales.tax import rates
from handsel.sales.tax.countries import Country, countries, is_country, name_of

# Outdated, reserved, or no country: nobody lives in them.
NONE = [
    *("EU", "UN", "ZZ", "EZ", "QO", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC"),
    *("TA", "UK", "EL", "XI", "SU", "YU", "AN", "DD", "001", "", "at"),
]


def names(locale: str) -> list[str]:
    return [country.name for country in countries(locale)]


def test_every_country_of_iso_and_kosovo_can_be_chosen() -> None:
    codes = {country.code for country in countries("en")}

    assert len(codes) == len(countries("en")) == 249 + 1
    assert rates.states() | {"GB", "CH", "US", "MC", "XK", "TW", "AX", "GP"} <= codes
    assert all(is_country(code) for code in codes)


@pytest.mark.parametrize("code", NONE)
def test_what_is_no_country_cannot(code: str) -> None:
    assert not is_country(code)


@pytest.mark.parametrize(
    ("locale", "name"),
    [("en", "Austria"), ("de", "Österreich"), ("fr", "Autriche"), ("el", "Αυστρία")],
)
def test_countries_have_their_names_in_the_language_of_the_shop(
    locale: str, name: str
) -> None:
    assert Country("AT", name) in countries(locale)
    assert name_of("AT", locale) == name


def test_accents_and_capitals_do_not_change_the_order() -> None:
    german = names("de")

    assert german.index("Oman") < german.index("Österreich") < german.index("Pakistan")
    assert german[:2] == ["Afghanistan", "Ägypten"]
    assert names("en")[:3] == ["Afghanistan", "Åland Islands", "Albania"]
    assert names("pt-BR")[0] == "Afeganistão"


@pytest.mark.parametrize("locale", ["de", "zh-Hant-HK", "ln", "co", "lrc", "iu_Latn"])
def test_no_language_lacks_a_country(locale: str) -> None:
    assert len(countries(locale)) == 250
    assert all(names(locale))


def test_a_code_that_is_none_is_given_back() -> None:
    assert name_of("QQ", "en") == "QQ"


def test_a_language_that_nobody_speaks_is_a_mistake() -> None:
    with pytest.raises(UnknownLocaleError):
        countries("qq")
