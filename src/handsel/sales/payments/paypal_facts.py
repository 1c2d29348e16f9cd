"""What PayPal's objects mean in the shop's words.

Source: developer.paypal.com/docs/api/orders/v2, .../payments/v2, .../customer-disputes/v1.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments import paypal_fees
from handsel.sales.payments.base import Declined, Evidence, Fact, Payment
from handsel.sales.payments.lines import Line
from handsel.sales.payments.paypal_money import from_paypal
from handsel.sales.payments.paypal_reference import Agreed

ORDER_LIVES = timedelta(hours=3)
"""How long a buyer has to approve an order and we to take the money; then PayPal knows
it no more."""

MOST_NOTES = 2000
"""Letters of one piece of evidence."""
MOST_EVIDENCE = 10
"""Pieces of evidence we send, the newest lines last."""

_MONEY_IS_IN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
_NO_MONEY = ("DECLINED", "FAILED")

# RESOLVED_WITH_PAYOUT: PayPal paid the buyer, and the seller keeps the money.
_OUTCOMES = {
    "RESOLVED_SELLER_FAVOUR": FactKind.DISPUTE_WON,
    "DENIED": FactKind.DISPUTE_WON,
    "RESOLVED_BUYER_FAVOUR": FactKind.DISPUTE_LOST,
    "ACCEPTED": FactKind.DISPUTE_LOST,
    "RESOLVED_WITH_PAYOUT": FactKind.DISPUTE_SETTLED,
    "CANCELED_BY_BUYER": FactKind.DISPUTE_SETTLED,
    "NONE": FactKind.DISPUTE_SETTLED,
}

Found = dict[str, Any]
"""An object of PayPal's, as JSON."""


@dataclass(frozen=True)
class Capture:
    """Money that PayPal took, or tried to take, from the buyer."""

    id: str
    status: str
    amount: Money
    at: datetime


@dataclass(frozen=True)
class Refund:
    """Money that goes back. `key`: what the shop asked for it with, if it did."""

    id: str
    status: str
    amount: Money
    at: datetime
    key: str | None


@dataclass(frozen=True)
class Sale:
    """One order at PayPal, as far as the shop has to do with it.

    Args:
        changed: when PayPal changed it last, as PayPal writes it.
        payee: the account the money goes to, as PayPal names it.
        page: where the buyer approves it, while there is something to approve.
        lines: what PayPal kept of the money.
    """

    id: str
    status: str
    created: datetime
    changed: str
    price: Money
    agreed: Agreed | None
    payee: str
    email: str | None
    country: str | None
    page: str
    captures: tuple[Capture, ...]
    refunds: tuple[Refund, ...]
    lines: tuple[Line, ...] = ()

    @property
    def capture(self) -> Capture | None:
        """The money that came in, or may yet; else the last that did not."""
        best = sorted(self.captures, key=lambda each: each.status not in _NO_MONEY)
        return best[-1] if best else None

    @property
    def ends(self) -> datetime:
        """When nobody may pay it any more."""
        end = self.created + ORDER_LIVES
        return min(end, self.agreed.ends) if self.agreed else end


def read_order(found: Found) -> Sale:
    """Read an order. Raises KeyError, ValueError for what is none."""
    unit = found["purchase_units"][0]
    source = (found.get("payment_source") or {}).get("paypal") or {}
    payer = found.get("payer") or {}
    address = payer.get("address") or source.get("address") or {}
    payments = unit.get("payments") or {}
    return Sale(
        id=found["id"],
        status=found["status"],
        created=datetime.fromisoformat(found["create_time"]),
        changed=found.get("update_time") or "",
        price=_money(unit["amount"]),
        agreed=Agreed.read((unit.get("custom_id") or "") + _sku(unit)),
        payee=(unit.get("payee") or {}).get("merchant_id") or "",
        email=payer.get("email_address") or source.get("email_address"),
        country=address.get("country_code"),
        page=link(found, "payer-action") or link(found, "approve"),
        captures=tuple(map(_capture, payments.get("captures") or ())),
        refunds=tuple(map(read_refund, payments.get("refunds") or ())),
        lines=paypal_fees.lines(payments),
    )


def _sku(unit: Found) -> str:
    """Give what did not fit into `custom_id`."""
    items: list[Found] = unit.get("items") or []
    return str(items[0].get("sku") or "") if items else ""


def link(found: Found, rel: str) -> str:
    """Give the address that an object of PayPal's calls so; empty if there is none."""
    links = found.get("links") or ()
    return next((each["href"] for each in links if each["rel"] == rel), "")


def _capture(found: Found) -> Capture:
    at = datetime.fromisoformat(found["create_time"])
    return Capture(found["id"], found["status"], _money(found["amount"]), at)


def read_refund(found: Found) -> Refund:
    """Read a refund. Raises KeyError, ValueError for what is none."""
    return Refund(
        found["id"],
        found["status"],
        _money(found["amount"]),
        datetime.fromisoformat(found["create_time"]),
        found.get("custom_id"),
    )


def _money(found: Found) -> Money:
    return from_paypal(found["value"], found["currency_code"])


