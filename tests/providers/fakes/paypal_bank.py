"""What happens to money at the fake PayPal: buyers approve, the shop takes it.

Amounts are given in the smallest unit of their currency, as the shop counts them.
"""

import copy
from datetime import datetime, timedelta
from fractions import Fraction

from handsel.kit.money import Money
from handsel.sales.payments.paypal_money import from_paypal, to_paypal
from tests.providers.fakes import paypal_objects as objects
from tests.providers.fakes.bank import Bank, Obj
from tests.providers.fakes.paypal_objects import when

LIVES = timedelta(hours=3)
_KINDS = ("order", "capture", "refund", "dispute")
_OUTCOMES = {
    "won": "RESOLVED_SELLER_FAVOUR",
    "lost": "RESOLVED_BUYER_FAVOUR",
    "settled": "CANCELED_BY_BUYER",
    "payout": "RESOLVED_WITH_PAYOUT",
    "partly": "RESOLVED_BUYER_FAVOUR",
    "accepted": "ACCEPTED",
    "denied": "DENIED",
}
_TYPES = {"order": "checkout-order"}


class NotOpenError(Exception):
    """The order is paid, or its time is over."""


class RefusedError(Exception):
    """PayPal does not do this; the word for it is the message."""


class PayPalBank(Bank):
    """All that the fake PayPal knows, and the hands that change it."""

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__(_KINDS, start)
        self.origin = ""
        self.captured = "COMPLETED"
        """What becomes of money that is taken: also `PENDING`, for a day or so."""
        self.refunded = "COMPLETED"
        """What a refund is at first."""
        self.refusal = ""
        """The word with which refunds are refused; empty: they are not."""
        self.rates: dict[str, str] = {}
        """What PayPal exchanges for euros: `{"USD": "0.92"}`; the rest it keeps."""
        self.contexts: dict[str, Obj] = {}
        """Where the buyer of an order goes from PayPal's page, which no answer tells."""
        self._declining: set[str] = set()
        self._late: set[str] = set()

    def latest(self) -> Obj:
        """Give the order that was made last."""
        with self.lock:
            return list(self.kept["order"].values())[-1]

    def _expire_due(self) -> None:
        """Forget orders whose money nobody took, as PayPal does after three hours."""
        for name, order in list(self.kept["order"].items()):
            made = datetime.fromisoformat(order["create_time"])
            if order["status"] != "COMPLETED" and self.now >= made + LIVES:
                del self.kept["order"][name]

    # The buyer

    def make_order(self, params: Obj) -> Obj:
        """Make an order from a checked request."""
        with self.acting():
            order = objects.order(params, origin=self.origin, now=self.now)
            self.kept["order"][order["id"]] = order
            source = params.get("payment_source", {}).get("paypal", {})
            self.contexts[order["id"]] = source.get("experience_context", {})
            return copy.deepcopy(order)

    def pay(
        self, name: str, *, email: str = "ada@example.org", country: str = "AT"
    ) -> None:
        """The buyer approves. The money is not taken yet. Raises NotOpenError."""
        with self.acting():
            order = self._open(name)
            self._declining.discard(name)
            objects.approval(order, email=email, country=country, now=self.now)
            self._note("CHECKOUT.ORDER.APPROVED", "order", order)

    def decline(self, name: str, *, email: str = "ada@example.org") -> None:
        """The buyer approves with a card that will be declined when money is taken."""
        with self.acting():
            self._declining.add(name)
            order = self._open(name)
            objects.approval(order, email=email, country="AT", now=self.now)
            self._note("CHECKOUT.ORDER.APPROVED", "order", order)

    def pay_later(self, name: str, *, email: str = "ada@example.org") -> None:
        """The buyer approves to pay in a way that takes days."""
        with self.lock:
            self._late.add(name)
        self.pay(name, email=email)

    def settle_later(self, name: str, *, ok: bool) -> None:
        """The money of `pay_later` arrives, or never will."""
        with self.acting():
            capture = self._capture_of(name)
            capture.update(
                status="COMPLETED" if ok else "DECLINED", update_time=when(self.now)
            )
            capture.pop("status_details", None)
            self._keep_fee(capture)
            kind = "COMPLETED" if ok else "DENIED"
            self._note(f"PAYMENT.CAPTURE.{kind}", "capture", capture)

    def tamper(self, name: str, **changes: object) -> None:
        """A page that knows the order changes it: `amount`, `payee`, `custom_id`."""
        with self.lock:
            self.kept["order"][name]["purchase_units"][0].update(changes)

    # The shop

    def change(self, name: str, field: str, value: object) -> None:
        """Change a field of an order that is not paid. Raises KeyError, RefusedError."""
        with self.acting():
            order = self.kept["order"][name]
            if order["status"] == "COMPLETED":
                raise RefusedError("ORDER_ALREADY_COMPLETED")
            order["purchase_units"][0][field] = value

    def capture(self, name: str) -> Obj:
        """Take the money of an approved order. Raises KeyError, RefusedError."""
        with self.acting():
            order = self.kept["order"][name]
            if order["status"] == "COMPLETED":
                raise RefusedError("ORDER_ALREADY_CAPTURED")
            if order["status"] != "APPROVED":
                raise RefusedError("ORDER_NOT_APPROVED")
            if name in self._declining:
                raise RefusedError("INSTRUMENT_DECLINED")
            status = "PENDING" if name in self._late else self.captured
            capture = objects.capture(
                order, status=status, origin=self.origin, now=self.now
            )
            self.kept["capture"][capture["id"]] = capture
            self._keep_fee(capture)
            order.update(status="COMPLETED", update_time=when(self.now))
            self._note(f"PAYMENT.CAPTURE.{status}", "capture", capture)
            return self.shown(order)

    def refund(
        self, name: str, amount: int | None = None, params: Obj | None = None
    ) -> str:
        """Give some or all of it back: of an order, or a capture. Raises RefusedError."""
        with self.acting():
            capture = self._capture_of(name)
            if self.refusal:
                raise RefusedError(self.refusal)
            rest = self._rest(capture)
            if not rest.minor:
                raise RefusedError("CAPTURE_FULLY_REFUNDED")
            given = rest if amount is None else Money(amount, rest.currency)
            if given > rest:
                raise RefusedError("REFUND_AMOUNT_EXCEEDED")
            return self._give_back(capture, given, params or {}, "REFUNDED")

    def reverse(self, name: str) -> str:
        """PayPal takes back what is left of a payment."""
        with self.acting():
            capture = self._capture_of(name)
            return self._give_back(capture, self._rest(capture), {}, "REVERSED")

    def settle_refund(self, name: str, status: str) -> None:
        """A refund becomes `COMPLETED`, `FAILED` or `CANCELLED`."""
        with self.acting():
            refund = self.kept["refund"][name]
            refund.update(status=status, update_time=when(self.now))
            capture = self.kept["capture"][self._above(refund)]
            self._count(capture)
            kind = {"COMPLETED": "CAPTURE.REFUNDED"}.get(status, "REFUND.FAILED")
            self._note(f"PAYMENT.{kind}", "refund", refund)

    # Disputes

    def open_dispute(self, name: str, *, stage: str = "CHARGEBACK") -> str:
        """The buyer complains, at PayPal or at their bank. Gives its name."""
        with self.acting():
            dispute = objects.dispute(
                self._capture_of(name), stage=stage, origin=self.origin, now=self.now
            )
            self.kept["dispute"][dispute["dispute_id"]] = dispute
            self._note("CUSTOMER.DISPUTE.CREATED", "dispute", dispute)
            return str(dispute["dispute_id"])

    def answer_dispute(self, name: str, evidence: Obj) -> None:
        """The seller answers, once. Raises KeyError, RefusedError."""
        with self.acting():
            dispute = self.kept["dispute"][name]
            if len(dispute["links"]) < 2:
                raise RefusedError("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
            self._move(dispute, "UNDER_REVIEW", "UNDER_PAYPAL_REVIEW")
            dispute["evidences"] = evidence["evidences"]
            self._note("CUSTOMER.DISPUTE.UPDATED", "dispute", dispute)

    def close_dispute(self, name: str, outcome: str) -> None:
        """It is decided: `won`, `lost`, `settled`, `partly` lost, and other words."""
        with self.acting():
            dispute = self.kept["dispute"][name]
            self._move(dispute, "RESOLVED", "RESOLVED")
            dispute["dispute_outcome"] = {"outcome_code": _OUTCOMES[outcome]}
            if outcome in ("lost", "partly"):
                amount = _money(dispute["dispute_amount"])
                half = Money(amount.minor // 2, amount.currency)
                back = _written(half if outcome == "partly" else amount)
                dispute["dispute_outcome"]["amount_refunded"] = back
            self._note("CUSTOMER.DISPUTE.RESOLVED", "dispute", dispute)

    # Below this line the lock is held, or need not be.

    def shown(self, order: Obj) -> Obj:
        """Give an order with its money, as the API shows it."""
        with self.lock:
            found = copy.deepcopy(order)
            captures = [
                each
                for each in self.kept["capture"].values()
                if self._above(each) == order["id"]
            ]
            names = [each["id"] for each in captures]
            refunds = [
                each
                for each in self.kept["refund"].values()
                if self._above(each) in names
            ]
            if captures:
                found["purchase_units"][0]["payments"] = copy.deepcopy(
                    {"captures": captures} | ({"refunds": refunds} if refunds else {})
                )
            return found

    def _open(self, name: str) -> Obj:
        self._expire_due()
        order = self.kept["order"].get(name)
        if order is None or order["status"] == "COMPLETED":
            raise NotOpenError(name)
        return order

    def _capture_of(self, name: str) -> Obj:
        if name in self.kept["capture"]:
            return self.kept["capture"][name]
        return next(
            each for each in self.kept["capture"].values() if self._above(each) == name
        )

    def _above(self, found: Obj) -> str:
        """Name what an object belongs to."""
        return str(found["links"][1]["href"].rpartition("/")[2])

    def _rest(self, capture: Obj) -> Money:
        rest = _money(capture["amount"])
        for refund in self.kept["refund"].values():
            there = refund["status"] in ("COMPLETED", "PENDING")
            if there and self._above(refund) == capture["id"]:
                rest -= _money(refund["amount"])
        return rest

    def _give_back(self, capture: Obj, given: Money, params: Obj, kind: str) -> str:
        refund = objects.refund(
            capture,
            to_paypal(given),
            params,
            status=self.refunded,
            origin=self.origin,
            now=self.now,
        )
        self.kept["refund"][refund["id"]] = refund
        total = _money(capture["amount"]) - self._rest(capture)
        nothing = to_paypal(Money(0, given.currency))
        refund["seller_payable_breakdown"] = objects.payable(
            refund["amount"], nothing, to_paypal(total)
        )
        self._count(capture)
        if self.refunded == "PENDING":
            self._note("PAYMENT.REFUND.PENDING", "refund", refund)
        else:
            self._note(f"PAYMENT.CAPTURE.{kind}", "refund", refund)
        return str(refund["id"])

    def _keep_fee(self, capture: Obj) -> None:
        """Take 2.99 % and 35 cents of money that is in; exchange the rest."""
        if capture["status"] != "COMPLETED":
            return
        gross = _money(capture["amount"])
        unit = 100 if gross.currency in ("HUF", "TWD") else 1
        minor = gross.minor * 299 // 10_000 // unit * unit + 35 // unit * unit
        fee = Money(min(minor, gross.minor), gross.currency)
        exchanged = None
        if rate := self.rates.get(gross.currency):
            left = Money(round((gross - fee).minor * Fraction(rate)), "EUR")
            pair = {"source_currency": gross.currency, "target_currency": "EUR"}
            exchanged = {
                "receivable_amount": _written(left),
                "exchange_rate": {**pair, "value": rate},
            }
        capture["seller_receivable_breakdown"] = objects.receivable(
            capture["amount"], to_paypal(fee), to_paypal(gross - fee), exchanged
        )

    def _count(self, capture: Obj) -> None:
        """Write into a capture how much of it is left."""
        rest, all_of_it = self._rest(capture), _money(capture["amount"])
        partly = "COMPLETED" if rest == all_of_it else "PARTIALLY_REFUNDED"
        capture["status"] = partly if rest.minor else "REFUNDED"

    def _move(self, dispute: Obj, status: str, state: str) -> None:
        links = objects.dispute_links(
            dispute["dispute_id"], self.origin, answerable=False
        )
        dispute.update(
            status=status, dispute_state=state, update_time=when(self.now), links=links
        )

    def _note(self, kind: str, of: str, subject: Obj) -> None:
        """Write down an event with the object as it is at this moment."""
        resource = self.shown(subject) if of == "order" else copy.deepcopy(subject)
        event = objects.event(
            kind, resource, _TYPES.get(of, of), origin=self.origin, now=self.now
        )
        self.kept["event"][event["id"]] = event


def _money(found: Obj) -> Money:
    return from_paypal(found["value"], found["currency_code"])


def _written(money: Money) -> Obj:
    return {"currency_code": money.currency, "value": to_paypal(money)}
