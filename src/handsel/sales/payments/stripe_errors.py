"""Stripe's errors in the shop's own words; what helps the seller goes into the log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from handsel.kit.errors import (
    BadInputError,
    ConfigurationError,
    ConflictError,
    ShopError,
)
from handsel.sales.payments.base import ProviderUnavailableError, UnknownSessionError

_NOTHING_LEFT = ("charge_already_refunded", "charge_disputed")

log = logging.getLogger("handsel.payments.stripe")


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn every error of Stripe's inside the block into one of the shop's.

    Raises ProviderUnavailableError, UnknownSessionError, ConfigurationError,
    ConflictError, BadInputError.
    """
    try:
        yield
    except stripe.StripeError as error:
        _note(error)
        raise _translated(error) from error


def _note(error: stripe.StripeError) -> None:
    """Write down what happened; the text itself may quote a buyer, so not the text."""
    level = logging.INFO if error.code == "resource_missing" else logging.WARNING
    log.log(
        level,
        "Stripe says %s: status %s, code %s, param %s, request %s",
        type(error).__name__,
        error.http_status,
        error.code,
        getattr(error, "param", None),
        error.request_id,
    )


def _translated(error: stripe.StripeError) -> ShopError:
    match error:
        case stripe.AuthenticationError() | stripe.PermissionError():
            return ConfigurationError(
                "Stripe does not accept stripe.secret_key, or the key may not do this.",
                "Copy a key from Stripe's dashboard that may write Checkout Sessions and "
                "Refunds, and read Payment Intents, Charges, Disputes and Events.",
            )
        case stripe.IdempotencyError():
            return ConflictError(
                "This purchase was begun before with other details.",
                "Please go back to the product's page and begin again.",
            )
        case stripe.InvalidRequestError():
            return _refused(error)
    return ProviderUnavailableError(
        "The payment provider is not answering. You were not charged.",
        "Please try again in a minute.",
    )


def _refused(error: stripe.InvalidRequestError) -> ShopError:
    if error.http_status == 404 or error.code == "resource_missing":
        return UnknownSessionError("Stripe knows no such purchase.")
    if error.param == "customer_email":
        return BadInputError(
            "Stripe does not accept this e-mail address.",
            "Look for a typing error in it.",
            field="email",
        )
    if error.code in _NOTHING_LEFT or error.param == "amount":
        return ConflictError(
            "Stripe cannot give so much of this payment back.",
            "It has gone back already, or a dispute has taken it: look at the payment in "
            "Stripe's dashboard.",
        )
    if error.code in ("amount_too_small", "amount_too_large"):
        return BadInputError(
            "This price is too small or too large to be paid by card.",
            "Please tell the seller.",
            field="price",
        )
    return ConfigurationError(
        f"Stripe refused the request ({error.code or 'no code'}).",
        f"The log and Stripe's dashboard tell more; request {error.request_id}.",
    )
