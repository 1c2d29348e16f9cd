"""What Stripe would not accept when a session is made."""

import re
from collections.abc import Callable

from stripe.params.checkout import SessionCreateParams

from tests.providers.fakes.bank import Obj

Invalid = Callable[..., Exception]

_MINIMUM = {"eur": 50, "usd": 50, "gbp": 30, "chf": 50, "jpy": 50, "sek": 300}
_UI_MODES = ("hosted_page", "embedded_page", "elements", "form")


def check_session(params: Obj, now: int, invalid: Invalid) -> None:
    """Refuse as Stripe's API of `API_VERSION` does. Raises what `invalid` makes."""
    if "payment_method_types" in params:
        raise invalid(
            "payment_method_types is no longer supported.",
            "payment_method_types",
            "payment_method_types_no_longer_supported",
        )
    for name in params:
        if name not in SessionCreateParams.__annotations__:
            raise invalid(
                f"Received unknown parameter: {name}", name, "parameter_unknown"
            )
    _check_place(params, invalid)
    taxed = params.get("automatic_tax", {}).get("enabled") == "true"
    _check_lines(params.get("line_items", []), invalid, taxed=taxed)
    _check_metadata(params.get("metadata", {}), invalid)
    email = params.get("customer_email")
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise invalid("Invalid email address.", "customer_email", "email_invalid")
    wait = int(params.get("expires_at", now + 3600)) - now
    if not 30 * 60 <= wait <= 24 * 3600:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from "
            "Checkout Session creation.",
            "expires_at",
        )


def _check_place(params: Obj, invalid: Invalid) -> None:
    if params.get("mode") != "payment":
        raise invalid("This fake sells once only.", "mode")
    if params.get("ui_mode", "hosted_page") not in _UI_MODES:
        raise invalid("Invalid ui_mode.", "ui_mode")
    wanted, refused = "success_url", ["return_url"]
    if params.get("ui_mode") == "elements":
        wanted, refused = "return_url", ["success_url", "cancel_url", "submit_type"]
    for name in refused:
        if name in params:
            raise invalid(f"You can not pass `{name}` with this ui_mode.", name)
    if not re.match(r"https?://", params.get(wanted, "")):
        raise invalid("Not a valid URL", wanted, "url_invalid")


def _check_lines(lines: list[Obj], invalid: Invalid, *, taxed: bool) -> None:
    if not lines:
        raise invalid("Missing required param: line_items.", "line_items")
    for line in lines:
        price = line["price_data"]
        if not price["product_data"]["name"]:
            raise invalid("You passed an empty string for name.", "name")
        if taxed and price.get("tax_behavior") not in ("inclusive", "exclusive"):
            raise invalid("Automatic tax needs a tax_behavior.", "tax_behavior")
        code = price["product_data"].get("tax_code", "txcd_10000000")
        if not re.fullmatch(r"txcd_\d{8}", code):
            raise invalid("No such tax code.", "tax_code")
        amount = int(price["unit_amount"])
        if amount > 99_999_999:
            raise invalid("Amount too large.", "unit_amount", "amount_too_large")
        if amount < _MINIMUM.get(price["currency"], 1):
            raise invalid("Amount too small.", "unit_amount", "amount_too_small")


def _check_metadata(metadata: Obj, invalid: Invalid) -> None:
    long = any(len(key) > 40 or len(text) > 500 for key, text in metadata.items())
    if long or len(metadata) > 50:
        raise invalid("Metadata is 50 keys of 40 and values of 500.", "metadata")
