"""Calls to Stripe: every one has a time limit, and fails in the shop's own words.

Import this only when the first call is due: Stripe's library is heavy.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urljoin

import stripe
from stripe import PaymentIntent
from stripe.checkout import Session
from stripe.params import RefundCreateParams
from stripe.params.checkout import (
    SessionCreateParams,
    SessionCreateParamsLineItem,
)

from handsel.kit.errors import ConflictError
from handsel.models.words import RefundReason, TaxClass
from handsel.sales.payments import stripe_balance, stripe_facts
from handsel.sales.payments.base import (
    Evidence,
    ForeignPaymentError,
    Glimpse,
    Payment,
    Purchase,
    RefundRequest,
    Started,
    UnknownSessionError,
)
from handsel.sales.payments.lines import Line, PayoutFacts
from handsel.sales.payments.stripe_changes import sessions_since
from handsel.sales.payments.stripe_errors import (
    about_disputes,
    about_refunds,
    in_our_words,
)
from handsel.sales.payments.stripe_money import to_stripe
from handsel.sales.payments.stripe_webhook import PURCHASE

# Seconds to connect, and to wait for an answer; with one repeat about ten in all.
_TIMEOUT = (2.0, 5.0)
_REPEATS = 1

# Stripe takes 30 minutes to 24 hours; a minute less at both ends, as clocks differ.
_SHORTEST = timedelta(minutes=31)
_LONGEST = timedelta(hours=24) - timedelta(minutes=1)

# The charge brings its last ten refunds with it, and that saves a call.
_PAID_WITH = "payment_intent.latest_charge.refunds"

# Electronic services in general; books, and works of sound, to download and to keep:
# docs.stripe.com/tax/tax-codes.
_TAX_CODES = {
    TaxClass.STANDARD: "txcd_10000000",
    TaxClass.EBOOK: "txcd_10302000",
    TaxClass.AUDIOBOOK: "txcd_10401100",
}

_REASONS: dict[
    RefundReason, Literal["requested_by_customer", "duplicate", "fraudulent"]
] = {
    RefundReason.REQUESTED: "requested_by_customer",
    RefundReason.DUPLICATE: "duplicate",
    RefundReason.FRAUDULENT: "fraudulent",
}


class StripeApi:
    """One account of Stripe's, as far as the shop has to do with it."""

    def __init__(self, secret_key: str, api_base: str | None, *, tax: bool) -> None:
        self._tax = tax
        self._livemode = "_live_" in secret_key
        self._client = stripe.StripeClient(
            secret_key,
            http_client=stripe.RequestsClient(timeout=_TIMEOUT),
            max_network_retries=_REPEATS,
            base_addresses={"api": api_base} if api_base else None,
        )

    def start(self, purchase: Purchase, now: datetime, *, own: bool) -> Started:
        """Open a Checkout Session; the same key gives the same one for a day.

        `own`: for Stripe's fields on our page instead of Stripe's own page.
        """
        params = _session_params(purchase, now)
        params |= _on_our_page(purchase) if own else _on_their_page(purchase)
        if self._tax:
            params |= _with_tax(purchase)
        with in_our_words():
            session = self._client.v1.checkout.sessions.create(
                params,
                {"idempotency_key": f"{purchase.key}:{'own' if own else 'start'}"},
            )
        if own:
            ours = urljoin(purchase.return_url, f"/pay/{session.id}")
            return Started(session.id, ours)
        assert session.url, "an open session on Stripe's page has an address"
        return Started(session.id, session.url)

    def payable(self, session_id: str) -> tuple[str, str | None] | None:
        """Give the secret with which a browser pays a session, and its e-mail address.

        None when it is over, or is paid on Stripe's page.
        """
        with in_our_words():
            session = self._client.v1.checkout.sessions.retrieve(
                _well_formed(session_id)
            )
        self._check(session)
        if session.status != "open" or session.ui_mode != "elements":
            return None
        assert session.client_secret, "a session for a browser has a secret"
        return session.client_secret, session.customer_email

    def look_up(self, object_id: str) -> Payment:
        """Give the truth about the session that an object belongs to."""
        session_id = self._session_id(object_id)
        with in_our_words():
            session = self._client.v1.checkout.sessions.retrieve(
                session_id, {"expand": [_PAID_WITH]}
            )
            self._check(session)
            return stripe_facts.payment(
                session, self._refunds(session), self._disputes(session)
            )

    def cancel(self, session_id: str) -> None:
        """Expire a session; nothing happens to one that is over."""
        name = _well_formed(session_id)
        sessions = self._client.v1.checkout.sessions
        with in_our_words():
            try:
                sessions.expire(name)
            except stripe.InvalidRequestError:
                # Over already, perhaps this very moment; anything else is an error.
                if sessions.retrieve(name).status == "open":
                    raise

    def refund(self, session_id: str, wanted: RefundRequest) -> str:
        """Give money of a session back; the same key gives it back once."""
        with in_our_words(about_refunds):
            session = self._client.v1.checkout.sessions.retrieve(
                _well_formed(session_id), {"expand": [_PAID_WITH]}
            )
            self._check(session)
            for before in self._refunds(session):
                if stripe_facts.key_of(before) == wanted.key:
                    return before.id
            made = self._client.v1.refunds.create(
                _refund_params(session, wanted),
                {"idempotency_key": f"{wanted.key}:refund"},
            )
        return made.id

    def contest(self, session_id: str, evidence: Evidence) -> str:
        """Answer the dispute of a session that waits for it."""
        with in_our_words(about_disputes):
            session = self._client.v1.checkout.sessions.retrieve(
                _well_formed(session_id), {"expand": [_PAID_WITH]}
            )
            self._check(session)
            for dispute in self._disputes(session):
                if dispute.status in ("needs_response", "warning_needs_response"):
                    self._client.v1.disputes.update(
                        dispute.id, stripe_facts.answer(evidence)
                    )
                    return dispute.id
        raise ConflictError(
            "No dispute of this payment waits for an answer.",
            "It was answered before, or is decided: Stripe's dashboard has all of it.",
        )

    def sessions_since(self, since: datetime, now: datetime) -> Iterator[Glimpse]:
        """Name every session created or changed since then."""
        with in_our_words():
            yield from sessions_since(self._client, since, now)

    def payouts(self, since: datetime) -> Iterator[PayoutFacts]:
        """Name the payouts made since then."""
        return stripe_balance.payouts(self._client, since)

    def lines(self, since: datetime, until: datetime) -> Iterator[Line]:
        """Tell what changed the balance from then on and before `until`."""
        return stripe_balance.lines(self._client, since, until)

    def lines_of(self, payout: str) -> Iterator[Line]:
        """Tell what a payout is made up of."""
        return stripe_balance.lines_of(self._client, payout)

    def _session_id(self, object_id: str) -> str:
        """Find the session of a payment, charge, refund or dispute."""
        kind = _well_formed(object_id).partition("_")[0]
        if kind == "cs":
            return object_id
        with in_our_words():
            intent = object_id if kind == "pi" else self._payment_of(kind, object_id)
            found = self._client.v1.checkout.sessions.list(
                {"payment_intent": intent, "limit": 1}
            )
        if not found.data:
            raise _foreign()
        return found.data[0].id

    def _payment_of(self, kind: str, object_id: str) -> str:
        v1 = self._client.v1
        if kind in ("ch", "py"):
            intent = v1.charges.retrieve(object_id).payment_intent
        elif kind in ("re", "pyr"):
            intent = v1.refunds.retrieve(object_id).payment_intent
        else:
            intent = v1.disputes.retrieve(object_id).payment_intent
        if intent is None:
            raise _foreign()
        return intent if isinstance(intent, str) else intent.id

    def _check(self, session: Session) -> None:
        """Refuse a session of the other mode, and one that is not for a sale."""
        if session.livemode is not self._livemode or session.mode != "payment":
            raise _foreign()

    def _refunds(self, session: Session) -> Iterator[stripe.Refund]:
        charge = stripe_facts.charge_of(session)
        if charge is None or charge.refunds is None:
            return iter(())
        if not charge.refunds.has_more:
            return iter(charge.refunds.data)
        return self._client.v1.refunds.list(
            {"charge": charge.id, "limit": 100}
        ).auto_paging_iter()

    def _disputes(self, session: Session) -> Iterator[stripe.Dispute]:
        intent = session.payment_intent
        if session.payment_status != "paid" or not isinstance(intent, PaymentIntent):
            return iter(())
        return self._client.v1.disputes.list(
            {"payment_intent": intent.id, "limit": 100}
        ).auto_paging_iter()


