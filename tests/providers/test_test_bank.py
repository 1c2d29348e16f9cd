"""The books of the provider `test`: one capture however many press, one private file."""

import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments import test as test_payments
from handsel.sales.payments import testbank, testsessions
from handsel.sales.payments.base import (
    Payment,
    ProviderUnavailableError,
    WebhookRefusedError,
)
from handsel.sales.payments.test import Result
from handsel.sales.payments.testcards import (
    TEST_CARDS,
    Card,
    card_ending,
)
from tests.providers import suite
from tests.providers.pretend import (
    ASKS,
    ASKS_AND_DECLINES,
    GOOD,
    NOW,
    Bank,
)


@pytest.fixture
def driver(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


class TestAtOnce:
    """Many hands, one capture."""

    def test_of_many_presses_at_the_same_moment_one_pays(self, driver: Bank) -> None:
        for round_ in range(10):
            session = suite.begin(driver, key=f"order-{round_}")
            results = _all_at_once(lambda: driver.press_pay(session).result)  # noqa: B023
            assert results == {Result.PAID: 1, Result.ALREADY_PAID: 7}
            assert suite.kinds(suite.look(driver, session)) == [FactKind.CAPTURE]

    def test_of_many_confirmations_at_the_same_moment_one_pays(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, ASKS)
        results = _all_at_once(lambda: driver.confirm(session).result)
        assert results == {Result.PAID: 1, Result.ALREADY_PAID: 7}

    def test_many_starts_of_one_purchase_in_a_new_home_give_one_session(
        self, tmp_path: Path
    ) -> None:
        providers = iter([Bank(tmp_path) for _ in range(8)])
        sessions = _all_at_once(lambda: suite.begin(next(providers)))
        assert list(sessions.values()) == [8]

    def test_many_refunds_at_the_same_moment_give_back_no_more_than_was_paid(
        self, driver: Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session)

        def give_back() -> str:
            try:
                driver.refund(session, Money(500, "EUR"))
            except ConflictError:
                return "refused"
            return "refunded"

        assert _all_at_once(give_back) == {"refunded": 3, "refused": 5}

    def test_paying_and_cancelling_at_the_same_moment_agree(self, driver: Bank) -> None:
        for round_ in range(10):
            session = suite.begin(driver, key=f"order-{round_}")
            with ThreadPoolExecutor(2) as pool:
                paying = pool.submit(driver.press_pay, session)
                pool.submit(driver.bank.cancel, session, driver.now).result()
            payment = suite.look(driver, session)
            if paying.result().result is Result.PAID:
                assert payment.state is PaymentState.COMPLETE
            else:
                assert paying.result().result is Result.EXPIRED
                assert payment.facts == ()

    def test_of_two_processes_one_is_paid(self, driver: Bank) -> None:
        sessions = [suite.begin(driver, key=f"order-{n}") for n in range(40)]
        command = [sys.executable, "-m", "tests.providers.press_pay", str(driver.home)]
        shops = [
            subprocess.Popen(
                [*command, NOW.isoformat(), *sessions],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        try:
            said = _all_pay(shops)
        finally:
            for shop in shops:
                shop.kill()
        for session, *results in zip(sessions, *said, strict=True):
            assert sorted(results) == ["already_paid", "paid"]
            assert suite.kinds(suite.look(driver, session)) == [FactKind.CAPTURE]


def _all_pay(shops: list[subprocess.Popen[str]]) -> list[list[str]]:
    """Let processes begin when all are ready; what each said of each session."""
    for shop in shops:
        assert shop.stdout
        assert shop.stdout.readline() == "ready\n"
    for shop in shops:
        assert shop.stdin
        shop.stdin.write("go\n")
        shop.stdin.flush()
    return [shop.communicate(timeout=60)[0].split() for shop in shops]


def _all_at_once(press: Callable[[], str]) -> Counter[str]:
    """Eight hands do the same at the same moment; count what came of it."""
    gate = threading.Barrier(8)

    def hand() -> str:
        gate.wait(timeout=10)
        return press()

    with ThreadPoolExecutor(8) as pool:
        return Counter(done.result() for done in [pool.submit(hand) for _ in range(8)])


class TestComingSecond:
    """Between the look at a session and the charge, somebody else was faster."""

    @pytest.fixture
    def books(self, driver: Bank) -> testbank.Bank:
        return testbank.Bank(driver.home / test_payments.BANK_FILE)

    def test_who_cancelled_meanwhile_is_not_charged(
        self, driver: Bank, books: testbank.Bank
    ) -> None:
        seen = books.find(suite.begin(driver))
        books.cancel(seen.id, NOW)
        assert not _charge(books, seen, GOOD)
        assert not books.ask(seen.id, _card(ASKS), "ada@example.org", NOW)
        assert books.find(seen.id).facts(NOW) == ()

    def test_who_was_too_slow_is_not_charged(
        self, driver: Bank, books: testbank.Bank
    ) -> None:
        seen = books.find(suite.begin(driver))
        assert not _charge(books, seen, GOOD, now=seen.expires_at)
        assert books.find(seen.id).facts(NOW) == ()

    def test_who_paid_meanwhile_is_neither_charged_nor_asked_again(
        self, driver: Bank, books: testbank.Bank
    ) -> None:
        seen = books.find(suite.begin(driver))
        driver.press_pay(seen.id)
        assert not _charge(books, seen, GOOD)
        assert not books.ask(seen.id, _card(ASKS), "ada@example.org", NOW)
        assert books.find(seen.id).last4 == "4242"

    def test_a_confirmation_is_for_the_card_that_was_asked_about(
        self, driver: Bank, books: testbank.Bank
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session, ASKS)
        seen = books.find(session)
        driver.press_pay(session, ASKS_AND_DECLINES)
        assert not _charge(books, seen, ASKS, asked=True)
        assert books.find(session).facts(NOW) == ()


def _card(number: str) -> Card:
    return card_ending(number[-4:])


def _charge(
    books: testbank.Bank,
    seen: testsessions.Session,
    number: str,
    *,
    asked: bool = False,
    now: datetime = NOW,
) -> bool:
    return books.approve(seen, _card(number), "ada@example.org", now, asked=asked)


class TestTheBooks:
    """One file, for the shop's eyes only, which outlives the process."""

    def test_nothing_is_written_before_the_first_purchase(self, driver: Bank) -> None:
        assert list(driver.home.iterdir()) == []

    def test_only_the_owner_can_read_the_file_and_no_other_is_left(
        self, driver: Bank
    ) -> None:
        suite.begin(driver)
        [books] = driver.home.iterdir()
        assert books.name == "test-payments.sqlite3"
        assert stat.S_IMODE(books.stat().st_mode) == 0o600

    def test_no_card_number_and_no_security_code_is_ever_kept(
        self, driver: Bank
    ) -> None:
        for card in TEST_CARDS:
            session = suite.begin(driver, key=f"order-{card.what_happens}")
            driver.press_pay(session, card.number, cvc="9731")
        books = (driver.home / test_payments.BANK_FILE).read_bytes()
        assert b"4242" in books
        for card in TEST_CARDS:
            assert card.number.encode() not in books
            assert card.number[:12].encode() not in books
        assert b"9731" not in books

    def test_a_real_card_is_not_repeated_in_the_error(self, driver: Bank) -> None:
        session = suite.begin(driver)
        with pytest.raises(BadInputError) as caught:
            driver.press_pay(session, "5555 5555 5555 4444")
        assert "5555" not in str(caught.value)
        assert "4444" not in str(caught.value)

    def test_another_process_reads_what_this_one_wrote(
        self, driver: Bank, tmp_path: Path
    ) -> None:
        session = suite.begin(driver)
        driver.press_pay(session)
        assert suite.look(Bank(tmp_path), session) == suite.look(driver, session)

    def test_times_of_any_zone_mean_the_same_moment(self, driver: Bank) -> None:
        there = NOW.astimezone(_zone(9))
        purchase = suite.a_purchase(driver, expires_at=there + timedelta(hours=1))
        session = driver.bank.start(purchase, there).session_id
        driver.now = NOW.astimezone(_zone(-8)) + timedelta(minutes=59)
        assert driver.press_pay(session).result is Result.PAID
        paid: Payment = suite.look(driver, session)
        assert paid.facts[0].at == NOW + timedelta(minutes=59)
        assert paid.facts[0].at.utcoffset() == timedelta(0)

    def test_books_that_cannot_be_used_say_so_and_that_nothing_was_charged(
        self, driver: Bank
    ) -> None:
        (driver.home / test_payments.BANK_FILE).write_bytes(b"not a database" * 99)
        with pytest.raises(ProviderUnavailableError, match="Nothing was charged"):
            suite.begin(driver)

    def test_a_home_that_is_gone_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(ProviderUnavailableError, match="cannot be used"):
            suite.begin(Bank(tmp_path / "gone"))

    def test_it_sends_no_messages_and_believes_none(self, driver: Bank) -> None:
        with pytest.raises(WebhookRefusedError):
            driver.bank.read_webhook({}, b"{}", driver.now)


def _zone(hours: int) -> timezone:
    return timezone(timedelta(hours=hours))
