"""The fake Stripe in the hands of the suite that every provider passes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from handsel.kit.money import Money
from handsel.sales.payments.stripe import StripeProvider, open_provider
from handsel.sales.payments.stripe_money import to_stripe
from handsel.settings import Settings, StripeSettings
from tests.providers.fake_stripe import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    FakeStripe,
)

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class StripeDriver:
    """Acts at the fake Stripe; the provider knows nothing of it but the address.

    `own`: buyers pay on a page of the shop's own.
    """

    def __init__(self, fake: FakeStripe, *, own: bool = False) -> None:
        self.fake = fake
        self.provider: StripeProvider = open_stripe(fake, own=own)

    @property
    def now(self) -> datetime:
        return self.fake.bank.now

    def pass_time(self, duration: timedelta) -> None:
        self.fake.bank.advance(duration)

    def unknown_session(self) -> str:
        return "cs_test_nobodystartedthis"

    def pay(self, session_id: str, *, email: str) -> None:
        self.fake.bank.pay(session_id, email=email)

    def decline(self, session_id: str) -> None:
        self.fake.bank.decline(session_id)

    def pay_later(self, session_id: str, *, email: str) -> None:
        self.fake.bank.pay_later(session_id, email=email)

    def settle_later(self, session_id: str, *, ok: bool) -> None:
        self.fake.bank.settle_later(session_id, ok=ok)

    def refund(self, session_id: str, amount: Money) -> str:
        return self.fake.bank.refund(session_id, to_stripe(amount))

    def fail_refund(self, refund_id: str) -> None:
        self.fake.bank.settle_refund(refund_id, "failed")

    def open_dispute(self, session_id: str) -> str:
        return self.fake.bank.open_dispute(session_id)

    def close_dispute(self, dispute_id: str, outcome: str) -> None:
        self.fake.bank.close_dispute(dispute_id, outcome)


def open_stripe(
    fake: FakeStripe,
    *,
    secret_key: str | None = SECRET_KEY,
    webhook_secret: str | None = WEBHOOK_SECRET,
    own: bool = False,
) -> StripeProvider:
    """Open the provider as the shop does, with the fake's address."""
    stripe = StripeSettings(
        secret_key=SecretStr(secret_key) if secret_key else None,
        webhook_secret=SecretStr(webhook_secret) if webhook_secret else None,
        publishable_key=PUBLISHABLE_KEY if own else "",
        api_base=fake.origin,
    )
    opened = open_provider(Settings(env="test", stripe=stripe), Path())
    assert isinstance(opened, StripeProvider)
    return opened
