"""Orders at PayPal: made, approved by the buyer there, and then taken by us, once.

Source: developer.paypal.com/docs/api/orders/v2, .../payments/v2, .../customer-disputes/v1.
Import this only when the first call is due: `requests` takes a while.
"""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models.words import RefundReason
from handsel.sales.payments import paypal_facts
from handsel.sales.payments.base import (
    Declined,
    Evidence,
    ForeignPaymentError,
    Glimpse,
    Payment,
    Purchase,
    RefundRequest,
    Started,
)
from handsel.sales.payments.paypal_changes import sessions_since
from handsel.sales.payments.paypal_client import PayPalClient, request_id
from handsel.sales.payments.paypal_errors import (
    PayPalError,
    about_disputes,
    about_looks,
    about_refunds,
    in_our_words,
    note,
    unknown,
)
from handsel.sales.payments.paypal_facts import Sale
from handsel.sales.payments.paypal_money import to_paypal
from handsel.sales.payments.paypal_reference import FIELD, Agreed

log = logging.getLogger("handsel.payments.paypal")

_ORDERS = "/v2/checkout/orders"
_PAYMENTS = "/v2/payments"
_DISPUTES = "/v1/customer/disputes"

MOST_TITLE = 127
"""Letters of a thing's name that PayPal takes."""

# PayPal says no for good: to the buyer's way to pay, or to the seller's account.
_REFUSED = (400, 403, 422)

# Of those, what is said of the card, or the account, of whoever pays.
_DECLINED = ("INSTRUMENT_DECLINED", "TRANSACTION_REFUSED", "PAYER_CANNOT_PAY")

_REASONS = {
    RefundReason.REQUESTED: "Refunded as you asked.",
    RefundReason.DUPLICATE: "It was paid twice.",
    RefundReason.FRAUDULENT: "Refunded.",
}


class PayPalApi:
    """One account of PayPal's, as far as the shop has to do with it.

    Args:
        brand: who sells, for PayPal's page.
        test: whether it is play money.
    """

    def __init__(self, client: PayPalClient, brand: str, *, test: bool) -> None:
        self._client = client
        self._brand = brand[:MOST_TITLE]
        self._test = test
        self._payee = ""
        self._order_of = lru_cache(maxsize=1000)(self._ask_order_of)

    def start(self, purchase: Purchase) -> Started:
        """Make an order; the same key gives the same one for some hours."""
        agreed = Agreed(purchase.price, purchase.expires_at, purchase.reference)
        body = _order_body(purchase, agreed, self._brand)
        with in_our_words():
            found = self._client.post(_ORDERS, body, request_id(purchase.key, "start"))
        order = paypal_facts.read_order(found)
        if order.price != purchase.price:
            raise ConflictError(
                "This purchase was begun before with other details.",
                "Please go back to the product's page and begin again.",
            )
        self._payee = self._payee or order.payee
        return Started(order.id, order.page, order.ends)

    def look_up(self, object_id: str, now: datetime) -> Payment:
        """Give the truth about the order that an object belongs to; take what is due."""
        with in_our_words(about_looks):
            order = self._order(self._order_id(object_id))
            fresh = order.status == "APPROVED"
            declined: tuple[Declined, ...] = ()
            if fresh:
                order, declined = self._take(order, now)
            # Of money that was just taken nobody can have complained yet.
            disputes = () if fresh else tuple(self._disputes(order))
            payee = self._our_account(order) if order.captures else self._payee
        payment = paypal_facts.payment(
            order, disputes, now, payee=payee, test=self._test
        )
        return replace(payment, declined=payment.declined + declined)

    def _take(self, order: Sale, now: datetime) -> tuple[Sale, tuple[Declined, ...]]:
        """Take the money of an approved order, if it is what was agreed; look again.

        Whoever comes second finds it done: PayPal takes the money of an order once,
        whatever a call is named. The name is that of this approval, so that a buyer who
        was declined and has chosen another way to pay gets another answer. Where PayPal
        refuses, nothing is taken: the order stays open; the second thing given is the
        try, if it was the buyer's bank that said no.
        """
        if now >= order.ends or (order.agreed and order.agreed.closed):
            return order, ()
        if not paypal_facts.is_as_agreed(order, self._our_account(order)):
            log.warning(
                "Order %s at PayPal is not as it was agreed: not taken.", order.id
            )
            return order, ()
        name = request_id(order.id, "capture", order.changed)
        declined: tuple[Declined, ...] = ()
        try:
            self._client.post(f"{_ORDERS}/{order.id}/capture", {}, name, slow=True)
        except PayPalError as error:
            if error.http_status not in _REFUSED:
                raise
            if error.issue != "ORDER_ALREADY_CAPTURED":
                note(error)
            if error.issue in _DECLINED:
                declined = (Declined(name, now),)
        return self._order(order.id), declined

    def _our_account(self, order: Sale) -> str:
        """Give the account our money should go to: that of an order we make ourselves.

        Nobody else can make it, it is never shown to a buyer, and PayPal forgets it.
        """
        if not self._payee:
            amount = {"currency_code": order.price.currency, "value": "1"}
            body = {"intent": "CAPTURE", "purchase_units": [{"amount": amount}]}
            found = self._client.post(_ORDERS, body, request_id(order.id, "account"))
            self._payee = paypal_facts.read_order(found).payee
        return self._payee

    def cancel(self, session_id: str) -> None:
        """Write into an order that it has ended: PayPal itself cannot end one.

        What is approved after that is never taken, and PayPal lets go of it.
        """
        with in_our_words():
            order = self._order(_plain(session_id))
            if order.captures or not order.agreed or order.agreed.closed:
                return
            change = {
                "op": "replace",
                "path": "/purchase_units/@reference_id=='default'/custom_id",
                "value": order.agreed.ended().written()[:FIELD],
            }
            try:
                self._client.patch(f"{_ORDERS}/{order.id}", [change])
            except PayPalError:
                # Over already, perhaps this very moment; anything else is an error.
                if not self._order(order.id).captures:
                    raise

    def refund(self, session_id: str, wanted: RefundRequest) -> str:
        """Give money of an order back; the same key gives it back once."""
        with in_our_words(about_refunds):
            order = self._order(_plain(session_id))
            for before in order.refunds:
                if before.key == wanted.key:
                    return before.id
            if order.capture is None:
                raise ConflictError("Nothing was paid, so nothing can go back.")
            made = self._client.post(
                f"{_PAYMENTS}/captures/{order.capture.id}/refund",
                _refund_body(wanted),
                request_id(wanted.key, "refund"),
                slow=True,
            )
        if made["status"] in ("FAILED", "CANCELLED"):
            raise ConflictError(
                "PayPal could not give this money back.",
                "Look at the payment in your PayPal account.",
            )
        return str(made["id"])

    def contest(self, session_id: str, evidence: Evidence) -> str:
        """Answer the dispute of an order that waits for it."""
        with in_our_words(about_disputes):
            order = self._order(_plain(session_id))
            for found in self._disputes(order):
                if found["status"] != "WAITING_FOR_SELLER_RESPONSE":
                    continue
                name = str(found["dispute_id"])
                full = self._client.get(f"{_DISPUTES}/{name}")
                if paypal_facts.link(full, "provide_evidence"):
                    said = json.dumps(paypal_facts.answer(evidence))
                    form = {"input": (None, said, "application/json")}
                    self._client.send(f"{_DISPUTES}/{name}/provide-evidence", form)
                    return name
        raise ConflictError(
            "No dispute of this payment waits for an answer.",
            "It was answered before, is decided, or is still a question of the buyer's: "
            "PayPal's Resolution Center has all of it.",
        )

    def sessions_since(self, since: datetime, now: datetime) -> Iterator[Glimpse]:
        """Name every order that something happened to since then."""
        with in_our_words():
            yield from sessions_since(self._client, self._order_of, since, now)

    def _order(self, order_id: str) -> Sale:
        order = paypal_facts.read_order(self._client.get(f"{_ORDERS}/{order_id}"))
        if order.agreed is None:
            raise _foreign()
        return order

    def _order_id(self, object_id: str) -> str:
        """Find the order of a `capture:`; PayPal's names do not say what they name."""
        if object_id.startswith("capture:"):
            return self._order_of(_plain(object_id.removeprefix("capture:")))
        return _plain(object_id)

    def _ask_order_of(self, capture: str) -> str:
        found = self._client.get(f"{_PAYMENTS}/captures/{capture}")
        ids = (found.get("supplementary_data") or {}).get("related_ids") or {}
        if not ids.get("order_id"):
            raise _foreign()
        return _plain(ids["order_id"])

    def _disputes(self, order: Sale) -> Iterator[dict[str, Any]]:
        """Give the disputes of an order, those that are over with their outcome.

        A shop that may not ask about disputes must still hear of its sales.
        """
        for capture in order.captures:
            try:
                found = self._client.get(
                    _DISPUTES, disputed_transaction_id=capture.id, page_size=50
                )
            except PayPalError as error:
                if error.http_status != 403:
                    raise
                log.error("PayPal's app may not see Customer Disputes: let it.")
                return
            for each in found.get("items") or ():
                if each["status"] == "RESOLVED":
                    each = self._client.get(f"{_DISPUTES}/{each['dispute_id']}")
                yield each


