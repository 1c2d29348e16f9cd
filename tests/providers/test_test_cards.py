"""What people type on the test payment page, and what they read when it is no use."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import BadInputError
from handsel.models.words import PaymentState
from handsel.sales.payments.testcards import (
    TEST_CARDS,
    card_ending,
    passes_luhn,
    read_card,
)
from tests.providers import suite
from tests.providers.pretend import GOOD, NOW, Bank


@pytest.fixture
def driver(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


class TestTyping:
    """What people type, and what they read when it cannot be used."""

    @pytest.mark.parametrize(
        "number",
        [
            "4242424242424242",
            " 4242 4242 4242 4242 ",
            "4242-4242-4242-4242",
            "4242\u20134242\u20144242\u20104242",
            "4242\u00a04242\u202f4242\u20074242",
            "\u200e4242 4242 4242 4242\u200f",
            "\uff14\uff12\uff14\uff12 4242 4242 4242",
            "\u0664\u0662\u0664\u0662 \u0664\u0662\u0664\u0662 4242 4242",
            "\u06f4\u06f2\u06f4\u06f2 \u096a\u0968\u096a\u0968 4242 4242",
        ],
    )
    def test_a_number_may_be_typed_in_many_ways(self, number: str) -> None:
        assert read_card(number, "12/34", "123", NOW).last4 == "4242"

    @pytest.mark.parametrize(
        "expiry",
        [
            "12/34",
            "1234",
            "12 / 2034",
            "122034",
            "12-34",
            "12 34",
            "12.34",
            " 12/34 ",
            "1/34",
            "11/26",
            "\uff11\uff12\uff0f\uff13\uff14",
            "\u0661\u0662/\u0663\u0664",
        ],
    )
    def test_an_expiry_may_be_typed_in_many_ways(self, expiry: str) -> None:
        assert read_card(GOOD, expiry, "123", NOW).last4 == "4242"

    def test_a_card_is_good_until_the_end_of_its_month(self) -> None:
        last = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
        assert read_card(GOOD, "11/26", "123", last)
        with pytest.raises(BadInputError, match="past"):
            read_card(GOOD, "11/26", "123", last + timedelta(seconds=1))

    @pytest.mark.parametrize("cvc", ["123", "0000", " 123 ", "\u0661\u0662\u0663"])
    def test_any_security_code_of_the_right_length_will_do(self, cvc: str) -> None:
        assert read_card(GOOD, "12/34", cvc, NOW)

    @pytest.mark.parametrize(
        ("field", "typed", "message"),
        [
            ("email", "", "address"),
            ("email", "ada.example.org", "address"),
            ("number", "", "missing"),
            ("number", "4242 4242 4242", "whole"),
            ("number", "4242", "whole"),
            ("number", "4242 4242 4242 424x", "whole"),
            ("number", "4" * 20, "whole"),
            ("number", "\u00b2" * 16, "slip"),
            ("number", "4242 4242 4242 4243", "slip"),
            ("number", "5555 5555 5555 4444", "test shop"),
            ("expiry", "", "missing"),
            ("expiry", "soon", "not an expiry"),
            ("expiry", "13/34", "not an expiry"),
            ("expiry", "00/34", "not an expiry"),
            ("expiry", "134", "not an expiry"),
            ("expiry", "12/034", "not an expiry"),
            ("expiry", "10/26", "past"),
            ("expiry", "12/2025", "past"),
            ("expiry", "12/1999", "past"),
            ("cvc", "", "missing"),
            ("cvc", "12", "three or four"),
            ("cvc", "12345", "three or four"),
            ("cvc", "12a", "three or four"),
        ],
    )
    def test_what_cannot_be_used_is_said_at_its_field_and_nothing_is_charged(
        self, driver: Bank, field: str, typed: str, message: str
    ) -> None:
        fields = {
            "email": "ada@example.org",
            "number": GOOD,
            "expiry": "12/34",
            "cvc": "123",
        }
        session = suite.begin(driver)
        with pytest.raises(BadInputError, match=message) as caught:
            driver.press_pay(session, **(fields | {field: typed}))
        assert caught.value.field == field
        assert caught.value.message.endswith(".")
        assert suite.look(driver, session).state is PaymentState.OPEN

    @given(st.text(), st.text(), st.text())
    def test_nothing_that_is_typed_breaks_the_reading(
        self, number: str, expiry: str, cvc: str
    ) -> None:
        for fields in (
            (number, expiry, cvc),
            (GOOD, expiry, cvc),
            (GOOD, "12/34", cvc),
        ):
            try:
                assert read_card(*fields, NOW) in TEST_CARDS
            except BadInputError as error:
                assert error.field in {"number", "expiry", "cvc"}  # noqa: PT017

    def test_every_number_of_the_table_is_a_card_number_with_an_end_of_its_own(
        self,
    ) -> None:
        assert all(passes_luhn(card.number) for card in TEST_CARDS)
        assert all(card_ending(card.last4) is card for card in TEST_CARDS)
        assert TEST_CARDS[0].spaced == GOOD
