"""What happens to money at the fake Stripe: buyers pay, banks refuse, time passes."""

import copy
from datetime import datetime

from tests.providers.fakes import stripe_objects as objects
from tests.providers.fakes.bank import Obj
from tests.providers.fakes.stripe_balance import Balance

GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"
LATE_ACCOUNT = "000123456789"
"""A bank account instead of a card: the money takes its time."""

_KINDS = ("session", "payment_intent", "charge", "refund", "dispute")
_ENDINGS = {
    "won": "won",
    "lost": "lost",
    "settled": "warning_closed",
    "prevented": "prevented",
}


class NotOpenError(Exception):
    """The session is paid, expired or cancelled."""


class FakeBank(Balance):
    """All that the fake Stripe knows, and the hands that change it.

    Args:
        start: what time it is when the bank opens; None means the real time. The
            clock of a given start stands still until `advance`.
    """

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__(_KINDS, start)
        self.refund_status = "succeeded"
        """What a refund the shop asks for is at first; `pending` for some banks."""
        self.refusal = ""
        """The code with which refunds are refused; empty: they are not."""
        self._intent_data: dict[str, Obj] = {}

    def latest(self) -> Obj:
        """Give the session that was made last."""
        with self.lock:
            return list(self.kept["session"].values())[-1]

    def _expire_due(self) -> None:
        for session in self.kept["session"].values():
            if session["status"] == "open" and session["expires_at"] <= self.seconds:
                self._close(session)
        super()._expire_due()

    # The buyer

    def open_session(self, params: Obj, origin: str) -> Obj:
        """Make a session from checked parameters."""
        with self.acting():
            session = objects.session(params, origin=origin, created=self.seconds)
            self._keep("session", session)
            self._intent_data[session["id"]] = params.get("payment_intent_data", {})
            return session

    def expire(self, name: str) -> Obj:
        """End an open session. Raises NotOpenError, KeyError."""
        with self.acting():
            session = self._open(name)
            self._close(session)
            return session

    def pay(
        self,
        name: str,
        *,
        email: str = "ada@example.org",
        card: str = GOOD_CARD,
        country: str | None = None,
    ) -> None:
        """The buyer pays at once; `card` may be one that is declined or takes days.

        Raises NotOpenError.
        """
        status = {DECLINED_CARD: "failed", LATE_ACCOUNT: "pending"}.get(
            card, "succeeded"
        )
        with self.acting():
            session = self._open(name)
            intent = self._intent(session)
            charge = objects.charge(
                intent, email=email, card=card, status=status, created=self.seconds
            )
            self._keep("charge", charge)
            intent["latest_charge"] = charge["id"]
            intent["last_payment_error"] = None
            if status == "failed":
                intent["last_payment_error"] = objects.declined(charge)
                self._note("charge.failed", charge)
                self._note("payment_intent.payment_failed", intent)
            else:
                self._finish(session, email, country)
                self._settle(session, intent, charge, status)
                self._note("checkout.session.completed", session)

    def decline(self, name: str) -> None:
        """The buyer tries with a card that the bank declines."""
        self.pay(name, card=DECLINED_CARD)

    def pay_later(self, name: str, *, email: str = "ada@example.org") -> None:
        """The buyer pays in a way that takes days."""
        self.pay(name, email=email, card=LATE_ACCOUNT)

    def settle_later(self, name: str, *, ok: bool) -> None:
        """The money of `pay_later` arrives, or never will."""
        with self.acting():
            session, intent, charge = self._paid(name)
            self._settle(session, intent, charge, "succeeded" if ok else "failed")
            result = "succeeded" if ok else "failed"
            self._note(f"checkout.session.async_payment_{result}", session)

    # The seller and the buyer's bank

    def refund(
        self,
        name: str,
        amount: int | None = None,
        *,
        status: str = "succeeded",
        reason: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> str:
        """Give some or all of it back; `status` may be `pending`. Gives its name.

        `name` is of the session, the payment or the charge.
        """
        with self.acting():
            charge = self._charge(name)
            rest = charge["amount_captured"] - charge["amount_refunded"]
            refund = objects.refund(
                charge,
                rest if amount is None else amount,
                status=status,
                reason=reason,
                metadata=metadata or {},
                now=self.seconds,
            )
            self._keep("refund", refund)
            self._add_refunded(charge, refund["amount"])
            self._gave_back(refund)
            self._note("refund.created", refund)
            if status == "succeeded":
                self._note("charge.refunded", charge)
            return str(refund["id"])

    def settle_refund(self, name: str, status: str) -> None:
        """A refund becomes `succeeded`, `failed` or `canceled`."""
        with self.acting():
            refund = self.kept["refund"][name]
            refund["status"] = status
            charge = self.kept["charge"][refund["charge"]]
            if status == "succeeded":
                self._note("charge.refunded", charge)
            else:
                refund["failure_reason"] = "declined"
                self._add_refunded(charge, -refund["amount"])
                self._came_back(refund)
            if status == "failed":
                self._note("refund.failed", refund)
            self._note("refund.updated", refund)

    def open_dispute(self, name: str, *, warning: bool = False) -> str:
        """The buyer's bank asks (`warning`) or takes the money. Gives its name."""
        with self.acting():
            charge = self._charge(name)
            status = "warning_needs_response" if warning else "needs_response"
            dispute = objects.dispute(charge, status=status, created=self.seconds)
            self._keep("dispute", dispute)
            charge["disputed"] = True
            self._note("charge.dispute.created", dispute)
            if not warning:
                self._disputed(dispute)
                self._note("charge.dispute.funds_withdrawn", dispute)
            return str(dispute["id"])

    def answer_dispute(self, name: str, params: Obj) -> Obj:
        """The seller answers; with `submit` the bank has it and takes no other."""
        with self.acting():
            dispute = self.kept["dispute"][name]
            dispute["evidence"] = params["evidence"]
            if params.get("submit") == "true":
                answered = str(dispute["status"]).replace(
                    "needs_response", "under_review"
                )
                dispute["status"] = answered
                dispute["evidence_details"]["submission_count"] += 1
            self._note("charge.dispute.updated", dispute)
            return dispute

    def close_dispute(self, name: str, outcome: str) -> None:
        """The bank decides: `won`, `lost`, `settled` or `prevented`."""
        with self.acting():
            dispute = self.kept["dispute"][name]
            dispute["status"] = _ENDINGS[outcome]
            self._note("charge.dispute.closed", dispute)
            if outcome == "won":
                self._reinstated(dispute)
                self._note("charge.dispute.funds_reinstated", dispute)

    # Below this line the lock is held.

    def _keep(self, kind: str, made: Obj) -> None:
        self.kept[kind][made["id"]] = made

    def _note(self, kind: str, subject: Obj) -> None:
        """Write down an event with the object as it is at this moment."""
        event = objects.event(kind, copy.deepcopy(subject), created=self.seconds)
        self._keep("event", event)

    def _open(self, name: str) -> Obj:
        self._expire_due()
        session = self.kept["session"][name]
        if session["status"] != "open":
            raise NotOpenError(session["status"])
        return session

    def _close(self, session: Obj) -> None:
        session.update(status="expired", url=None)
        self._note("checkout.session.expired", session)

    def _intent(self, session: Obj) -> Obj:
        if session["payment_intent"]:
            return self.kept["payment_intent"][session["payment_intent"]]
        data = self._intent_data[session["id"]]
        intent = objects.intent(session, data, created=self.seconds)
        self._keep("payment_intent", intent)
        session["payment_intent"] = intent["id"]
        return intent

    def _finish(self, session: Obj, email: str, country: str | None) -> None:
        session.update(status="complete", url=None)
        parts = ("city", "line1", "line2", "postal_code", "state")
        address = {"country": country, **dict.fromkeys(parts)} if country else None
        session["customer_details"] = {
            "address": address,
            "email": email,
            "name": "A. Buyer",
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        }
        if session["automatic_tax"]["enabled"]:
            assert country, "with Stripe Tax the page asks for the address"
            objects.taxed(session, country)

    def _settle(self, session: Obj, intent: Obj, charge: Obj, status: str) -> None:
        paid = status == "succeeded"
        charge.update(status=status, captured=paid, paid=status != "failed")
        charge["amount_captured"] = intent["amount"] if paid else 0
        if paid:
            self._sold(charge)
        intent["amount_received"] = charge["amount_captured"]
        intent["status"] = {
            "succeeded": "succeeded",
            "pending": "processing",
            "failed": "requires_payment_method",
        }[status]
        session["payment_status"] = "paid" if paid else "unpaid"

    def _paid(self, name: str) -> tuple[Obj, Obj, Obj]:
        session = self.kept["session"][name]
        intent = self.kept["payment_intent"][session["payment_intent"]]
        return session, intent, self.kept["charge"][intent["latest_charge"]]

    def _charge(self, name: str) -> Obj:
        if name.startswith("ch_"):
            return self.kept["charge"][name]
        if name.startswith("pi_"):
            intent = self.kept["payment_intent"][name]
            return self.kept["charge"][intent["latest_charge"]]
        return self._paid(name)[2]

    def _add_refunded(self, charge: Obj, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
