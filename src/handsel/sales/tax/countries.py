"""The countries a buyer may say they are in, named and sorted as people there do."""

import unicodedata
from dataclasses import dataclass
from functools import cache

from babel.core import Locale

# What CLDR names beside the 249 of ISO 3166: islands and bases that belong to one of them,
# unions, and places for tests. Kosovo (XK) is no code of ISO's, and stays: people buy there.
_NO_COUNTRIES = {
    *("AC", "CP", "CQ", "DG", "EA", "IC", "TA"),
    *("EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"),
}


@dataclass(frozen=True)
class Country:
    """A country of ISO 3166. `name` is what people of a locale call it."""

    code: str
    name: str


@cache
def countries(locale: str) -> tuple[Country, ...]:
    """Give every country in the order of its name, accents apart, in one language.

    What the language has no name for, as small ones do, has its English name. Raises
    ValueError or UnknownLocaleError for a locale that `is_locale` does not know.
    """
    spoken, english = _names(locale), _names("en")
    found = [Country(code, spoken.get(code, english[code])) for code in english]
    return tuple(sorted(found, key=lambda each: (_sorted_as(each.name), each.code)))


def is_country(code: str) -> bool:
    """Say whether a code is one that a buyer can choose."""
    return any(each.code == code for each in countries("en"))


def name_of(code: str, locale: str) -> str:
    """Name a country in a language; a code that is none is given back."""
    return next((each.name for each in countries(locale) if each.code == code), code)


def _names(locale: str) -> dict[str, str]:
    named = Locale.parse(locale.replace("-", "_")).territories.items()
    # What has three signs is a continent.
    return {
        str(code): str(name)
        for code, name in named
        if len(str(code)) == 2 and code not in _NO_COUNTRIES
    }


def _sorted_as(name: str) -> str:
    """Leave out accents and capitals: Österreich stands among the O."""
    apart = unicodedata.normalize("NFKD", name)
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()
