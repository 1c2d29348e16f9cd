"""PayPal's objects as its API writes them: the fields that exist, and no other."""

import secrets
from datetime import UTC, datetime

from tests.providers.fakes.bank import Obj

MERCHANT = "7BMTKKDHTRYPN"
"""The account of the shop, as PayPal names it; never of somebody else."""
OTHER_MERCHANT = "QQQQQQQQQQQQQ"
PAYER = "ABCDEFGHJK234"

_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_id() -> str:
    """Give a name that nobody has; PayPal's do not say what they name."""
    return "".join(secrets.choice(_LETTERS) for _ in range(17))


def when(moment: datetime) -> str:
    """Write a time as PayPal does."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def order(params: Obj, *, origin: str, now: datetime) -> Obj:
    """Make an order from a checked request."""
    name = new_id()
    source = params.get("payment_source", {}).get("paypal")
    [unit] = params["purchase_units"]
    made: Obj = {
        "id": name,
        "intent": params["intent"],
        "status": "PAYER_ACTION_REQUIRED" if source else "CREATED",
        "purchase_units": [
            {"reference_id": "default"}
            | unit
            | {"payee": {"email_address": "shop@example.com", "merchant_id": MERCHANT}}
        ],
        "create_time": when(now),
        "links": [
            {
                "href": f"{origin}/v2/checkout/orders/{name}",
                "rel": "self",
                "method": "GET",
            },
            {
                "href": f"{origin}/checkoutnow?token={name}",
                "rel": "payer-action" if source else "approve",
                "method": "GET",
            },
        ],
    }
    if source:
        email = source.get("email_address")
        made["payment_source"] = {"paypal": {"email_address": email} if email else {}}
    return made


def approval(order: Obj, *, email: str, country: str, now: datetime) -> None:
    """Write into an order who has approved it."""
    name = {"given_name": "A.", "surname": "Buyer"}
    address = {"country_code": country}
    order.update(status="APPROVED", update_time=when(now))
    order["payment_source"] = {
        "paypal": {
            "email_address": email,
            "account_id": PAYER,
            "account_status": "VERIFIED",
            "name": name,
            "address": address,
        }
    }
    order["payer"] = {
        "email_address": email,
        "payer_id": PAYER,
        "name": name,
        "address": address,
    }


def capture(order: Obj, *, status: str, origin: str, now: datetime) -> Obj:
    """Make the money of an order, as `GET /v2/payments/captures/ID` shows it."""
    name, [unit] = new_id(), order["purchase_units"]
    amount = {key: unit["amount"][key] for key in ("currency_code", "value")}
    made: Obj = {
        "id": name,
        "status": status,
        "amount": amount,
        "final_capture": True,
        "seller_protection": {"status": "NOT_ELIGIBLE"},
        "supplementary_data": {"related_ids": {"order_id": order["id"]}},
        "payee": unit["payee"],
        "create_time": when(now),
        "update_time": when(now),
        "links": [
            {"href": f"{origin}/v2/payments/captures/{name}", "rel": "self"},
            {"href": f"{origin}/v2/checkout/orders/{order['id']}", "rel": "up"},
        ],
    }
    if "custom_id" in unit:
        made["custom_id"] = unit["custom_id"]
    if status == "PENDING":
        made["status_details"] = {"reason": "ECHECK"}
    return made


def refund(
    capture: Obj, value: str, params: Obj, *, status: str, origin: str, now: datetime
) -> Obj:
    """Make a refund of some of a capture."""
    name = new_id()
    amount = {"currency_code": capture["amount"]["currency_code"], "value": value}
    kept: Obj = {
        key: params[key] for key in ("custom_id", "note_to_payer") if key in params
    }
    return {
        "id": name,
        "status": status,
        "amount": amount,
        **kept,
        "create_time": when(now),
        "update_time": when(now),
        "links": [
            {"href": f"{origin}/v2/payments/refunds/{name}", "rel": "self"},
            {"href": f"{origin}/v2/payments/captures/{capture['id']}", "rel": "up"},
        ],
    }


def receivable(amount: Obj, fee: str, net: str, exchanged: Obj | None) -> Obj:
    """Say what PayPal keeps of a capture; `exchanged`: what becomes of the rest."""
    currency = amount["currency_code"]
    return {
        "gross_amount": amount,
        "paypal_fee": {"currency_code": currency, "value": fee},
        "net_amount": {"currency_code": currency, "value": net},
    } | (exchanged or {})


def payable(amount: Obj, nothing: str, total: str) -> Obj:
    """Say what a refund takes from the seller: all of it, as PayPal keeps its fee."""
    currency = amount["currency_code"]
    return {
        "gross_amount": amount,
        "paypal_fee": {"currency_code": currency, "value": nothing},
        "net_amount": amount,
        "total_refunded_amount": {"currency_code": currency, "value": total},
    }


def dispute(capture: Obj, *, stage: str, origin: str, now: datetime) -> Obj:
    """Make a dispute about all of a capture; PayPal waits for the seller."""
    name = f"PP-R-{new_id()[:3]}-{secrets.randbelow(10**9):09}"
    return {
        "dispute_id": name,
        "create_time": when(now),
        "update_time": when(now),
        "disputed_transactions": [
            {
                "seller_transaction_id": capture["id"],
                "transaction_status": "COMPLETED",
                "gross_amount": capture["amount"],
                "seller": {"merchant_id": MERCHANT},
            }
        ],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_state": "REQUIRED_ACTION",
        "dispute_amount": capture["amount"],
        "dispute_life_cycle_stage": stage,
        "dispute_channel": "INTERNAL",
        "links": dispute_links(name, origin, answerable=stage != "INQUIRY"),
    }


def dispute_links(name: str, origin: str, *, answerable: bool) -> list[Obj]:
    """Give what can be done about a dispute."""
    base = f"{origin}/v1/customer/disputes/{name}"
    links = [{"href": base, "rel": "self", "method": "GET"}]
    if answerable:
        more = {"href": f"{base}/provide-evidence", "rel": "provide_evidence"}
        links.append(more | {"method": "POST"})
    return links


def summary(dispute: Obj) -> Obj:
    """Give a dispute as a list shows it: neither its payment nor its outcome."""
    left_out = ("disputed_transactions", "dispute_outcome", "evidences")
    found = {key: value for key, value in dispute.items() if key not in left_out}
    return found | {"links": dispute["links"][:1]}


def event(kind: str, resource: Obj, of: str, *, origin: str, now: datetime) -> Obj:
    """Tell what happened to an object."""
    name = f"WH-{new_id()}-{new_id()}"
    return {
        "id": name,
        "event_version": "1.0",
        "resource_version": "2.0",
        "create_time": when(now),
        "resource_type": of,
        "event_type": kind,
        "summary": f"{kind} happened",
        "resource": resource,
        "links": [
            {"href": f"{origin}/v1/notifications/webhooks-events/{name}", "rel": "self"}
        ],
    }
