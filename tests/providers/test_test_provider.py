"""The built-in provider `test`: its payment page, and what becomes of the money."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments.base import UnknownSessionError
from handsel.sales.payments.test import Result
from handsel.sales.payments.testcards import (
    LATER,
    TEST_CARDS,
)
from tests.providers import suite
from tests.providers.pretend import ASKS, GOOD, LATE, PRICE, Bank


@pytest.fixture
def driver(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


# Late money has tests of its own: with this bank it is the card that decides what
# becomes of it, and when, while the shared tests decide on the day.


class TestTheSharedSuite(
    suite.Payments, suite.Listed, suite.Declines, suite.Refunds, suite.Disputes
):
    """What every provider must do."""


class TestBeforePaying:
    """The way to the payment page."""

    def test_the_payment_page_is_at_the_shop_that_the_buyer_returns_to(
        self, driver: Bank
    ) -> None:
        purchase = suite.a_purchase(
            driver, return_url="https://books.example.org/return/test"
        )
        started = driver.bank.start(purchase, driver.now)
        where = f"https://books.example.org/testpay/{started.session_id}"
        assert started.url == where

    def test_the_page_shows_what_is_paid_and_how_to_leave(self, driver: Bank) -> None:
        purchase = suite.a_purchase(driver, email="ada@example.org")
        session = driver.bank.start(purchase, driver.now).session_id
        page = driver.bank.page(session, driver.now)
        assert (page.title, page.price) == (purchase.title, PRICE)
        assert page.email == "ada@example.org"
        assert page.cancel_url == purchase.cancel_url
        assert page.state is PaymentState.OPEN
        assert not page.asks

    def test_the_way_back_names_the_session_and_keeps_what_it_asked_already(
        self, driver: Bank
    ) -> None:
        purchase = suite.a_purchase(
            driver, return_url="http://127.0.0.1:8000/return/test?from=page&x=%26"
        )
        session = driver.bank.start(purchase, driver.now).session_id
        back = urlsplit(driver.press_pay(session).url)
        assert back.path == "/return/test"
        assert parse_qs(back.query) == {
            "from": ["page"],
            "x": ["&"],
            "session": [session],
        }

    def test_the_pages_of_unknown_sessions_are_not_found(self, driver: Bank) -> None:
        unknown = driver.unknown_session()
        with pytest.raises(UnknownSessionError):
            driver.bank.page(unknown, driver.now)
        with pytest.raises(UnknownSessionError):
            driver.press_pay(unknown)
        with pytest.raises(UnknownSessionError):
            driver.confirm(unknown)

    def test_two_shops_in_two_homes_know_nothing_of_each_other(
        self, driver: Bank, tmp_path: Path
    ) -> None:
        (tmp_path / "other").mkdir()
        other = Bank(tmp_path / "other")
        with pytest.raises(UnknownSessionError):
            suite.look(other, suite.begin(driver))


class TestPaying:
    """Pressing Pay, with each of the cards."""

    def test_a_good_card_pays_and_leads_back_to_the_shop(self, driver: Bank) -> None:
        session = suite.begin(driver)
        outcome = driver.press_pay(session)
        payment = suite.look(driver, session)
        assert outcome.result is Result.PAID
        assert outcome.url == f"http://127.0.0.1:8000/return/here?session={session}"
        assert payment.state is PaymentState.COMPLETE
        assert payment.card_last4 == "4242"

    def test_the_address_typed_at_the_payment_page_wins(self, driver: Bank) -> None:
        purchase = suite.a_purchase(driver, email="old@example.org")
        session = driver.bank.start(purchase, driver.now).session_id
        driver.press_pay(session, email=" new@example.org ")
        assert suite.look(driver, session).email == "new@example.org"

    @pytest.mark.parametrize(
        ("number", "why"),
        [("4000 0000 0000 0002", "declined"), ("4000 0000 0000 9995", "not enough")],
    )
    def test_a_declined_buyer_reads_why_and_pays_with_another_card(
        self, driver: Bank, number: str, why: str
    ) -> None:
        session = suite.begin(driver)
        declined = driver.press_pay(session, number)
        assert declined.result is Result.DECLINED
        assert why in declined.message
        assert "another card" in declined.hint
        assert declined.url == ""
        assert suite.look(driver, session).state is PaymentState.OPEN
        assert driver.press_pay(session).result is Result.PAID

    def test_pressing_twice_charges_once(self, driver: Bank) -> None:
        session = suite.begin(driver)
        first = driver.press_pay(session)
        again = driver.press_pay(session)
        assert again.result is Result.ALREADY_PAID
        assert again.url == first.url
        assert suite.kinds(suite.look(driver, session)) == [FactKind.CAPTURE]

    def test_a_second_press_after_paying_needs_no_card_at_all(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session)
        again = driver.press_pay(session, "", email="", expiry="", cvc="")
        assert again.result is Result.ALREADY_PAID

    @pytest.mark.parametrize("number", [GOOD, ASKS, LATE, "4000 0000 0000 0002"])
    def test_after_its_time_nothing_can_be_paid(
        self, driver: Bank, number: str
    ) -> None:
        session = suite.begin(driver)
        driver.pass_time(timedelta(hours=1))
        outcome = driver.press_pay(session, number)
        assert outcome.result is Result.EXPIRED
        assert "You were not charged" in outcome.hint
        assert suite.look(driver, session).facts == ()

    def test_a_second_before_its_time_it_can(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.pass_time(timedelta(minutes=59, seconds=59))
        assert driver.press_pay(session).result is Result.PAID

    def test_a_cancelled_payment_cannot_be_paid_and_leads_back(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.bank.cancel(session, driver.now)
        outcome = driver.press_pay(session)
        assert outcome.result is Result.EXPIRED
        assert outcome.url == suite.a_purchase(driver).cancel_url
        assert suite.look(driver, session).facts == ()

    def test_the_disputed_card_pays_and_is_disputed(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, "4000 0000 0000 0259")
        payment = suite.look(driver, session)
        opened = suite.the_fact(payment, FactKind.DISPUTE_OPEN)
        assert suite.kinds(payment) == [FactKind.CAPTURE, FactKind.DISPUTE_OPEN]
        assert suite.look(driver, opened.object_id) == payment
        driver.close_dispute(opened.object_id, "won")
        assert len(suite.look(driver, session).facts) == 3

    def test_a_payment_is_found_by_its_capture_and_its_refund(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session)
        refund = driver.refund(session, Money(100, "EUR"))
        payment = suite.look(driver, session)
        capture = suite.the_fact(payment, FactKind.CAPTURE).object_id
        assert capture != session
        assert suite.look(driver, capture) == payment
        assert suite.look(driver, refund) == payment

    def test_every_card_of_the_table_ends_as_the_table_says(self, driver: Bank) -> None:
        ends = {card.what_happens: _try_out(driver, card.number) for card in TEST_CARDS}
        assert ends == {
            "Pays.": "complete",
            "Is declined.": "open",
            "Is declined: not enough money on it.": "open",
            "Asks you to confirm (3-D Secure), then pays.": "complete",
            "Asks you to confirm (3-D Secure), and is declined even so.": "open",
            "Pays later: the money takes 20 seconds.": "complete",
            "Seems to pay later, but after 20 seconds no money has come.": "failed",
            "Pays, and is disputed by its owner.": "complete",
        }


def _try_out(driver: Bank, number: str) -> str:
    """Pay with a card, confirm if asked, wait a while: the state in the end."""
    session = suite.begin(driver, key=number)
    if driver.press_pay(session, number).result is Result.CONFIRM:
        driver.confirm(session)
    driver.pass_time(LATER)
    return str(suite.look(driver, session).state)
