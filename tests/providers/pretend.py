"""The hands of buyer, seller, bank and time at the built-in provider `test`."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from handsel.kit.money import Money
from handsel.sales.payments import test as test_payments
from handsel.sales.payments.base import PaymentProvider, RefundRequest
from handsel.sales.payments.test import Outcome, Result
from handsel.settings import Settings
from tests.providers import suite

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PRICE = suite.PRICE
GOOD = "4242 4242 4242 4242"
ASKS = "4000 0025 0000 3155"
ASKS_AND_DECLINES = "4000 0084 0000 1629"
LATE = "4000 0000 0000 0077"
LATE_AND_NEVER = "4000 0000 0000 0341"


class Bank:
    """The far side of the test provider: the same object, and a clock.

    The driver of the shared suite; `press_pay` and `confirm` are the buttons of the pages.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bank = test_payments.open_provider(Settings(), home)
        self.now = NOW

    @property
    def provider(self) -> PaymentProvider:
        return self.bank

    def pass_time(self, duration: timedelta) -> None:
        self.now += duration

    def unknown_session(self) -> str:
        return "tp_" + "x" * 22

    def press_pay(
        self,
        session_id: str,
        number: str = GOOD,
        *,
        email: str = "ada@example.org",
        expiry: str = "12/34",
        cvc: str = "123",
    ) -> Outcome:
        return self.bank.submit(
            session_id, email=email, number=number, expiry=expiry, cvc=cvc, now=self.now
        )

    def confirm(self, session_id: str, *, passed: bool = True) -> Outcome:
        return self.bank.answer_3ds(session_id, passed=passed, now=self.now)

    def pay(self, session_id: str, *, email: str) -> None:
        assert self.press_pay(session_id, email=email).result is Result.PAID

    def decline(self, session_id: str) -> None:
        outcome = self.press_pay(session_id, "4000 0000 0000 0002")
        assert outcome.result is Result.DECLINED

    def refund(self, session_id: str, amount: Money) -> str:
        wanted = RefundRequest(secrets.token_hex(8), amount)
        return self.bank.refund(session_id, wanted, self.now)

    def fail_refund(self, refund_id: str) -> None:
        self.bank.fail_refund(refund_id, self.now)

    def open_dispute(self, session_id: str) -> str:
        return self.bank.open_dispute(session_id, self.now)

    def close_dispute(self, dispute_id: str, outcome: str) -> None:
        session = suite.look(self, dispute_id).session_id
        self.bank.close_dispute(session, suite.ENDINGS[outcome], self.now)
