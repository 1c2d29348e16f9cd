"""What happened to one order, in the order of time, from everything that is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.kit.ranges import Spans
from handsel.models import (
    AuditEntry,
    Campaign,
    Decline,
    Entitlement,
    Event,
    Grant,
    Invoice,
    LedgerEntry,
    Note,
    Order,
    OrderVisit,
    OutboxItem,
    Recipient,
    Refund,
    ReleaseFile,
)
from handsel.models.words import (
    FREE,
    GIFT,
    EventKind,
    FactKind,
    OutboxState,
    PaperKind,
    RecipientState,
    RefundState,
)

MOST_LOOKS = 20
"""So many looks at pages before a purchase are told; the last ones."""


class Happened(StrEnum):
    """What can happen to an order."""

    VIEWED = "viewed"
    CLICKED = "clicked"
    STARTED = "started"
    DECLINED = "declined"
    PAID = "paid"
    TAKEN = "taken"  # what costs nothing
    GIVEN = "given"
    ACCEPTED = "accepted"
    MAILED = "mailed"
    MAIL_WAITS = "mail_waits"
    MAIL_FAILED = "mail_failed"
    OPENED = "opened"
    PRESSED = "pressed"  # Download; little or nothing arrived
    DOWNLOADED = "downloaded"
    REFUND_ASKED = "refund_asked"
    REFUND_REFUSED = "refund_refused"
    REFUND_UNKNOWN = "refund_unknown"
    REFUNDED = "refunded"
    REFUND_VOID = "refund_void"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_SETTLED = "dispute_settled"
    REVOKED = "revoked"
    RESTORED = "restored"
    PAPER = "paper"
    CREDIT_NOTE = "credit_note"
    NOTED = "noted"
    DONE = "done"  # at the desk, as the log has it


@dataclass(frozen=True)
class Moment:
    """One thing that happened.

    Args:
        what: the name of it, where it has one: a file, an address, a paper, a text.
        by: who did it, if it was somebody of the house.
    """

    at: datetime
    kind: Happened
    what: str = ""
    amount: Money | None = None
    by: str = ""


def of_order(session: Session, order: Order) -> Sequence[Moment]:
    """Give all of it, the first first."""
    tellers = (_looks, _events, _tries, _money, _refunds, _mails, _updates)
    more = (_downloads, _papers, _notes, _log)
    found = [moment for tell in (*tellers, *more) for moment in tell(session, order)]
    if not any(each.kind is Happened.STARTED for each in found):
        found.append(Moment(order.created_at, Happened.STARTED))
    return sorted(found, key=lambda each: (each.at, _RANK[each.kind]))


_RANK = {kind: rank for rank, kind in enumerate(Happened)}


def _looks(session: Session, order: Order) -> Iterator[Moment]:
    """Tell what the same visitor looked at on that day, before they set out to pay.

    Several who share an address may be one visitor: what came before they, or somebody
    else there, set out to pay another order led to that one.
    """
    visit = session.get(OrderVisit, order.id)
    if visit is None or not visit.visitor:
        return
    of_them = (Event.day == visit.at.date(), Event.visitor == visit.visitor)
    before = session.scalar(
        select(func.max(Event.at)).where(
            *of_them,
            Event.kind == EventKind.STARTED,
            Event.product_id == order.product_id,
            Event.order_id < order.id,
        )
    )
    seen = session.execute(
        select(Event.kind, Event.at)
        .where(
            *of_them,
            *([Event.at > before] if before else []),
            Event.product_id == order.product_id,
            Event.kind.in_((EventKind.VIEWED, EventKind.CLICKED)),
            Event.at <= order.created_at,
        )
        .order_by(Event.id.desc())
        .limit(MOST_LOOKS)
    )
    for event in seen:
        yield Moment(event.at, Happened(event.kind.value))


def _events(session: Session, order: Order) -> Iterator[Moment]:
    """Tell of visits what stands nowhere else: money and files have better witnesses."""
    told = (EventKind.STARTED, EventKind.OPENED)
    rows = session.execute(
        select(Event.kind, Event.at).where(
            Event.order_id == order.id, Event.kind.in_(told)
        )
    )
    for event in rows:
        yield Moment(event.at, Happened(event.kind.value))


def _tries(session: Session, order: Order) -> Iterator[Moment]:
    for at in session.scalars(select(Decline.at).where(Decline.order_id == order.id)):
        yield Moment(at, Happened.DECLINED)


_FACTS = {
    FactKind.CAPTURE: Happened.PAID,
    FactKind.REFUND: Happened.REFUNDED,
    FactKind.VOID: Happened.REFUND_VOID,
    FactKind.DISPUTE_OPEN: Happened.DISPUTED,
    FactKind.DISPUTE_WON: Happened.DISPUTE_WON,
    FactKind.DISPUTE_LOST: Happened.DISPUTE_LOST,
    FactKind.DISPUTE_SETTLED: Happened.DISPUTE_SETTLED,
    FactKind.MANUAL_REVOKE: Happened.REVOKED,
}


def _money(session: Session, order: Order) -> Iterator[Moment]:
    rows = session.scalars(
        select(LedgerEntry).where(
            LedgerEntry.order_id == order.id, LedgerEntry.kind != FactKind.KEPT
        )
    )
    for row in rows:
        kind = _FACTS.get(row.kind) or _granted(order, row)
        money = Money(row.amount_minor, row.currency) if row.amount_minor else None
        yield Moment(row.at, kind, amount=money)


def _granted(order: Order, row: LedgerEntry) -> Happened:
    """Say what a grant by hand was: it has several reasons."""
    if row.object_id.startswith("accepted:"):
        return Happened.ACCEPTED
    if row.object_id.startswith("hand:"):
        return Happened.RESTORED
    return {FREE: Happened.TAKEN, GIFT: Happened.GIVEN}.get(
        order.provider, Happened.RESTORED
    )


_REFUNDS = {
    RefundState.REFUSED: Happened.REFUND_REFUSED,
    RefundState.UNKNOWN: Happened.REFUND_UNKNOWN,
}


def _refunds(session: Session, order: Order) -> Iterator[Moment]:
    for row in session.scalars(select(Refund).where(Refund.order_id == order.id)):
        kind = _REFUNDS.get(row.state, Happened.REFUND_ASKED)
        money = Money(row.amount_minor, row.currency)
        yield Moment(row.asked_at, kind, row.error or "", money)


def _mails(session: Session, order: Order) -> Iterator[Moment]:
    """Tell the mails to the buyer; each as it stands now."""
    rows = session.scalars(
        select(OutboxItem).where(
            OutboxItem.order_id == order.id,
            OutboxItem.topic.startswith("mail."),
            OutboxItem.recipient != "",
        )
    )
    for row in rows:
        what = f"{row.topic.removeprefix('mail.')} {row.recipient}"
        if row.sent_at:
            yield Moment(row.sent_at, Happened.MAILED, what)
        elif row.state is OutboxState.DEAD:
            yield Moment(row.created_at, Happened.MAIL_FAILED, _why(what, row))
        else:
            yield Moment(row.created_at, Happened.MAIL_WAITS, _why(what, row))


def _why(what: str, row: OutboxItem) -> str:
    return f"{what}: {row.last_error}" if row.last_error else what


def _updates(session: Session, order: Order) -> Iterator[Moment]:
    """Tell the mails to everyone that carried the link of this order."""
    # Campaigns are few, and their recipients have no index but by campaign and buyer.
    mine = and_(
        Recipient.campaign_id.in_(select(Campaign.id)),
        Recipient.customer_id == order.customer_id,
        Recipient.order_id == order.id,
        Recipient.state == RecipientState.SENT,
    )
    rows = session.execute(
        select(Recipient.sent_at, Campaign.subject)
        .join(Campaign, Campaign.id == Recipient.campaign_id)
        .where(mine)
    )
    for row in rows:
        if row.sent_at:
            yield Moment(row.sent_at, Happened.MAILED, f"update {row.subject}")


def _downloads(session: Session, order: Order) -> Iterator[Moment]:
    rows = session.execute(
        select(Grant, ReleaseFile)
        .join(Entitlement, Entitlement.id == Grant.entitlement_id)
        .join(ReleaseFile, ReleaseFile.id == Grant.file_id)
        .where(Entitlement.order_id == order.id)
    )
    for grant, file in rows:
        half = Spans.of(grant.parts).total() * 2 >= file.size
        kind = Happened.DOWNLOADED if half else Happened.PRESSED
        yield Moment(grant.created_at, kind, file.name)


def _papers(session: Session, order: Order) -> Iterator[Moment]:
    for row in session.scalars(select(Invoice).where(Invoice.order_id == order.id)):
        credit = row.kind is PaperKind.CREDIT_NOTE
        kind = Happened.CREDIT_NOTE if credit else Happened.PAPER
        money = Money(row.gross_minor, row.currency)
        yield Moment(row.issued_at, kind, row.number, money)


def _notes(session: Session, order: Order) -> Iterator[Moment]:
    for row in session.scalars(select(Note).where(Note.order_id == order.id)):
        yield Moment(row.at, Happened.NOTED, row.text, by=row.written_by)


def _log(session: Session, order: Order) -> Iterator[Moment]:
    """Tell who did what at the desk; notes and refunds are told already, in full."""
    rows = session.scalars(
        select(AuditEntry).where(
            AuditEntry.subject == order.number,
            AuditEntry.action != NOTED,
        )
    )
    for row in rows:
        yield Moment(row.at, Happened.DONE, row.action, by=row.who)


NOTED = "order.noted"
"""What the log calls a note, which stands on the page itself."""
