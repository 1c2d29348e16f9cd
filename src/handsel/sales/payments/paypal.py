"""PayPal: the buyer approves on PayPal's page, then the shop takes the money.

Order in, facts out. Source: developer.paypal.com/docs/checkout/standard, and the pages
that each file beside this one names.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from handsel.kit.errors import BadInputError, ConfigurationError
from handsel.kit.money import Money
from handsel.sales.payments import paypal_webhook
from handsel.sales.payments.base import (
    Evidence,
    Glimpse,
    Notice,
    Payment,
    PaymentProvider,
    Purchase,
    RefundRequest,
    Started,
)
from handsel.sales.payments.paypal_certificates import Certificates
from handsel.sales.payments.paypal_money import to_paypal, units
from handsel.sales.payments.units import Units
from handsel.settings import Settings

if TYPE_CHECKING:
    from handsel.sales.payments.paypal_api import PayPalApi

LIVE = "https://api-m.paypal.com"
SANDBOX = "https://api-m.sandbox.paypal.com"


def open_provider(settings: Settings, home: Path) -> PaymentProvider:
    """Open the provider. Raises ConfigurationError when something is missing."""
    paypal = settings.paypal
    return PayPalProvider(
        _needed(paypal.client_id, "client_id"),
        _needed(paypal.secret, "secret"),
        _needed(paypal.webhook_id, "webhook_id"),
        brand=settings.shop.name,
        sandbox=paypal.sandbox,
        api_base=paypal.api_base or None,
    )


def _needed(given: SecretStr | str | None, name: str) -> str:
    """Give a setting; without the web hook's name anybody could claim to be PayPal."""
    text = given.get_secret_value() if isinstance(given, SecretStr) else given or ""
    if not text.strip():
        raise ConfigurationError(
            f"paypal.{name}: payments by PayPal need it.",
            "Copy it from your app in PayPal's Developer Dashboard.",
        )
    return text.strip()


class PayPalProvider:
    """PayPal's own page, and its Orders API behind it.

    Args:
        webhook_id: which web hook in PayPal's dashboard messages are signed for.
        brand: who sells, for PayPal's page.
        api_base: another address than PayPal's, for tests.
    """

    name = "paypal"
    label = "PayPal"

    def __init__(
        self,
        client_id: str,
        secret: str,
        webhook_id: str,
        *,
        brand: str,
        sandbox: bool,
        api_base: str | None,
    ) -> None:
        self.test = sandbox or api_base is not None
        self._base = (api_base or (SANDBOX if sandbox else LIVE)).rstrip("/")
        self.pages: tuple[str, ...] = (
            self._base
            if api_base
            else f"https://www.{'sandbox.' if sandbox else ''}paypal.com",
        )
        self._client_id, self._secret = client_id, secret
        self._webhook_id = webhook_id
        self._brand = brand
        # Messages name the address of the API's older name as well.
        older = re.sub(r"^https://api-m\.", "https://api.", self._base)
        self._certificates = Certificates((self._base, older))

    @cached_property
    def _api(self) -> "PayPalApi":
        from handsel.sales.payments.paypal_api import PayPalApi  # `requests` is heavy
        from handsel.sales.payments.paypal_client import PayPalClient

        client = PayPalClient(self._base, self._client_id, self._secret)
        return PayPalApi(client, self._brand, test=self.test)

    def units(self, currency: str) -> Units:
        """Say what PayPal can charge. Raises BadInputError for a currency it lacks."""
        return units(currency)

    def start(self, purchase: Purchase, now: datetime) -> Started:
        """Make an order. Safe to repeat with the same `purchase.key`.

        Raises ProviderUnavailableError, ConflictError when the same key was used for
        another purchase, BadInputError when PayPal cannot take this price or address.
        """
        return self._api.start(purchase)

    def look_up(self, object_id: str, now: datetime) -> Payment:
        """Ask about an order, or a `capture:` of one; take the money of an approved one.

        Three calls when there is money to take, one when nothing was paid, else two; one
        more for a capture. Raises UnknownSessionError, ProviderUnavailableError.
        """
        return self._api.look_up(object_id, now)

    def read_webhook(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notice:
        """Verify a message and say what to look up.

        Raises WebhookRefusedError; TryAgainError when PayPal's certificate cannot be had.
        """
        event = paypal_webhook.verified_event(
            headers, body, self._webhook_id, self._certificates.at, now
        )
        return paypal_webhook.notice(event)

    def sessions_since(self, since: datetime, now: datetime) -> Iterator[Glimpse]:
        """Name every order approved, paid or given back since then, from one list.

        Not those that nobody has approved, nor what is older than 29 days: PayPal has no
        list of them. Another call for each payment with a refund or a dispute. Raises
        ProviderUnavailableError.
        """
        return self._api.sessions_since(since, now)

    def cancel(self, session_id: str, now: datetime) -> None:
        """End an order, so that its money is never taken. Safe to repeat.

        What is paid already stays so. Raises UnknownSessionError,
        ProviderUnavailableError.
        """
        self._api.cancel(session_id)

    def check_refund(self, amount: Money) -> None:
        """Refuse what PayPal cannot count exactly, such as half a forint.

        Raises BadInputError.
        """
        try:
            to_paypal(amount)
        except BadInputError as error:
            raise BadInputError(
                f"PayPal cannot give exactly {amount} back.", error.hint, field="amount"
            ) from error

    def refund(self, session_id: str, wanted: RefundRequest, now: datetime) -> str:
        """Give money back; PayPal keeps its fee. Safe to repeat with the same key.

        PayPal itself knows the key for 45 days; longer, it is found at the refund it
        made. Two calls. Raises ConflictError when there is not so much to give back, or a
        dispute has taken it; UnknownSessionError, ProviderUnavailableError.
        """
        return self._api.refund(session_id, wanted)

    def contest(self, session_id: str, evidence: Evidence, now: datetime) -> str:
        """Answer the open dispute of an order, when PayPal asks the seller about it.

        Four calls. Raises ConflictError when none waits for an answer,
        UnknownSessionError, ProviderUnavailableError.
        """
        return self._api.contest(session_id, evidence)
