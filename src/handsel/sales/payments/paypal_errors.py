"""PayPal's errors in the shop's own words; what helps the seller goes into the log.

Source: developer.paypal.com/api/rest/responses and .../reference/orders/v2/errors: an
error has a `name`, and mostly a `details[].issue`, which says what is meant.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from handsel.kit.errors import (
    BadInputError,
    ConfigurationError,
    ConflictError,
    ShopError,
)
from handsel.sales.payments.base import ProviderUnavailableError, UnknownSessionError

log = logging.getLogger("handsel.payments.paypal")


_BUSY = (408, 409, 429)


class PayPalError(Exception):
    """PayPal did not do what it was asked; `http_status` 0 is no answer.

    Args:
        issue: what PayPal calls it, such as `ORDER_NOT_APPROVED`.
        field: which part of the request it is about, if PayPal says so.
        debug_id: how PayPal's support finds it.
    """

    def __init__(
        self, http_status: int, issue: str = "", field: str = "", debug_id: str = ""
    ) -> None:
        super().__init__(f"PayPal: status {http_status}, issue {issue or 'none'}")
        self.http_status = http_status
        self.issue = issue
        self.field = field
        self.debug_id = debug_id

    @property
    def unsure(self) -> bool:
        """Whether nobody knows if it was done: away, too slow, broken, or too busy."""
        return (
            not self.http_status or self.http_status >= 500 or self.http_status in _BUSY
        )


def read_error(status: int, found: dict[str, Any], debug_id: str) -> PayPalError:
    """Read what PayPal says went wrong. Its sentences may quote a buyer: left out."""
    details = found.get("details")
    first = details[0] if isinstance(details, list) and details else {}
    first = first if isinstance(first, dict) else {}
    issue = first.get("issue") or found.get("name") or found.get("error") or ""
    return PayPalError(status, str(issue), str(first.get("field") or ""), debug_id)


@contextmanager
def in_our_words(
    said: Callable[[PayPalError], ShopError] | None = None,
) -> Iterator[None]:
    """Turn every error of PayPal's inside the block into one of the shop's.

    Args:
        said: how; `about_payments` if nothing else is named.

    Raises ProviderUnavailableError, UnknownSessionError, ConfigurationError,
    ConflictError, BadInputError.
    """
    try:
        yield
    except PayPalError as error:
        note(error)
        raise (said or about_payments)(error) from error


def note(error: PayPalError) -> None:
    """Write down what happened, so that the seller can ask PayPal about it."""
    log.log(
        logging.INFO if error.http_status == 404 else logging.WARNING,
        "PayPal says: status %s, issue %s, field %s, debug id %s",
        error.http_status,
        error.issue,
        error.field,
        error.debug_id,
    )


def about_payments(error: PayPalError) -> ShopError:
    """Say to a buyer what went wrong while paying."""
    if error.http_status in (401, 403):
        return _forbidden()
    if error.unsure:
        return ProviderUnavailableError(
            "The payment provider is not answering. You were not charged.",
            "Please try again in a minute.",
        )
    if error.field.endswith("/email_address"):
        return BadInputError(
            "PayPal does not accept this e-mail address.",
            "Look for a typing error in it.",
            field="email",
        )
    if "/amount" in error.field or "CURRENCY" in error.issue:
        return BadInputError(
            "This price cannot be paid by PayPal.",
            "Please tell the seller.",
            field="price",
        )
    return _unknown(error) or _odd(error)


def about_looks(error: PayPalError) -> ShopError:
    """Say that nobody knows how a payment stands: looking may have taken the money."""
    return _away() if error.unsure else about_payments(error)


def about_refunds(error: PayPalError) -> ShopError:
    """Say to the seller why money does not go back.

    Only what is said of the money itself is a ConflictError.
    """
    if error.http_status in (401, 403) and error.issue not in _ABOUT_MONEY:
        return _forbidden()
    if error.unsure:
        return _away()
    if error.issue in _ABOUT_MONEY:
        return ConflictError(*_ABOUT_MONEY[error.issue])
    return _unknown(error) or _odd(error)


def about_disputes(error: PayPalError) -> ShopError:
    """Say to the seller why an answer to a dispute was not taken."""
    if error.http_status in (401, 403):
        return _forbidden()
    if error.unsure:
        return _away()
    return _unknown(error) or ConflictError(
        "PayPal does not take this answer to the dispute.",
        "It is decided, or too late: look at PayPal's Resolution Center.",
    )


def unknown() -> UnknownSessionError:
    """Say that PayPal has no such thing; it forgets an order nobody paid in 3 hours."""
    return UnknownSessionError("PayPal knows no such purchase.")


def _unknown(error: PayPalError) -> ShopError | None:
    return unknown() if error.http_status == 404 else None


def _forbidden() -> ShopError:
    return ConfigurationError(
        "PayPal does not accept paypal.client_id and paypal.secret, or the app may not do "
        "this.",
        "Copy both from your app in PayPal's Developer Dashboard, live or sandbox as "
        "paypal.sandbox says, and let the app use Customer Disputes.",
    )


def _away() -> ShopError:
    return ProviderUnavailableError(
        "PayPal is not answering.", "Please try again in a minute."
    )


def _odd(error: PayPalError) -> ShopError:
    return ConfigurationError(
        f"PayPal refused the request ({error.issue or 'no reason given'}).",
        f"The log tells more, and PayPal's support knows it as {error.debug_id}.",
    )


_IN_PAYPAL = "Look at the payment in your PayPal account."
_LATE = "Pay the buyer in another way, or ask PayPal."
_DISPUTED = (
    "The buyer disputes this payment, so PayPal does not refund it this way.",
    "Answer the dispute, or accept it: both in PayPal's Resolution Center.",
)
_TOO_MUCH = ("PayPal cannot give so much of this payment back.", _IN_PAYPAL)
_NO_MONEY = (
    "There is not enough money in your PayPal account.",
    "Add some there, or wait for sales; then ask again.",
)
_ABOUT_MONEY = {
    "CAPTURE_FULLY_REFUNDED": ("This payment has gone back already.", _IN_PAYPAL),
    "REFUND_AMOUNT_EXCEEDED": _TOO_MUCH,
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": _TOO_MUCH,
    "REFUND_AMOUNT_TOO_LOW": ("PayPal does not give so little back.", _IN_PAYPAL),
    "REFUND_TIME_LIMIT_EXCEEDED": ("This payment is too old to be refunded.", _LATE),
    "REFUND_NOT_ALLOWED": ("PayPal does not refund this payment.", _LATE),
    "INVALID_RESOURCE_STATUS": ("PayPal does not refund this payment.", _LATE),
    "TRANSACTION_DISPUTED": _DISPUTED,
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": _DISPUTED,
    "REFUND_FAILED_INSUFFICIENT_FUNDS": _NO_MONEY,
    "INSUFFICIENT_FUNDS": _NO_MONEY,
}
