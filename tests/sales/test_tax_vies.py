"""The EU's register says yes or no; whatever else it says, nobody is called a liar."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from handsel.sales.tax.numbers import read
from handsel.sales.tax.vies import LARGEST, Checked, Register, RegisterUnavailableError
from tests.providers.fake_vies import AWAY, FakeVies, wrapped

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ADA = read("ATU13585627")
GREEK = read("EL094259216")
SELLER = read("DE136695976")
NOBODY = read("FI20774740")


@pytest.fixture
def vies() -> Iterator[FakeVies]:
    with FakeVies() as fake:
        fake.companies |= {str(ADA): "Ada Books GmbH", str(GREEK): "Βιβλία ΑΕ"}
        fake.companies[str(SELLER)] = "---"
        yield fake


@pytest.fixture
def register(vies: FakeVies) -> Register:
    return Register(vies.base_url, SELLER)


def reason(register: Register) -> str:
    """Give why the register does not say yes or no, which has to be the case."""
    with pytest.raises(RegisterUnavailableError) as caught:
        register.check(ADA, NOW)
    return caught.value.reason


def test_a_company_has_its_number_and_the_question_is_proved(
    vies: FakeVies, register: Register
) -> None:
    found = register.check(ADA, NOW)

    assert found == Checked(True, NOW, "WAPIAAAAY1234567", "Ada Books GmbH")
    assert vies.asked == [
        {
            "countryCode": "AT",
            "vatNumber": "U13585627",
            "requesterMemberStateCode": "DE",
            "requesterNumber": "136695976",
        }
    ]


def test_a_number_that_nobody_has_is_a_no(register: Register) -> None:
    assert register.check(NOBODY, NOW) == Checked(False, NOW, "", "")


def test_greece_is_asked_for_by_its_own_letters(
    vies: FakeVies, register: Register
) -> None:
    assert register.check(GREEK, NOW).name == "Βιβλία ΑΕ"
    assert Register(vies.base_url, GREEK).check(ADA, NOW).valid
    assert vies.asked[0]["countryCode"] == "EL"
    assert vies.asked[1]["requesterMemberStateCode"] == "EL"


def test_states_that_keep_names_secret_give_none(register: Register) -> None:
    assert register.check(SELLER, NOW) == Checked(True, NOW, "WAPIAAAAY1234567", "")


def test_without_a_number_of_the_seller_there_is_an_answer_and_no_proof(
    vies: FakeVies,
) -> None:
    found = Register(vies.base_url + "/").check(ADA, NOW)

    assert found == Checked(True, NOW, "", "Ada Books GmbH")
    assert vies.asked == [{"countryCode": "AT", "vatNumber": "U13585627"}]


@pytest.mark.parametrize("word", AWAY)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_state_that_is_away_has_not_said_no(
    vies: FakeVies, register: Register, word: str, status: int
) -> None:
    vies.say_next(wrapped(word), status)

    assert reason(register) == word


@pytest.mark.parametrize("word", [*AWAY, "SOMETHING_NEW"])
@pytest.mark.parametrize("valid", [True, False])
def test_an_error_beside_a_verdict_counts_more_than_the_verdict(
    vies: FakeVies, register: Register, word: str, valid: bool
) -> None:
    vies.say_next({"valid": valid, "userError": word, "name": "---"})

    assert reason(register) == word


@pytest.mark.parametrize(
    ("valid", "word"), [(True, "VALID"), (True, ""), (False, "INVALID"), (False, None)]
)
def test_what_is_said_beside_a_real_verdict_is_no_error(
    vies: FakeVies, register: Register, valid: bool, word: str | None
) -> None:
    vies.say_next({"valid": valid, "userError": word})

    assert register.check(ADA, NOW) == Checked(valid, NOW, "", "")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"valid": None},
        {"valid": "true"},
        {"valid": 1},
        {"isValid": True},
        {"valid": True, "userError": "INVALID"},
        {"valid": False, "userError": "VALID"},
        {"valid": True, "userError": 7},
        {"valid": True, "userError": ["VALID"]},
        {"valid": True, "actionSucceed": False},
        {"valid": True, "errorWrappers": [{"error": 3}, "x"]},
        {"valid": False, "errorWrappers": "x"},
    ],
)
def test_half_an_answer_is_none(
    vies: FakeVies, register: Register, said: dict[str, Any]
) -> None:
    vies.say_next(said)

    assert reason(register) in ("NO_VERDICT", "INVALID", "VALID")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Under maintenance</html>",
        b"[true]",
        b'"yes"',
        b'{"valid": true',
        b'{"valid": false, "valid": true}',
        b'{"valid": true, "name": "\xff"}',
        b"[" * 50_000,
    ],
)
def test_what_is_no_object_is_no_answer(
    vies: FakeVies, register: Register, body: bytes
) -> None:
    vies.answer_next(body)

    assert reason(register) == "UNREADABLE"


@pytest.mark.parametrize("status", [204, 301, 400, 403, 404, 429, 500, 503])
def test_another_status_is_no_answer_even_with_a_yes(
    vies: FakeVies, register: Register, status: int
) -> None:
    vies.say_next({"valid": True}, status)

    assert reason(register) == f"HTTP {status}"


def test_nobody_is_followed_elsewhere(vies: FakeVies, register: Register) -> None:
    vies.answer_next(b"", 307, {"Location": vies.base_url + "/check-vat-number"})

    assert reason(register) == "HTTP 307"
    assert vies.asked == []


def test_an_answer_without_an_end_is_not_read_to_the_end(
    vies: FakeVies, register: Register
) -> None:
    padded = {"valid": True, "address": "x" * LARGEST}
    vies.say_next(padded)

    assert reason(register) == "TOO_LARGE"


def test_who_keeps_us_waiting_is_left(
    vies: FakeVies, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handsel.sales.tax.vies.TIMEOUT", (0.2, 0.2))
    vies.hang()

    assert reason(register) == "ReadTimeout"


def test_who_is_not_there_does_not_answer(vies: FakeVies, register: Register) -> None:
    vies.stop()

    assert reason(register) == "ConnectionError"


def test_what_it_says_can_be_stored_and_shown(
    vies: FakeVies, register: Register
) -> None:
    said = {
        "valid": True,
        "name": "  Ada\n\x00Books\N{RIGHT-TO-LEFT OVERRIDE}  " + "x" * 500,
        "requestIdentifier": ["WAPI"],
    }
    vies.answer_next(json.dumps(said).encode())
    found = register.check(ADA, NOW)

    assert found.name.startswith("Ada Books x")
    assert len(found.name) == 200
    assert found.consultation == ""


def test_a_buyer_reads_what_to_do(vies: FakeVies, register: Register) -> None:
    vies.say_next(wrapped("MS_UNAVAILABLE"))
    with pytest.raises(RegisterUnavailableError) as caught:
        register.check(ADA, NOW)

    assert caught.value.status == 503
    assert "MS_UNAVAILABLE" not in str(caught.value)
    assert "buy without the number" in caught.value.hint
