"""VAT numbers as people type them: read when they can be one, else refused in words."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import BadInputError
from handsel.sales.tax import numbers, rates
from handsel.sales.tax.numbers import VatNumber, read

# One of each state, as companies print them.
REAL = [
    *("ATU13585627", "BE0697449992", "BG175074752", "CY10259033P", "CZ25123891"),
    *("DE136695976", "DK13585628", "EE100931558", "EL094259216", "ESB58378431"),
    *("FI20774740", "FR61954506077", "HR33392005961", "HU12892312", "IE6433435F"),
    *("IT00743110157", "LT119511515", "LU15027442", "LV40003521600", "MT11679112"),
    *("NL004495445B01", "PL8567346215", "PT501964843", "RO18547290", "SE556188840401"),
    *("SI50223054", "SK2022749619"),
]


_STATES = sorted(rates.states())


def refusal(text: str, country: str = "") -> BadInputError:
    """Give what is said of a number that is not taken."""
    with pytest.raises(BadInputError) as caught:
        read(text, country)
    assert caught.value.field == "vat_id"
    assert caught.value.hint.endswith(".")
    return caught.value


@pytest.mark.parametrize("printed", REAL)
def test_a_number_of_each_state_is_read_and_printed_as_it_is(printed: str) -> None:
    found = read(printed)

    assert str(found) == printed
    assert found.prefix == printed[:2]
    assert found.number == printed[2:]
    assert rates.covers(found.country)


def test_the_numbers_above_are_of_all_states() -> None:
    assert {read(printed).country for printed in REAL} == rates.states()


@pytest.mark.parametrize("printed", REAL)
def test_the_letters_may_be_missing_where_the_country_is_known(printed: str) -> None:
    whole = read(printed)

    assert read(whole.number, whole.country) == whole


@pytest.mark.parametrize(
    "typed",
    [
        "atu13585627",
        " ATU 135 856 27 ",
        "ATU-135.856.27",
        "ATU\N{NO-BREAK SPACE}13585627",
        "AT/U/13585627\t",
        "ATU\N{EN DASH}13585627",
        "ＡＴＵ１３５８５６２７",
        "ATU١٣٥٨٥٦٢٧",
        "ATU13585627\N{ZERO WIDTH SPACE}",
    ],
)
def test_spaces_dots_small_letters_and_wide_digits_do_not_matter(typed: str) -> None:
    assert read(typed) == VatNumber("AT", "U13585627")


def test_greece_has_letters_of_its_own_and_its_iso_code_is_taken_too() -> None:
    greek = VatNumber("GR", "094259216")

    assert read("EL094259216") == read("GR 094259216") == greek
    assert read("094259216", "GR") == greek
    assert (greek.prefix, str(greek)) == ("EL", "EL094259216")


def test_a_belgian_number_of_old_gets_its_nought() -> None:
    assert str(read("BE 697.449.992")) == "BE0697449992"


def test_a_company_in_monaco_has_a_french_number() -> None:
    french = read("61 954 506 077", "MC")

    assert french == read("FR61954506077")
    assert french.country == "FR"


@pytest.mark.parametrize("number", ["K7399859412", "4Z123456782"])
def test_a_french_number_may_have_letters(number: str) -> None:
    assert str(read(number, "FR")) == f"FR{number}" == str(read(f"FR{number}"))


@pytest.mark.parametrize("letters", ["FR", "AB"])
def test_a_french_number_that_begins_with_two_letters_keeps_them(letters: str) -> None:
    every = [f"{letters}{digits:09}" for digits in range(11)]
    fitting = [number for number in every if _is_taken(f"FR{number}")]

    assert [read(f"FR{number}").number for number in fitting] == fitting != []


def test_a_french_number_that_begins_with_two_letters_needs_no_more_in_france() -> None:
    fitting = next(
        number
        for number in (f"AB{digits:09}" for digits in range(11))
        if _is_taken(f"FR{number}")
    )

    assert read(fitting, "FR") == read(f"FR{fitting}")


def _is_taken(text: str) -> bool:
    try:
        read(text)
    except BadInputError:
        return False
    return True


def test_the_letters_that_are_typed_count_more_than_the_country() -> None:
    assert read("DE136695976", "AT").country == "DE"


@pytest.mark.parametrize(
    ("typed", "whole"),
    [("ATU13585628", "ATU13585628"), ("de 136 695 967", "DE136695967")],
)
def test_a_slip_of_the_finger_is_called_one(typed: str, whole: str) -> None:
    said = refusal(typed)

    assert said.message.startswith(f"“{whole}” has a slip in it")
    assert "Compare" in said.hint


@pytest.mark.parametrize("state", sorted(rates.states()))
def test_a_wrong_form_shows_how_numbers_of_that_state_look(state: str) -> None:
    prefix = "EL" if state == "GR" else state
    said = refusal(f"{prefix}1")

    assert said.message == f"“{prefix}1” does not look like a VAT number."
    example = said.hint.split()[-1].rstrip(".")
    assert said.hint == f"Those that begin with {prefix} look like {example}."
    # The example has the right form, and belongs to nobody.
    assert "has a slip" in refusal(example).message


@pytest.mark.parametrize(
    ("typed", "country", "says"),
    [
        ("GB 980 7806 84", "", "of the United Kingdom"),
        ("UK980780684", "GB", "of the United Kingdom"),
        ("CHE-116.281.710 MWST", "CH", "of Switzerland"),
        ("NO 923 609 016 MVA", "NO", "of Norway"),
        ("XI432525179", "GB", "Northern Ireland, counts for goods"),
        ("XI432525179", "FR", "Northern Ireland, counts for goods"),
        ("EU826010755", "", "for reporting sales"),
        ("IM3720000224", "IE", "for reporting sales"),
        ("US123456789", "US", "begin with US"),
        ("MC12345678901", "", "begin with MC"),
        ("VAT no. 13585627", "AT", "begin with VA"),
    ],
)
def test_numbers_from_elsewhere_are_refused_with_the_reason(
    typed: str, country: str, says: str
) -> None:
    assert says in refusal(typed, country).message


@pytest.mark.parametrize("country", ["", "US", "GB", "XX"])
def test_without_its_letters_and_without_a_country_of_the_eu_it_could_be_anything(
    country: str,
) -> None:
    assert refusal("13585627", country).message == (
        "The letters of the country are missing."
    )


def test_nothing_and_far_too_much_are_no_number() -> None:
    assert refusal(" ").message == "There is no VAT number."
    assert refusal("ATU" + "1" * 40).message == "That is too long for a VAT number."


@given(st.text(max_size=45), st.sampled_from(["", "MC", "US", *_STATES]))
def test_whatever_is_typed_it_is_a_number_or_refused_in_words(
    text: str, country: str
) -> None:
    _read_or_refuse(text, country)


@given(
    st.sampled_from([*_STATES, "EL", "XI", "GB"]),
    st.text("0123456789ABFRUWX+*", max_size=14),
)
def test_what_looks_much_like_a_number_is_one_or_refused_in_words(
    prefix: str, rest: str
) -> None:
    _read_or_refuse(prefix + rest, "")


def _read_or_refuse(text: str, country: str) -> None:
    """Fail on every other end than these two."""
    try:
        found = read(text, country)
    except BadInputError:
        return
    assert read(str(found)) == found


def test_the_rules_of_all_countries_are_read_in_with_the_first_number_only() -> None:
    asked = "import sys, handsel.sales.tax.numbers; print('stdnum' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
    assert numbers.read(REAL[0])