def _session_params(purchase: Purchase, now: datetime) -> SessionCreateParams:
    """Say what is bought. How to pay for it is chosen in Stripe's dashboard."""
    reference = dict(purchase.reference)
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": [_line(purchase)],
        "client_reference_id": purchase.key,
        "metadata": reference,
        # Only this copy is found at the payment itself, and in its web hooks.
        "payment_intent_data": {
            "metadata": reference | {PURCHASE: purchase.key},
            "description": purchase.title,
        },
        "expires_at": int(_ending(purchase.expires_at, now).timestamp()),
    }
    if purchase.email:
        params["customer_email"] = purchase.email
    return params


def _with_tax(purchase: Purchase) -> SessionCreateParams:
    """Let Stripe Tax say how much of the price is tax; it asks for the address it needs.

    See docs.stripe.com/tax/checkout.
    """
    line = _line(purchase)
    line["price_data"]["tax_behavior"] = "inclusive"
    line["price_data"]["product_data"]["tax_code"] = _TAX_CODES[purchase.tax_class]
    return {"automatic_tax": {"enabled": True}, "line_items": [line]}


def _on_our_page(purchase: Purchase) -> SessionCreateParams:
    """Say where buyers come back to who had to leave our page for their bank's.

    As in Stripe's "Build a checkout page with the Checkout Sessions API"
    (docs.stripe.com/payments/quickstart-checkout-sessions): this way of paying takes
    neither `success_url` nor `cancel_url`.
    """
    return {"ui_mode": "elements", "return_url": _coming_back(purchase)}