def _order_body(purchase: Purchase, agreed: Agreed, brand: str) -> dict[str, Any]:
    """Say what is bought, and that nothing is shipped."""
    amount = _amount(purchase.price)
    title = purchase.title[:MOST_TITLE]
    paypal: dict[str, Any] = {
        "experience_context": {
            "brand_name": brand,
            "shipping_preference": "NO_SHIPPING",
            "user_action": "PAY_NOW",
            # PayPal adds `token=<id>` to both.
            "return_url": purchase.return_url,
            "cancel_url": purchase.cancel_url,
        }
    }
    if purchase.email:
        paypal["email_address"] = purchase.email
    written = agreed.written()
    item = {
        "name": title,
        "quantity": "1",
        "unit_amount": amount,
        "category": "DIGITAL_GOODS",
    }
    if len(written) > FIELD:
        item["sku"] = written[FIELD:]
    unit = {
        "custom_id": written[:FIELD],
        "description": title,
        "amount": {**amount, "breakdown": {"item_total": amount}},
        "items": [item],
    }
    return {
        "intent": "CAPTURE",
        "purchase_units": [unit],
        "payment_source": {"paypal": paypal},
    }


def _refund_body(wanted: RefundRequest) -> dict[str, Any]:
    return {
        "amount": _amount(wanted.amount),
        "custom_id": wanted.key,
        "note_to_payer": _REASONS[wanted.reason],
    }


def _amount(money: Money) -> dict[str, str]:
    return {"currency_code": money.currency, "value": to_paypal(money)}


def _plain(object_id: str) -> str:
    """Let nothing else into an address. Raises UnknownSessionError."""
    if re.fullmatch(r"[A-Z0-9]{10,36}", object_id):
        return object_id
    raise unknown()


def _foreign() -> ForeignPaymentError:
    return ForeignPaymentError("This payment at PayPal was not made by a shop of ours.")
