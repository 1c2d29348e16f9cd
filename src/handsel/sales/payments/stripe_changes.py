"""Finding every session that something happened to: two lists for a quiet day.

New sessions come from the list of sessions, everything later from Stripe's list of
events, because neither sessions nor disputes can be listed by the time of a change.
Stripe keeps events for 30 days.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import stripe
from stripe.checkout import Session

from handsel.models.words import PaymentState
from handsel.sales.payments.base import Glimpse
from handsel.sales.payments.stripe_facts import declined, state_of
from handsel.sales.payments.stripe_webhook import (
    MONEY_EVENTS,
    SESSION_EVENTS,
    payment_of,
)

_EVENTS_KEPT = timedelta(days=29)
_LONGEST_SESSION = timedelta(days=1)

_LATER = {
    "checkout.session.expired": PaymentState.EXPIRED,
    "checkout.session.async_payment_succeeded": PaymentState.COMPLETE,
    "checkout.session.async_payment_failed": PaymentState.FAILED,
}


def sessions_since(
    client: stripe.StripeClient, since: datetime, now: datetime
) -> Iterator[Glimpse]:
    """Name the sessions created since then, then those that changed."""
    old = now - since > _EVENTS_KEPT
    listed = set()
    for session in _created(client, since - _LONGEST_SESSION if old else since):
        listed.add(session.id)
        yield Glimpse(session.id, state_of(session), declined(session))
    changed, payments = _changed(client, since)
    for session_id, state in changed.items():
        if session_id not in listed:
            yield Glimpse(session_id, state)
    if old:
        payments |= _payments_before_events(client, since)
    for payment in sorted(payments):
        yield from _session_of(client, payment)


def _created(client: stripe.StripeClient, since: datetime) -> Iterator[Session]:
    found = client.v1.checkout.sessions.list(
        {
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
            "expand": ["data.payment_intent"],
        }
    )
    return (each for each in found.auto_paging_iter() if each.mode == "payment")


def _changed(
    client: stripe.StripeClient, since: datetime
) -> tuple[dict[str, PaymentState], set[str]]:
    """Give the sessions that ended since then, and the payments whose money moved."""
    sessions: dict[str, PaymentState] = {}
    payments = set()
    found = client.v1.events.list(
        {
            "created": {"gte": int(since.timestamp())},
            "types": [*SESSION_EVENTS, *MONEY_EVENTS],
            "limit": 100,
        }
    )
    for event in found.auto_paging_iter():
        subject = event.data.object.to_dict()
        if event.type in SESSION_EVENTS:
            if subject["mode"] == "payment":
                _keep_latest(sessions, subject, event.type)
        elif payment := payment_of(subject):
            payments.add(payment)
    return sessions, payments


def _keep_latest(
    sessions: dict[str, PaymentState], subject: dict[str, object], kind: str
) -> None:
    """Note how a session ended. What comes later in its life wins, in any order."""
    session_id = str(subject["id"])
    if kind in _LATER:
        sessions[session_id] = _LATER[kind]
    else:
        paid = subject["payment_status"] != "unpaid"
        state = PaymentState.COMPLETE if paid else PaymentState.PROCESSING
        sessions.setdefault(session_id, state)


def _payments_before_events(client: stripe.StripeClient, since: datetime) -> set[str]:
    """Give the payments with a refund or dispute made since then, however long ago."""
    start = int(since.timestamp())
    refunds = client.v1.refunds.list({"created": {"gte": start}, "limit": 100})
    disputes = client.v1.disputes.list({"created": {"gte": start}, "limit": 100})
    found = [refund.payment_intent for refund in refunds.auto_paging_iter()]
    found += [dispute.payment_intent for dispute in disputes.auto_paging_iter()]
    return {each if isinstance(each, str) else each.id for each in found if each}


def _session_of(client: stripe.StripeClient, payment: str) -> Iterator[Glimpse]:
    """Name the session of a payment, unless it came about in another way."""
    found = client.v1.checkout.sessions.list({"payment_intent": payment, "limit": 1})
    return (Glimpse(session.id, None) for session in found.data)
