"""What a bounce or a complaint changes, once it is proved to be about a mail of ours.

Anybody can write a report, so one is believed only when the address it came back to
proves it, or when it names both the recipient and the Message-ID of a mail that really
went to that recipient. It stops mails to many, never a receipt, never a purchase.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

import idna
from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.signing import Keys
from handsel.kit.text import email_key, shown
from handsel.models import Campaign, Customer, Inbox, Order, OutboxItem, Recipient
from handsel.models.database import insert_new
from handsel.models.words import OutboxState, RecipientState, StopReason
from handsel.outbound import announcing, returning, suppressions
from handsel.outbound.bounces import Report
from handsel.outbound.compose import id_letters
from handsel.outbound.verdicts import Kind

OLDEST = timedelta(days=28)
"""Older reports change nothing: which ones were read is forgotten after 30 days, and an
address that was lifted must not be stopped again by a mail left in a mailbox."""

LONGEST = 320
"""Letters of an address that is looked for."""

MAILBOX = "bounces"
"""The `Inbox.provider` of what was read from a mailbox."""

_ID = re.compile(r"<([0-9a-f]{32})@")


class Outcome(StrEnum):
    """What became of a report."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    FOREIGN = "foreign"  # about no mail of ours, or it cannot prove that it is
    REPEATED = "repeated"  # read before, or too old


def record(session: Session, keys: Keys, report: Report, now: datetime) -> Outcome:
    """Act on a report from a mailbox, if it is proved. Safe to repeat."""
    if report.kind is Kind.SOFT:
        return Outcome.SOFT
    if report.at and now - report.at > OLDEST:
        return Outcome.REPEATED
    address = _proved(session, keys, report)
    if address is None:
        return Outcome.FOREIGN
    name = hashlib.sha256(f"{report.kind} {report.name}".encode()).hexdigest()
    if not heard(session, MAILBOX, name, report.kind, now):
        return Outcome.REPEATED
    return _stop(session, address, report, now)


def record_signed(session: Session, report: Report, now: datetime) -> Outcome:
    """Act on a report that a relay has vouched for, if it is about a buyer."""
    if report.kind is Kind.SOFT:
        return Outcome.SOFT
    for address in report.recipients:
        if customer := _customer(session, address):
            return _stop(session, customer.email, report, now)
    return Outcome.FOREIGN


def heard(session: Session, source: str, name: str, kind: str, now: datetime) -> bool:
    """Note that a message came, nothing of what it says; say whether it is new."""
    return insert_new(
        session,
        Inbox,
        provider=source,
        event_id=shown(name)[:255],
        kind=shown(kind)[:80],
        object_id=None,
        raw="",
        received_at=now,
        applied_at=now,
    )


def _stop(session: Session, address: str, report: Report, now: datetime) -> Outcome:
    complaint = report.kind is Kind.COMPLAINT
    reason = StopReason.COMPLAINED if complaint else StopReason.BOUNCED
    suppressions.stop(session, address, reason, now, report.words)
    return Outcome(report.kind.value)


def _proved(session: Session, keys: Keys, report: Report) -> str | None:
    """Give the address of ours that a report proves to be about; None for none."""
    if report.token:
        return _by_token(session, keys, report.token)
    letters = _ID.match(report.message_id)
    if letters is None:
        return None
    for address in report.recipients:
        customer = _customer(session, address)
        if customer and _sent(session, customer, letters[1]):
            return customer.email
    return None


def _by_token(session: Session, keys: Keys, token: str) -> str | None:
    """Find the address a token was made for: the order's present one, or a former."""
    claimed = returning.claimed_id(token)
    order = claimed and session.scalar(select(Order).where(Order.public_id == claimed))
    if not order:
        return None
    sent_to = select(OutboxItem.recipient).where(OutboxItem.order_id == order.id)
    candidates = {order.email, *session.scalars(sent_to)} - {None, ""}
    for address in sorted(str(each) for each in candidates):
        if returning.proves(keys, token, order.public_id, address):
            return address
    return None


def _customer(session: Session, address: str) -> Customer | None:
    if shown(address) != address or len(address) > LONGEST:
        return None
    keys = {email_key(each) for each in _spellings(address)}
    found = select(Customer).where(Customer.email_key.in_(keys))
    return session.scalars(found.limit(1)).one_or_none()


def _spellings(address: str) -> Iterator[str]:
    """Give an address as it came, and with its domain in its own letters."""
    yield address
    local, _, domain = address.rpartition("@")
    try:
        yield f"{local}@{idna.decode(domain)}"
    except (idna.IDNAError, UnicodeError):
        return


def _sent(session: Session, customer: Customer, letters: str) -> bool:
    """Say whether the mail with this Message-ID went to a customer."""
    return letters in _receipts(session, customer) or _announced(
        session, customer, letters
    )


def _receipts(session: Session, customer: Customer) -> set[str]:
    items = session.execute(
        select(OutboxItem.dedupe, OutboxItem.recipient)
        .join(Order, Order.id == OutboxItem.order_id)
        .where(Order.customer_id == customer.id, OutboxItem.state == OutboxState.SENT)
    )
    return {
        id_letters(item.dedupe)
        for item in items
        if email_key(item.recipient) == customer.email_key
    }


def _announced(session: Session, customer: Customer, letters: str) -> bool:
    """Look among the campaigns first: they are few, and their recipients are many."""
    orders = select(Order.id, Order.public_id).where(Order.customer_id == customer.id)
    campaign_ids = session.scalars(select(Campaign.id)).all()
    for order in session.execute(orders):
        for each in campaign_ids:
            key = announcing.dedupe_key(announcing.campaign_name(each), order.public_id)
            if id_letters(key) == letters:
                return _went(session, each, customer.id, order.id)
    return False


def _went(session: Session, campaign_id: int, customer_id: int, order_id: int) -> bool:
    sent = select(Recipient.id).where(
        Recipient.campaign_id == campaign_id,
        Recipient.customer_id == customer_id,
        Recipient.order_id == order_id,
        Recipient.state == RecipientState.SENT,
    )
    return session.scalar(sent) is not None
