"""What the tests of payment providers may ask for."""

from collections.abc import Iterator

import pytest

from tests.providers.fake_paypal import FakePayPal
from tests.providers.fake_stripe import FakeStripe
from tests.providers.paypal_driver import PayPalDriver
from tests.providers.stripe_driver import NOON, StripeDriver


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    """A fake Stripe whose clock stands at noon."""
    with FakeStripe(start=NOON) as fake:
        yield fake


@pytest.fixture
def stripe_driver(stripe: FakeStripe) -> StripeDriver:
    """The provider for Stripe, and the hands on the far side."""
    return StripeDriver(stripe)


@pytest.fixture
def own_driver(stripe: FakeStripe) -> StripeDriver:
    """The same for a shop whose buyers pay on its own page."""
    return StripeDriver(stripe, own=True)


@pytest.fixture
def paypal() -> Iterator[FakePayPal]:
    """A fake PayPal whose clock stands at noon."""
    with FakePayPal(start=NOON) as fake:
        yield fake


@pytest.fixture
def paypal_driver(paypal: FakePayPal) -> PayPalDriver:
    """The provider for PayPal, and the hands on the far side."""
    return PayPalDriver(paypal)
