"""The fake PayPal in the hands of the suite that every provider passes."""

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from handsel.kit.money import Money
from handsel.sales.payments.base import PaymentProvider
from handsel.sales.payments.paypal import open_provider
from handsel.settings import PayPalSettings, Settings
from tests.providers.fake_paypal import CLIENT_ID, SECRET, WEBHOOK_ID, FakePayPal


class PayPalDriver:
    """Acts at the fake PayPal; the provider knows nothing of it but the address."""

    def __init__(self, fake: FakePayPal) -> None:
        self.fake = fake
        self.provider: PaymentProvider = open_paypal(fake)

    @property
    def now(self) -> datetime:
        return self.fake.bank.now

    def pass_time(self, duration: timedelta) -> None:
        self.fake.bank.advance(duration)

    def unknown_session(self) -> str:
        return "5O190127TN364715T"

    def pay(self, session_id: str, *, email: str) -> None:
        """The buyer approves, comes back, and so the shop looks."""
        self.fake.bank.pay(session_id, email=email)
        self.provider.look_up(session_id, self.now)

    def decline(self, session_id: str) -> None:
        self.fake.bank.decline(session_id)

    def pay_later(self, session_id: str, *, email: str) -> None:
        self.fake.bank.pay_later(session_id, email=email)
        self.provider.look_up(session_id, self.now)

    def settle_later(self, session_id: str, *, ok: bool) -> None:
        self.fake.bank.settle_later(session_id, ok=ok)

    def refund(self, session_id: str, amount: Money) -> str:
        return self.fake.bank.refund(session_id, amount.minor)

    def fail_refund(self, refund_id: str) -> None:
        self.fake.bank.settle_refund(refund_id, "FAILED")

    def open_dispute(self, session_id: str) -> str:
        return self.fake.bank.open_dispute(session_id)

    def close_dispute(self, dispute_id: str, outcome: str) -> None:
        self.fake.bank.close_dispute(dispute_id, outcome)


def open_paypal(
    fake: FakePayPal,
    *,
    secret: str | None = SECRET,
    webhook_id: str = WEBHOOK_ID,
    client_id: str = CLIENT_ID,
) -> PaymentProvider:
    """Open the provider as the shop does, with the fake's address."""
    paypal = PayPalSettings(
        client_id=client_id,
        secret=SecretStr(secret) if secret else None,
        webhook_id=webhook_id,
        api_base=fake.origin,
    )
    return open_provider(Settings(env="test", paypal=paypal), Path())
