"""Trying a key of Stripe's: whether it is taken, and what it may not read.

Import this only when it is pressed: Stripe's library is heavy. What a key may write is
seen when it writes: nothing is ever made to try it.
"""

import stripe

from handsel.kit.errors import ConfigurationError
from handsel.sales.payments.base import ProviderUnavailableError

_TIMEOUT = (2.0, 3.0)

NEEDED = {
    "/v1/checkout/sessions": "Checkout Sessions",
    "/v1/payment_intents": "PaymentIntents",
    "/v1/charges": "Charges",
    "/v1/refunds": "Refunds",
    "/v1/disputes": "Disputes",
    "/v1/events": "Events",
}
"""What selling needs, by what it is asked with."""
FOR_PAYOUTS = {
    "/v1/balance_transactions": "Balance transaction sources",
    "/v1/payouts": "Payouts",
}
"""What only the report of payouts needs."""


def lacking(secret_key: str, api_base: str = "") -> tuple[list[str], list[str]]:
    """Name what the key may not read: of what selling needs, and of what payouts do.

    Raises ConfigurationError for a key that is not taken, ProviderUnavailableError.
    """
    client = stripe.StripeClient(
        secret_key,
        http_client=stripe.RequestsClient(timeout=_TIMEOUT),
        max_network_retries=0,
        base_addresses={"api": api_base} if api_base else None,
    )
    found = [
        [name for path, name in asked.items() if not _may_read(client, path)]
        for asked in (NEEDED, FOR_PAYOUTS)
    ]
    return found[0], found[1]


def _may_read(client: stripe.StripeClient, path: str) -> bool:
    try:
        client.raw_request("get", path, limit=1)
    except stripe.PermissionError:
        return False
    except stripe.AuthenticationError as error:
        raise ConfigurationError(
            "Stripe does not know this key.",
            "Copy it once more from Stripe's dashboard, under Developers, API keys; it "
            "may have been rolled or deleted.",
        ) from error
    except stripe.StripeError as error:
        raise ProviderUnavailableError(
            f"Stripe did not answer as it should ({type(error).__name__}).",
            "Try again in a minute; status.stripe.com tells of troubles.",
        ) from error
    return True
