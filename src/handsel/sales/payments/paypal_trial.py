"""Trying an app of PayPal's: whether its keys are taken, and whether it sees disputes.

Import this only when it is pressed: `requests` is heavy.
"""

from handsel.kit.errors import ConfigurationError
from handsel.sales.payments.base import ProviderUnavailableError
from handsel.sales.payments.paypal_client import PayPalClient
from handsel.sales.payments.paypal_errors import PayPalError


def sees_disputes(base: str, client_id: str, secret: str) -> bool:
    """Ask for nothing but a list. Raises ConfigurationError for keys that are not taken,
    ProviderUnavailableError."""
    try:
        PayPalClient(base, client_id, secret).get("/v1/customer/disputes", page_size=1)
    except PayPalError as error:
        if error.http_status == 403:
            return False
        if error.http_status == 401:
            raise ConfigurationError(
                "PayPal does not know this Client ID with this secret.",
                "Copy both from the same app in PayPal's Developer Dashboard, live or "
                "sandbox as paypal.sandbox says.",
            ) from error
        raise ProviderUnavailableError(
            f"PayPal did not answer as it should ({error.issue or error.http_status}).",
            "Try again in a minute.",
        ) from error
    return True
