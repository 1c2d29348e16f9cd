"""Stripe's objects as its API writes them: the fields that exist, and no other.

`test_fake_stripe` compares every field with the types of Stripe's own library.
"""

import secrets

from tests.providers.fakes.bank import Obj

API_VERSION = "2026-10-28.endive"


def new_id(prefix: str) -> str:
    """Give a name that nobody has; sessions carry `test` in theirs."""
    return f"{prefix}_{secrets.token_hex(28 if prefix.startswith('cs') else 12)}"


def session(params: Obj, *, origin: str, created: int) -> Obj:
    """Make an open Checkout Session from checked parameters."""
    name = new_id("cs_test")
    own = params.get("ui_mode") == "elements"
    total = sum(_line_total(line) for line in params["line_items"])
    return {
        "id": name,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": _automatic_tax(params),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": f"{name}_secret_{secrets.token_hex(16)}" if own else None,
        "created": created,
        "currency": params["line_items"][0]["price_data"]["currency"],
        "customer": None,
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "expires_at": int(params.get("expires_at", created + 24 * 3600)),
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "payment_intent": None,
        "payment_link": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "return_url": params.get("return_url"),
        "status": "open",
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": params.get("ui_mode", "hosted_page"),
        "url": None if own else f"{origin}/c/pay/{name}",
    }


def _automatic_tax(params: Obj) -> Obj:
    asked = params.get("automatic_tax", {}).get("enabled") == "true"
    liability = {"account": None, "type": "self"} if asked else None
    status = "requires_location_inputs" if asked else None
    return {
        "enabled": asked,
        "liability": liability,
        "provider": "stripe" if asked else None,
        "status": status,
    }


def taxed(session: Obj, country: str) -> None:
    """Work the tax in the price out, once it is known where the buyer is: as for books."""
    percent = {"AT": 10, "DE": 7, "US": 0}[country]
    total = session["amount_total"]
    session["automatic_tax"]["status"] = "complete"
    tax = (2 * total * percent + 100 + percent) // (2 * (100 + percent))
    session["total_details"]["amount_tax"] = tax


def _line_total(line: Obj) -> int:
    return int(line["price_data"]["unit_amount"]) * int(line.get("quantity", 1))


def intent(of: Obj, data: Obj, *, created: int) -> Obj:
    """Make the payment of a session, as it stands before the bank has answered."""
    name = new_id("pi")
    return {
        "id": name,
        "object": "payment_intent",
        "amount": of["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "created": created,
        "currency": of["currency"],
        "customer": None,
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "payment_method": None,
        "payment_method_types": ["card"],
        "receipt_email": None,
        "statement_descriptor": None,
        "status": "requires_payment_method",
    }


def charge(of: Obj, *, email: str, card: str, status: str, created: int) -> Obj:
    """Make one try to take the money; `status` succeeded, pending or failed."""
    taken = status == "succeeded"
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": of["amount"],
        "amount_captured": of["amount"] if taken else 0,
        "amount_refunded": 0,
        "billing_details": {"address": None, "email": email, "name": "A. Buyer"},
        "calculated_statement_descriptor": "FAKE SHOP",
        "captured": taken,
        "created": created,
        "currency": of["currency"],
        "customer": None,
        "description": of["description"],
        "disputed": False,
        "failure_code": "card_declined" if status == "failed" else None,
        "failure_message": None,
        "livemode": False,
        "metadata": of["metadata"],
        "paid": status != "failed",
        "payment_intent": of["id"],
        "payment_method": new_id("pm"),
        "payment_method_details": {
            "card": {"brand": "visa", "country": "AT", "last4": card[-4:]},
            "type": "card",
        },
        "receipt_email": None,
        "refunded": False,
        "status": status,
    }


def declined(charge: Obj) -> Obj:
    """Say why a payment did not go through."""
    return {
        "charge": charge["id"],
        "code": "card_declined",
        "decline_code": "generic_decline",
        "message": "Your card was declined.",
        "type": "card_error",
    }


def refund(
    of: Obj,
    amount: int,
    *,
    status: str,
    reason: str | None,
    metadata: dict[str, str],
    now: int,
) -> Obj:
    """Make the refund of some of a charge."""
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "metadata": metadata,
        "payment_intent": of["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "status": status,
    }


def dispute(of: Obj, *, status: str, created: int) -> Obj:
    """Make the dispute of a whole charge."""
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": of["amount"],
        "balance_transactions": [],
        "charge": of["id"],
        "created": created,
        "currency": of["currency"],
        "evidence_details": {
            "due_by": created + 7 * 24 * 3600,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": status.startswith("warning"),
        "livemode": False,
        "metadata": {},
        "payment_intent": of["payment_intent"],
        "reason": "fraudulent",
        "status": status,
    }


def balance_transaction(
    source: str | None,
    *,
    kind: str,
    category: str,
    amount: int,
    fee: int,
    currency: str,
    rate: float | None,
    description: str | None,
    created: int,
    available: int,
) -> Obj:
    """Make one line of the seller's balance; amounts in the currency of the balance."""
    detail = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": description,
        "exchange_rate": rate,
        "fee": fee,
        "fee_details": [detail] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "pending",
        "type": kind,
    }


def payout(
    amount: int, currency: str, *, automatic: bool, method: str, created: int
) -> Obj:
    """Make a payout that arrives at the next midnight but one."""
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": created - created % (24 * 3600) + 2 * 24 * 3600,
        "automatic": automatic,
        "balance_transaction": None,
        "created": created,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": new_id("ba"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": method,
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def event(kind: str, subject: Obj, *, created: int) -> Obj:
    """Make the message that something happened to an object."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
