"""VAT numbers of the European Union, as people type them and as the register wants them.

Only what the number itself says is looked at: its form and its check digit. Whether
anybody has it is for the register to say.
"""

import re
import unicodedata
from dataclasses import dataclass

from handsel.kit.errors import BadInputError

_MOST = 40
"""Signs that anybody types; the longest number has fourteen, and words may be around it."""

# What a number of each state looks like; no check digit fits, so they are nobody's.
_EXAMPLES = {
    "AT": "ATU12345678",
    "BE": "BE0123456789",
    "BG": "BG123456789",
    "CY": "CY10345678X",
    "CZ": "CZ12345678",
    "DE": "DE123456789",
    "DK": "DK12345678",
    "EE": "EE101234567",
    "ES": "ESB12345678",
    "FI": "FI12345678",
    "FR": "FR12345678901",
    "GR": "EL123456789",
    "HR": "HR12345678901",
    "HU": "HU12345678",
    "IE": "IE1234567BA",
    "IT": "IT12345670158",
    "LT": "LT123456719",
    "LU": "LU12345678",
    "LV": "LV40123456789",
    "MT": "MT12345678",
    "NL": "NL123456789B01",
    "PL": "PL1234567890",
    "PT": "PT123456780",
    "RO": "RO12345678",
    "SE": "SE123456789101",
    "SI": "SI12345678",
    "SK": "SK2022345678",
}
_STATES = {example[:2]: state for state, example in _EXAMPLES.items()} | {"GR": "GR"}

_OUTSIDE = {
    "GB": "the United Kingdom",
    "UK": "the United Kingdom",
    "CH": "Switzerland",
    "NO": "Norway",
}
# One for who sells from outside, and one for who sends parcels from there.
_FOR_REPORTS = ("EU", "IM")
_NORTHERN_IRELAND = "XI"


@dataclass(frozen=True)
class VatNumber:
    """A number that could be somebody's: its form and its check digit are right.

    Args:
        country: the ISO code of the state that gave it; Monaco's are French.
        number: what follows the prefix, as the register wants it.
    """

    country: str
    number: str

    @property
    def prefix(self) -> str:
        """The two letters before it: the ISO code, but for Greece, which is `EL`."""
        return _EXAMPLES[self.country][:2]

    def __str__(self) -> str:
        """Give it as it is printed on invoices: `ATU13585627`; `read` reads it."""
        return self.prefix + self.number


def read(text: str, country: str = "") -> VatNumber:
    """Read a VAT number as a person types it, with spaces, dots or in small letters.

    Raises BadInputError (field `vat_id`) for what cannot be one, and for numbers from
    outside the EU: only with one of the EU's does the buyer owe the tax to their state.

    Args:
        country: the ISO code of the buyer's country; used only when the letters of the
            country are missing. The number may be of another country.
    """
    typed = _plain(text)
    state, number = _parted(typed, country)
    return VatNumber(state, _checked(state, number))


def _plain(text: str) -> str:
    """Leave what counts: digits of any script as 0 to 9, letters in capitals."""
    if not text.strip():
        raise _bad("There is no VAT number.", "Type it, or leave the field empty.")
    if len(text) > _MOST:
        raise _bad("That is too long for a VAT number.", "Type the number alone.")
    wide = unicodedata.normalize("NFKC", text)
    digits = (str(unicodedata.decimal(sign, sign)) for sign in wide)
    # Old Irish numbers have a plus or a star in them.
    return re.sub(r"[^\w+*]|_", "", "".join(digits)).upper()


def _parted(typed: str, country: str) -> tuple[str, str]:
    """Tell the state from the rest. Raises BadInputError for other countries."""
    letters, rest = typed[:2], typed[2:]
    if letters in _STATES:
        return _STATES[letters], rest
    home = "FR" if country == "MC" else country
    # A French number may itself begin with two letters.
    bare = home in _EXAMPLES and (not letters.isalpha() or home == "FR")
    if bare and letters not in (*_OUTSIDE, *_FOR_REPORTS, _NORTHERN_IRELAND):
        return home, typed
    raise _foreign(letters)


def _foreign(letters: str) -> BadInputError:
    if letters == _NORTHERN_IRELAND:
        return _bad(
            "A number that begins with XI, of Northern Ireland, counts for goods and not "
            "for downloads.",
            "Leave the field empty.",
        )
    if letters in _OUTSIDE:
        return _bad(
            f"That is a number of {_OUTSIDE[letters]}; here only those of the EU count.",
            "Leave the field empty.",
        )
    if letters in _FOR_REPORTS:
        return _bad(
            f"A number that begins with {letters} is for reporting sales, not for buying.",
            f"Type the one that your own country gave you, like {_EXAMPLES['AT']}.",
        )
    if len(letters) == 2 and letters.isalpha():
        return _bad(
            f"No country of the EU has VAT numbers that begin with {letters}.",
            "If yours is not of the EU, leave the field empty.",
        )
    return _bad(
        "The letters of the country are missing.",
        f"A VAT number begins with them, like {_EXAMPLES['AT']} or {_EXAMPLES['DE']}.",
    )


def _checked(state: str, number: str) -> str:
    """Give the number in full. Raises BadInputError for a wrong form or check digit."""
    # Few buyers have a number: the rest need not wait for the rules of all countries.
    from stdnum.exceptions import InvalidChecksum, ValidationError
    from stdnum.util import get_cc_module

    example = _EXAMPLES[state]
    whole = example[:2] + number
    rules = get_cc_module(state.lower(), "vat")
    assert rules, f"there are rules for the numbers of {state}"
    try:
        found = rules.validate(whole)
    except InvalidChecksum:
        raise _bad(
            f"“{whole}” has a slip in it: its digits do not fit together.",
            "Compare it with the letter of your tax office.",
        ) from None
    except ValidationError:
        raise _bad(
            f"“{whole}” does not look like a VAT number.",
            f"Those that begin with {example[:2]} look like {example}.",
        ) from None
    # Romania's come back with their letters.
    return number if found == whole else found


def _bad(message: str, hint: str) -> BadInputError:
    return BadInputError(message, hint, field="vat_id")
