"""Stripe's errors in the shop's own words; what helps the seller goes into the log."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import stripe

from handsel.kit.errors import (
    BadInputError,
    ConfigurationError,
    ConflictError,
    ShopError,
)
from handsel.sales.payments.base import ProviderUnavailableError, UnknownSessionError

log = logging.getLogger("handsel.payments.stripe")


@contextmanager
def in_our_words(
    said: Callable[[stripe.StripeError], ShopError] | None = None,
) -> Iterator[None]:
    """Turn every error of Stripe's inside the block into one of the shop's.

    Args:
        said: how; `about_payments` if nothing else is named.

    Raises ProviderUnavailableError, UnknownSessionError, ConfigurationError,
    ConflictError, BadInputError.
    """
    try:
        yield
    except stripe.StripeError as error:
        _note(error)
        raise (said or about_payments)(error) from error


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


def about_payments(error: stripe.StripeError) -> ShopError:
    """Say to a buyer what went wrong while paying."""
    match error:
        case stripe.AuthenticationError() | stripe.PermissionError():
            return _forbidden()
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


def about_refunds(error: stripe.StripeError) -> ShopError:
    """Say to the seller why money does not go back.

    Only what is said of the money itself is a ConflictError. The same key with other
    words is none: another call with it may have been taken on.
    """
    match error:
        case stripe.AuthenticationError() | stripe.PermissionError():
            return _forbidden()
        case stripe.IdempotencyError():
            return _away()
        case stripe.InvalidRequestError() | stripe.CardError():
            return _unknown(error) or _not_refunded(error) or _odd(error)
    return _away()


def about_disputes(error: stripe.StripeError) -> ShopError:
    """Say to the seller why an answer to a dispute was not taken."""
    match error:
        case stripe.AuthenticationError() | stripe.PermissionError():
            return _forbidden()
        case stripe.InvalidRequestError():
            return _unknown(error) or ConflictError(
                "Stripe does not take this answer to the dispute.",
                "It is decided, or too late: look at the payment in Stripe's dashboard.",
            )
    return _away()


def about_balance(error: stripe.StripeError) -> ShopError:
    """Say to the seller why Stripe does not tell what has become of the money."""
    match error:
        case stripe.AuthenticationError() | stripe.PermissionError():
            return _forbidden()
        case stripe.InvalidRequestError():
            return ConflictError(
                f"Stripe does not tell ({error.code or 'no code'}).",
                f"The log and Stripe's dashboard tell more; request {error.request_id}.",
            )
    return _away()


def _forbidden() -> ShopError:
    return ConfigurationError(
        "Stripe does not accept stripe.secret_key, or the key may not do this.",
        "Copy a key from Stripe's dashboard that may write Checkout Sessions, Refunds and "
        "Disputes, and read Payment Intents, Charges and Events.",
    )


def _away() -> ShopError:
    return ProviderUnavailableError(
        "Stripe is not answering.", "Please try again in a minute."
    )


def _unknown(error: stripe.StripeError) -> ShopError | None:
    if error.http_status == 404 or error.code == "resource_missing":
        return UnknownSessionError("Stripe knows no such purchase.")
    return None


def _not_refunded(error: stripe.StripeError) -> ShopError | None:
    for codes, message, hint in _NOT_REFUNDED:
        if error.code in codes:
            return ConflictError(message, hint)
    if getattr(error, "param", None) == "amount" or isinstance(error, stripe.CardError):
        return ConflictError(
            "Stripe cannot give so much of this payment back.", _IN_DASHBOARD
        )
    return None


_IN_DASHBOARD = "Look at the payment in Stripe's dashboard."
_NOT_REFUNDED = (
    (
        ("charge_already_refunded",),
        "This payment has gone back already.",
        _IN_DASHBOARD,
    ),
    (
        ("charge_disputed", "refund_disputed_payment"),
        "The buyer disputes this payment with their bank, so Stripe does not refund it.",
        "Accept the dispute in Stripe's dashboard, or answer it: handsel order evidence",
    ),
    (
        ("charge_not_refundable",),
        "Stripe does not refund this payment any more.",
        "It may be too old: pay the buyer in another way, or ask Stripe.",
    ),
    (
        ("insufficient_funds", "balance_insufficient"),
        "There is not enough money in your balance at Stripe.",
        "Add some in Stripe's dashboard, or wait for sales; then ask again.",
    ),
)


def _odd(error: stripe.StripeError) -> ShopError:
    return ConfigurationError(
        f"Stripe refused the request ({error.code or 'no code'}).",
        f"The log and Stripe's dashboard tell more; request {error.request_id}.",
    )


def _refused(error: stripe.InvalidRequestError) -> ShopError:
    if error.param == "customer_email":
        return BadInputError(
            "Stripe does not accept this e-mail address.",
            "Look for a typing error in it.",
            field="email",
        )
    if error.code in ("amount_too_small", "amount_too_large"):
        return BadInputError(
            "This price is too small or too large to be paid by card.",
            "Please tell the seller.",
            field="price",
        )
    return _unknown(error) or _odd(error)
