"""Cards and wallets by Stripe: their fields on a page of ours, or a page of theirs.

The buyer types the card number into a frame of Stripe's, or on Stripe's page; it never
comes to us. Session in, facts out; Stripe's own library is loaded with the first call,
because loading it takes a while.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from handsel.kit.errors import BadInputError, ConfigurationError
from handsel.kit.money import Money
from handsel.sales.payments import stripe_webhook
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
from handsel.sales.payments.lines import Line, PayoutFacts
from handsel.sales.payments.stripe_money import to_stripe, units
from handsel.sales.payments.units import Units
from handsel.settings import Settings

if TYPE_CHECKING:
    from handsel.sales.payments.stripe_api import StripeApi


def open_provider(settings: Settings, home: Path) -> PaymentProvider:
    """Open the provider. Raises ConfigurationError when a secret is missing."""
    return StripeProvider(
        secret_key=_needed(settings.stripe.secret_key, "secret_key"),
        webhook_secrets=tuple(
            secret.strip()
            for secret in _needed(
                settings.stripe.webhook_secret, "webhook_secret"
            ).split(",")
        ),
        api_base=settings.stripe.api_base or None,
        publishable_key=settings.stripe.publishable_key,
        own_page=settings.stripe.own_page,
        tax=settings.tax.mode == "stripe",
    )


def _needed(secret: SecretStr | None, name: str) -> str:
    """Give a secret; without the one of the web hook anybody could claim to be Stripe."""
    text = secret.get_secret_value().strip() if secret else ""
    if not text:
        raise ConfigurationError(
            f"stripe.{name}: payments by Stripe need it.",
            "Copy it from Stripe's dashboard, under Developers.",
        )
    return text


@dataclass(frozen=True)
class Fields:
    """What Stripe's script needs in a browser to take the money of one open session.

    `client_secret` lets its holder pay, and no more; it is asked for whenever a page is
    shown and kept nowhere. `email` is there when the buyer has said it before.
    """

    publishable_key: str
    client_secret: str
    email: str | None


class StripeProvider:
    """Stripe Checkout, with its fields on our page (`/pay/<session>`) or all of it theirs.

    Args:
        webhook_secrets: any of them may have signed; two while one is being changed.
        api_base: another address than Stripe's, for tests.
        publishable_key: says to Stripe's script in a browser whose money it takes.
        own_page: new sessions are paid on our page, unless the purchase says otherwise.
        tax: Stripe Tax works out the tax in the price. It asks for an address, which only
            Stripe's own page does.
    """

    name = "stripe"
    label = "card"
    pages: tuple[str, ...] = ("https://checkout.stripe.com",)

    def __init__(
        self,
        secret_key: str,
        webhook_secrets: tuple[str, ...],
        api_base: str | None,
        publishable_key: str = "",
        own_page: bool = False,
        tax: bool = False,
    ) -> None:
        self.test = secret_key.startswith(("sk_test_", "rk_test_"))
        self._secret_key = secret_key
        self._webhook_secrets = webhook_secrets
        self._api_base = api_base
        self._publishable_key = publishable_key
        self._own_page = own_page and not tax
        self._tax = tax
        if api_base:
            self.pages = (api_base.rstrip("/"),)

    @cached_property
    def _api(self) -> "StripeApi":
        from handsel.sales.payments.stripe_api import StripeApi  # 0.2 s, 14 MB

        return StripeApi(self._secret_key, self._api_base, tax=self._tax)

    def units(self, currency: str) -> Units:
        """Say what Stripe can charge. Raises BadInputError for a currency it lacks."""
        return units(currency)

    def start(self, purchase: Purchase, now: datetime) -> Started:
        """Open a Checkout Session. Safe to repeat with the same `purchase.key`.

        Raises ProviderUnavailableError, ConflictError when the same key was used for
        another purchase, BadInputError when Stripe cannot take this price or address.
        """
        own = self._own_page and not purchase.hosted
        return self._api.start(purchase, now, own=own)

    def fields(self, session_id: str) -> Fields | None:
        """Give what our payment page needs to show Stripe's fields.

        One call. None when the session is over, or was not begun for a page of ours.
        Raises UnknownSessionError, ProviderUnavailableError.
        """
        found = self._api.payable(session_id)
        return found and Fields(self._publishable_key, *found)

    def look_up(self, object_id: str, now: datetime) -> Payment:
        """Ask about a session, or a payment, charge, refund or dispute of one.

        Two calls for a paid session, one more for any other object. Raises
        UnknownSessionError, ProviderUnavailableError.
        """
        return self._api.look_up(object_id)

    def read_webhook(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Notice:
        """Verify a message and say what to look up. Raises WebhookRefusedError."""
        event = stripe_webhook.verified_event(
            headers.get("stripe-signature", ""), body, self._webhook_secrets, now
        )
        return stripe_webhook.notice(event, livemode=not self.test)

    def sessions_since(self, since: datetime, now: datetime) -> Iterator[Glimpse]:
        """Name every session created or changed since then, from two lists of Stripe's.

        Another call for each session with a refund or a dispute, and two more when
        `since` is older than what Stripe keeps of its events. Raises
        ProviderUnavailableError.
        """
        return self._api.sessions_since(since, now)

    def cancel(self, session_id: str, now: datetime) -> None:
        """Expire a session so that it can no longer be paid. Safe to repeat.

        What is paid already stays so. Raises UnknownSessionError,
        ProviderUnavailableError.
        """
        self._api.cancel(session_id)

    def check_refund(self, amount: Money) -> None:
        """Refuse what Stripe cannot count exactly, such as half a krona of Iceland.

        Raises BadInputError.
        """
        try:
            to_stripe(amount)
        except BadInputError as error:
            raise BadInputError(
                f"Stripe cannot give exactly {amount} back.", error.hint, field="amount"
            ) from error

    def refund(self, session_id: str, wanted: RefundRequest, now: datetime) -> str:
        """Give money back; Stripe keeps its fee. Safe to repeat with the same key.

        Stripe itself knows the key for a day; longer, it is found at the refund it made.
        Two calls. Raises ConflictError when there is not so much to give back, or a
        dispute has taken it; BadInputError, UnknownSessionError,
        ProviderUnavailableError.
        """
        return self._api.refund(session_id, wanted)

    def contest(self, session_id: str, evidence: Evidence, now: datetime) -> str:
        """Answer the open dispute of a session. Stripe passes the first answer on, once.

        Three calls. Raises ConflictError when none waits for an answer,
        UnknownSessionError, ProviderUnavailableError.
        """
        return self._api.contest(session_id, evidence)

    def payouts(self, since: datetime) -> Iterator[PayoutFacts]:
        """Name the payouts made since then. One call for each hundred.

        Raises ProviderUnavailableError, ConfigurationError when the key may not.
        """
        return self._api.payouts(since)

    def lines(self, since: datetime, until: datetime) -> Iterator[Line]:
        """Tell what changed the balance from then on and before `until`.

        One call for each hundred. Raises as `payouts` does.
        """
        return self._api.lines(since, until)

    def lines_of(self, payout: str) -> Iterator[Line]:
        """Tell what a payout is made up of. One call for each hundred lines.

        Stripe refuses for one that the seller asked for. Raises as `payouts` does.
        """
        return self._api.lines_of(payout)