def payment(
    order: Sale, disputes: Iterable[Found], now: datetime, *, payee: str, test: bool
) -> Payment:
    """Put together all that PayPal knows of one order.

    Args:
        disputes: with their outcome, where they have one.
        payee: the account that should get the money; empty while we do not know.
    """
    assert order.agreed, "an order without our words is not ours"
    return Payment(
        session_id=order.id,
        state=state_of(order, now, payee=payee),
        price=order.price,
        email=order.email,
        test=test,
        reference=dict(order.agreed.reference),
        country=order.country,
        facts=(*_captured(order), *_refunded(order), *_disputed(order, disputes)),
        doubt=""
        if is_ours(order, payee)
        else f"The money went to another PayPal account ({order.payee}).",
        lines=order.lines if is_ours(order, payee) else (),
        declined=tuple(
            Declined(each.id, each.at)
            for each in order.captures
            if each.status in _NO_MONEY
        ),
    )


def is_ours(order: Sale, payee: str) -> bool:
    """Whether the money goes to the account that should get it, as far as we know."""
    return not payee or order.payee == payee


def is_as_agreed(order: Sale, payee: str) -> bool:
    """Whether an order asks for the agreed price, for us: only then money is taken.

    Both can be changed at PayPal after an order was made, by a page that knows its name.
    """
    agreed = order.agreed is not None and order.price == order.agreed.price
    return agreed and is_ours(order, payee)


def state_of(order: Sale, now: datetime, *, payee: str) -> PaymentState:
    """Say how an order stands.

    One that is approved, and whose money could not be taken, is open: the buyer chooses
    another way to pay on PayPal's page.
    """
    if order.capture is not None:
        if order.capture.status in _MONEY_IS_IN:
            return PaymentState.COMPLETE
        if order.capture.status in _NO_MONEY:
            return PaymentState.FAILED
        return PaymentState.PROCESSING
    closed = order.agreed is not None and order.agreed.closed
    if closed or order.status == "VOIDED" or now >= order.ends:
        return PaymentState.EXPIRED
    if not is_as_agreed(order, payee):
        return PaymentState.FAILED
    return PaymentState.OPEN


def _captured(order: Sale) -> list[Fact]:
    return [
        Fact(FactKind.CAPTURE, each.id, each.amount, each.at)
        for each in order.captures
        if each.status in _MONEY_IS_IN
    ]


def _refunded(order: Sale) -> list[Fact]:
    """Tell a refund that went through, and both halves of one that came back.

    What PayPal itself takes back, for instance after a dispute, is a refund as well.
    """
    facts = []
    for each in order.refunds:
        if each.status in ("COMPLETED", "FAILED", "CANCELLED"):
            facts.append(Fact(FactKind.REFUND, each.id, each.amount, each.at, each.key))
        if each.status in ("FAILED", "CANCELLED"):
            facts.append(Fact(FactKind.VOID, each.id, each.amount, each.at))
    return facts


def _disputed(order: Sale, disputes: Iterable[Found]) -> list[Fact]:
    """Tell the beginning of each dispute, and its end if it has one."""
    facts = []
    for found in disputes:
        amount = _money(found["dispute_amount"])
        at = datetime.fromisoformat(found["create_time"])
        facts.append(Fact(FactKind.DISPUTE_OPEN, found["dispute_id"], amount, at))
        if found["status"] == "RESOLVED":
            ended = datetime.fromisoformat(found["update_time"])
            end = _end_of(order, found)
            facts.append(Fact(end, found["dispute_id"], amount, ended))
    return facts


def _end_of(order: Sale, dispute: Found) -> FactKind:
    """Say how a dispute ended. One lost for a part of the money leaves the rest bought."""
    outcome = dispute.get("dispute_outcome") or {}
    end = _OUTCOMES.get(outcome.get("outcome_code", "NONE"), FactKind.DISPUTE_LOST)
    back, capture = outcome.get("amount_refunded"), order.capture
    if end is FactKind.DISPUTE_LOST and back and capture:
        given = _money(back)
        if given.currency == capture.amount.currency and given < capture.amount:
            return FactKind.DISPUTE_SETTLED
    return end


def answer(evidence: Evidence) -> Found:
    """Say to PayPal what we know of a purchase, in pieces as long as it takes them."""
    who = evidence.email or "whose address we do not know"
    paid = f"Paid on {evidence.bought_at:%Y-%m-%d %H:%M} UTC by the buyer, {who}."
    said = (
        f"{evidence.product}\n{evidence.terms}\n{paid}",
        f"Downloads:\n{evidence.downloads}\nMails:\n{evidence.mails}",
    )
    head, *rest = [piece for text in said for piece in _pieces(text)]
    kept = [head, *rest[-(MOST_EVIDENCE - 1) :]]
    notes = [{"evidence_type": "OTHER", "notes": piece} for piece in kept]
    return {"evidences": notes}


def _pieces(text: str) -> list[str]:
    """Cut a text at the ends of lines, or within one that is too long for a piece."""
    pieces = [""]
    for line in text.splitlines():
        for start in range(0, max(len(line), 1), MOST_NOTES - 1):
            part = line[start : start + MOST_NOTES - 1]
            if len(pieces[-1]) + len(part) + 1 > MOST_NOTES:
                pieces.append("")
            pieces[-1] += part + "\n"
    return [piece.strip() for piece in pieces if piece.strip()]
