"""What Stripe's objects mean in the shop's words."""

from collections.abc import Iterable
from datetime import UTC, datetime

from stripe import Charge, Dispute, PaymentIntent, Refund
from stripe.checkout import Session
from stripe.params import DisputeUpdateParams, DisputeUpdateParamsEvidence

from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments.base import Declined, Evidence, Fact, Payment
from handsel.sales.payments.stripe_money import from_stripe

# An inquiry that came to nothing, or a dispute that a refund prevented: whether the
# buyer keeps the book is for the refunds to say.
_ENDINGS = {
    "won": FactKind.DISPUTE_WON,
    "lost": FactKind.DISPUTE_LOST,
    "warning_closed": FactKind.DISPUTE_SETTLED,
    "prevented": FactKind.DISPUTE_SETTLED,
}

KEY = "handsel_refund"
"""Where a refund at Stripe bears the key the shop asked for it with."""

MOST_EVIDENCE = 20_000
"""Letters of each field of a dispute's evidence."""


def payment(
    session: Session, refunds: Iterable[Refund], disputes: Iterable[Dispute]
) -> Payment:
    """Put together all that Stripe knows of one session.

    Args:
        session: with `payment_intent.latest_charge` expanded.
    """
    charge = charge_of(session)
    return Payment(
        session_id=session.id,
        state=state_of(session),
        price=_price(session),
        email=_email(session),
        test=not session.livemode,
        reference=session.metadata.to_dict() if session.metadata else {},
        card_last4=_last4(charge),
        statement_text=charge.calculated_statement_descriptor if charge else None,
        country=_country(session),
        card_country=_card_country(charge),
        tax=_tax(session),
        facts=(*captures(session), *_refunded(refunds), *_disputed(disputes)),
        declined=declined(session),
    )


def state_of(session: Session) -> PaymentState:
    """Say how a session stands. Needs `payment_intent` expanded to see a failure."""
    if session.status == "expired":
        return PaymentState.EXPIRED
    if session.status == "open":
        return PaymentState.OPEN
    if session.payment_status != "unpaid":
        return PaymentState.COMPLETE
    intent = session.payment_intent
    if isinstance(intent, PaymentIntent) and intent.status in (
        "requires_payment_method",
        "canceled",
    ):
        return PaymentState.FAILED
    return PaymentState.PROCESSING


def captures(session: Session) -> list[Fact]:
    """Give the money that came in, under the payment's name; at most one."""
    intent = session.payment_intent
    if session.payment_status != "paid" or not isinstance(intent, PaymentIntent):
        return []
    charge = charge_of(session)
    return [
        Fact(
            FactKind.CAPTURE,
            intent.id,
            from_stripe(intent.amount_received, intent.currency),
            _time(charge.created if charge else intent.created),
        )
    ]


def declined(session: Session) -> tuple[Declined, ...]:
    """Tell the last try, if it was declined. Needs `payment_intent` expanded."""
    intent = session.payment_intent
    error = intent.last_payment_error if isinstance(intent, PaymentIntent) else None
    if not isinstance(intent, PaymentIntent) or not error or not error.charge:
        return ()
    charge = charge_of(session)
    at = charge.created if charge and charge.id == error.charge else intent.created
    return (Declined(error.charge, _time(at)),)


def charge_of(session: Session) -> Charge | None:
    """Give the last try to take the money, if it was asked for and there was one."""
    intent = session.payment_intent
    charge = intent.latest_charge if isinstance(intent, PaymentIntent) else None
    return charge if isinstance(charge, Charge) else None


def answer(evidence: Evidence) -> DisputeUpdateParams:
    """Say to Stripe what we know of a purchase; it goes to the bank at once."""
    said: DisputeUpdateParamsEvidence = {
        "product_description": _newest(evidence.product),
        "service_date": evidence.bought_at.date().isoformat(),
        "access_activity_log": _newest(evidence.downloads),
        "uncategorized_text": _newest(evidence.mails, after=evidence.terms),
    }
    if evidence.email:
        said["customer_email_address"] = evidence.email
    return {"evidence": said, "submit": True}


def _newest(lines: str, *, after: str = "") -> str:
    """Keep as many of the last lines as Stripe takes, below what goes before them."""
    head = [after[:MOST_EVIDENCE]] if after else []
    room = MOST_EVIDENCE - sum(len(each) + 1 for each in head)
    if len(lines) > room:
        cut = lines[len(lines) - max(room, 0) :]
        lines = cut.partition("\n")[2] or cut
    return "\n".join([*head, lines])


def key_of(refund: Refund) -> str | None:
    """Give the key the shop asked for a refund with; None for one of the dashboard."""
    return (refund.metadata.to_dict() if refund.metadata else {}).get(KEY)


def _refunded(refunds: Iterable[Refund]) -> list[Fact]:
    """Tell a refund that went through, and both halves of one that came back.

    Both, because nobody knows whether we have heard of the first; one that is on its
    way is no fact yet.
    """
    facts = []
    for refund in refunds:
        amount = from_stripe(refund.amount, refund.currency)
        at = _time(refund.created)
        if refund.status in ("succeeded", "failed", "canceled"):
            facts.append(Fact(FactKind.REFUND, refund.id, amount, at, key_of(refund)))
        if refund.status in ("failed", "canceled"):
            facts.append(Fact(FactKind.VOID, refund.id, amount, at))
    return facts


def _disputed(disputes: Iterable[Dispute]) -> list[Fact]:
    """Tell the beginning of each dispute, and its end if it has one.

    Stripe does not say when a dispute ended, so both bear the time of its beginning.
    """
    facts = []
    for dispute in disputes:
        amount = from_stripe(dispute.amount, dispute.currency)
        at = _time(dispute.created)
        facts.append(Fact(FactKind.DISPUTE_OPEN, dispute.id, amount, at))
        if dispute.status in _ENDINGS:
            facts.append(Fact(_ENDINGS[dispute.status], dispute.id, amount, at))
    return facts


def _price(session: Session) -> Money:
    return from_stripe(session.amount_total or 0, session.currency or "")


def _tax(session: Session) -> Money | None:
    """Give what Stripe Tax found in the price; None where it was not asked."""
    asked, details = session.automatic_tax, session.total_details
    if not asked.enabled or asked.status != "complete" or details is None:
        return None
    return from_stripe(details.amount_tax, session.currency or "")


def _country(session: Session) -> str | None:
    details = session.customer_details
    return details.address.country if details and details.address else None


def _email(session: Session) -> str | None:
    typed = session.customer_details.email if session.customer_details else None
    return typed or session.customer_email


def _last4(charge: Charge | None) -> str | None:
    card = _card(charge)
    return card.last4 if card else None


def _card_country(charge: Charge | None) -> str | None:
    card = _card(charge)
    return card.country if card else None


def _card(charge: Charge | None) -> Charge.PaymentMethodDetails.Card | None:
    details = charge.payment_method_details if charge else None
    return details.card if details and details.type == "card" else None


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
