"""PayPal passes the suite of all providers, and does what only PayPal does."""

import pytest

from tests.providers.paypal_driver import PayPalDriver
from tests.providers.suite import Disputes, LatePayments, Payments, Refunds


class TestPayPal(Payments, LatePayments, Refunds, Disputes):
    """The suite of all providers, on PayPal, which has no list of what was begun."""

    @pytest.fixture
    def driver(self, paypal_driver: PayPalDriver) -> PayPalDriver:
        return paypal_driver