def _on_their_page(purchase: Purchase) -> SessionCreateParams:
    return {
        "ui_mode": "hosted_page",
        "success_url": _coming_back(purchase),
        "cancel_url": purchase.cancel_url,
    }


def _coming_back(purchase: Purchase) -> str:
    return purchase.return_url + "?session={CHECKOUT_SESSION_ID}"


def _refund_params(session: Session, wanted: RefundRequest) -> RefundCreateParams:
    intent = session.payment_intent
    if intent is None:
        raise ConflictError("Nothing was paid, so nothing can go back.")
    return {
        "payment_intent": intent if isinstance(intent, str) else intent.id,
        "amount": to_stripe(wanted.amount),
        "reason": _REASONS[wanted.reason],
        "metadata": {stripe_facts.KEY: wanted.key},
    }


def _line(purchase: Purchase) -> SessionCreateParamsLineItem:
    return {
        "quantity": 1,
        "price_data": {
            "currency": purchase.price.currency.lower(),
            "unit_amount": to_stripe(purchase.price),
            "product_data": {"name": purchase.title},
        },
    }


def _ending(wanted: datetime, now: datetime) -> datetime:
    return min(max(wanted, now + _SHORTEST), now + _LONGEST)


def _well_formed(object_id: str) -> str:
    """Let nothing else into an address. Raises UnknownSessionError."""
    if re.fullmatch(r"(cs|pi|ch|py|re|pyr|dp|du)_[A-Za-z0-9_]{1,250}", object_id):
        return object_id
    raise _unknown()


def _unknown() -> UnknownSessionError:
    return UnknownSessionError("Stripe knows no such purchase.")


def _foreign() -> ForeignPaymentError:
    return ForeignPaymentError("This payment at Stripe was not made by a shop of ours.")
