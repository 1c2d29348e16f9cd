"""The provider `test` when it is not over at once: questions, late money, refunds."""

from datetime import timedelta
from pathlib import Path

import pytest

from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments.base import Glimpse
from handsel.sales.payments.test import Result
from handsel.sales.payments.testcards import LATER
from tests.providers import suite
from tests.providers.pretend import (
    ASKS,
    ASKS_AND_DECLINES,
    GOOD,
    LATE,
    LATE_AND_NEVER,
    NOW,
    PRICE,
    Bank,
)


@pytest.fixture
def driver(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


class TestConfirming:
    """3-D Secure: the bank asks whether the buyer is the card's owner."""

    def test_nothing_is_charged_before_the_buyer_has_confirmed(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        assert driver.press_pay(session, ASKS).result is Result.CONFIRM
        assert driver.bank.page(session, driver.now).asks
        assert suite.look(driver, session).state is PaymentState.OPEN
        assert suite.look(driver, session).facts == ()

    def test_confirmed_it_is_paid(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, ASKS, email="ada@example.org")
        outcome = driver.confirm(session)
        payment = suite.look(driver, session)
        assert outcome.result is Result.PAID
        assert outcome.url.endswith(f"?session={session}")
        assert (payment.email, payment.card_last4) == ("ada@example.org", "3155")
        assert not driver.bank.page(session, driver.now).asks

    def test_not_confirmed_nothing_is_charged_and_the_next_try_may_succeed(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, ASKS)
        refused = driver.confirm(session, passed=False)
        assert refused.result is Result.DECLINED
        assert "another card" in refused.hint
        page = driver.bank.page(session, driver.now)
        assert (page.state, page.asks) == (PaymentState.OPEN, False)
        driver.press_pay(session, ASKS)
        assert driver.confirm(session).result is Result.PAID

    def test_confirmed_and_declined_even_so(self, driver: Bank) -> None:
        session = suite.begin(driver)
        assert driver.press_pay(session, ASKS_AND_DECLINES).result is Result.CONFIRM
        assert driver.confirm(session).result is Result.DECLINED
        assert suite.look(driver, session).facts == ()
        assert not driver.bank.page(session, driver.now).asks

    def test_a_repeated_answer_charges_once(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, ASKS)
        driver.confirm(session)
        assert driver.confirm(session).result is Result.ALREADY_PAID
        assert driver.confirm(session, passed=False).result is Result.ALREADY_PAID
        assert suite.kinds(suite.look(driver, session)) == [FactKind.CAPTURE]

    def test_an_answer_nobody_asked_for_charges_nothing(self, driver: Bank) -> None:
        session = suite.begin(driver)
        assert driver.confirm(session).result is Result.DECLINED
        assert suite.look(driver, session).facts == ()

    def test_an_answer_after_the_end_of_the_session_charges_nothing(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, ASKS)
        driver.bank.cancel(session, driver.now)
        assert driver.confirm(session).result is Result.EXPIRED
        assert suite.look(driver, session).facts == ()

    def test_another_card_that_pays_at_once_ends_the_question(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, ASKS)
        assert driver.press_pay(session, GOOD).result is Result.PAID
        assert driver.confirm(session).result is Result.ALREADY_PAID
        assert suite.look(driver, session).card_last4 == "4242"


class TestMoneyThatComesLater:
    """What is on its way needs nobody to bring it, only time."""

    def test_it_is_on_its_way_then_there(self, driver: Bank) -> None:
        session = suite.begin(driver)
        outcome = driver.press_pay(session, LATE)
        assert outcome.result is Result.PAYS_LATER
        assert outcome.url.endswith(f"?session={session}")
        driver.pass_time(LATER - timedelta(microseconds=1))
        on_its_way = suite.look(driver, session)
        assert on_its_way.state is PaymentState.PROCESSING
        assert on_its_way.facts == ()
        driver.pass_time(timedelta(microseconds=1))
        arrived = suite.look(driver, session)
        capture = suite.the_fact(arrived, FactKind.CAPTURE)
        assert arrived.state is PaymentState.COMPLETE
        assert (capture.amount, capture.at) == (PRICE, NOW + LATER)

    def test_or_it_never_comes(self, driver: Bank) -> None:
        session = suite.begin(driver)
        assert driver.press_pay(session, LATE_AND_NEVER).result is Result.PAYS_LATER
        driver.pass_time(LATER)
        payment = suite.look(driver, session)
        assert (payment.state, payment.facts) == (PaymentState.FAILED, ())
        again = driver.press_pay(session)
        assert again.result is Result.FAILED
        assert "You were not charged" in again.hint

    def test_pressing_again_while_it_is_on_its_way_charges_nothing_more(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, LATE)
        again = driver.press_pay(session, GOOD)
        assert again.result is Result.PAYS_LATER
        driver.bank.cancel(session, driver.now)
        driver.pass_time(LATER)
        assert suite.kinds(suite.look(driver, session)) == [FactKind.CAPTURE]

    @pytest.mark.parametrize(
        ("number", "state"),
        [(LATE, PaymentState.COMPLETE), (LATE_AND_NEVER, PaymentState.FAILED)],
    )
    def test_its_arrival_is_listed_when_nobody_has_looked(
        self, driver: Bank, number: str, state: PaymentState
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, number)
        since = driver.now + timedelta(seconds=1)
        driver.pass_time(timedelta(seconds=2))
        assert suite.listed(driver, since) == []
        driver.pass_time(LATER)
        assert suite.listed(driver, since) == [Glimpse(session, state)]

    def test_the_end_of_an_unpaid_session_is_listed_too(self, driver: Bank) -> None:
        session = suite.begin(driver)
        since = driver.now + timedelta(minutes=59)
        driver.pass_time(timedelta(minutes=61))
        assert suite.listed(driver, since) == [Glimpse(session, PaymentState.EXPIRED)]

    def test_money_that_is_not_there_cannot_go_back(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, LATE)
        with pytest.raises(ConflictError):
            driver.refund(session, PRICE)
        with pytest.raises(ConflictError):
            driver.open_dispute(session)


class TestGivingBack:
    """Refunds and disputes, as a seller or a bank would make them."""

    def test_no_more_goes_back_than_was_paid(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.press_pay(session)
        driver.refund(session, Money(1000, "EUR"))
        with pytest.raises(ConflictError):
            driver.refund(session, Money(501, "EUR"))
        driver.refund(session, Money(500, "EUR"))
        assert len(suite.look(driver, session).facts) == 3

    def test_a_refund_that_came_back_can_be_made_again(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.press_pay(session)
        refund = driver.refund(session, PRICE)
        driver.fail_refund(refund)
        driver.fail_refund(refund)
        driver.refund(session, PRICE)
        assert suite.kinds(suite.look(driver, session)) == [
            FactKind.CAPTURE,
            FactKind.REFUND,
            FactKind.REFUND,
            FactKind.VOID,
        ]

    def test_only_money_of_the_same_kind_goes_back(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.press_pay(session)
        for amount in (Money(100, "USD"), Money(0, "EUR"), Money(-1, "EUR")):
            with pytest.raises(ValueError, match="cannot be refunded"):
                driver.refund(session, amount)

    def test_a_dispute_is_opened_once_and_ends_once(self, driver: Bank) -> None:
        session = suite.begin(driver)
        driver.press_pay(session)
        assert driver.open_dispute(session) == driver.open_dispute(session)
        driver.bank.close_dispute(session, FactKind.DISPUTE_LOST, driver.now)
        with pytest.raises(ConflictError):
            driver.bank.close_dispute(session, FactKind.DISPUTE_WON, driver.now)
