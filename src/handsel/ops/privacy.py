"""What a shop knows of one buyer, forgotten. `disclosing` gives it out before.

Orders, amounts, countries and invoices stay, because the tax office asks for them for
years. What names the person goes, and with it the link to the files unless it is to
stay. A keyed hash of the address stays: so somebody who asks again, or a bank that
disputes, can still be matched by who knows the address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError, NotFoundError
from handsel.kit.signing import Keys, sign, signed
from handsel.kit.text import email_key
from handsel.models import (
    Base,
    Block,
    Campaign,
    CouponUse,
    Customer,
    Entitlement,
    FindLink,
    Grant,
    Inbox,
    Invoice,
    InvoiceParty,
    LedgerEntry,
    MailCheck,
    Note,
    Order,
    OrderVisit,
    OutboxItem,
    PaymentStart,
    Recipient,
    Refund,
    Suppression,
)
from handsel.models.database import rows_changed
from handsel.models.words import FactKind, OrderStatus, OutboxState, PaymentState
from handsel.outbound import outbox, recipients
from handsel.sales import blocks
from handsel.shop import Shop

PURPOSE = "erased"
"""What the keyed hash of a forgotten address is for."""
NOBODY = "(erased)"
"""Where a mail went whose reader was forgotten; no mail server takes it."""


ERASED = (
    *("orders.email", "orders.email_key", "orders.email_domain", "orders.card_last4"),
    *("customers.email", "customers.email_key", "order_notes.text"),
    *("outbox.recipient", "outbox.payload", "outbox.last_error", "inbox.raw"),
    *(
        "suppressions.email_key",
        "suppressions.detail",
        "campaign_recipients.last_error",
        "campaigns.last_error",
        "campaigns.pause_reason",
    ),
    *("grants.client_key", "refunds.error", "order_visits.ga_client"),
    *("coupon_uses.holder", "coupon_uses.email_key", "blocks.email", "blocks.reason"),
    *("starts.visitor", "starts.browser", "mail_checks.email", "mail_checks.fields"),
)
"""Every column about a buyer that is emptied, or whose row goes; a test compares."""


@dataclass(frozen=True)
class Person:
    """Whose data it is, and the rows they are known by."""

    email: str
    key: str
    """Their address in small letters."""
    customer_ids: Sequence[int]
    order_ids: Sequence[int]


@dataclass(frozen=True)
class Erased:
    """What was forgotten of a buyer, and what stays for the tax office."""

    email: str
    orders: Sequence[str]
    mails: int
    notes: int
    kept_invoices: int
    kept_addresses: int
    """Names and addresses that stand on those."""
    link_stays: bool


def find(session: Session, keys: Keys, email: str) -> Person:
    """Find whose data it is; who was forgotten is still found. Raises NotFoundError."""
    key = email_key(email)
    forgotten = [
        Customer.email_key.startswith(f"erased:{each}:")
        for each in signed(keys, PURPOSE, key)
    ]
    named = or_(Customer.email_key == key, *forgotten)
    customers = session.scalars(select(Customer.id).where(named)).all()
    theirs = or_(Order.email_key == func.lower(email.strip()), _bought_by(customers))
    orders = session.scalars(select(Order.id).where(theirs).order_by(Order.id)).all()
    if not customers and not orders and not _known_otherwise(session, key):
        raise NotFoundError(
            f"Nothing is known here of {email}.",
            "`handsel customer list` shows everybody who has bought.",
        )
    return Person(email.strip(), key, customers, orders)


def _bought_by(customers: Sequence[int]) -> ColumnElement[bool]:
    return Order.customer_id.in_(customers)


def _known_otherwise(session: Session, key: str) -> bool:
    """Say whether an address that never bought stands somewhere all the same."""
    asked = select(Suppression.email_key).where(Suppression.email_key == key)
    return session.scalar(asked) is not None


def erase(shop: Shop, email: str, *, keep_link: bool = False) -> Erased:
    """Forget a buyer. Safe to repeat.

    Args:
        keep_link: whether the links they have still open their files.

    Raises NotFoundError; ConflictError while a dispute or a payment is open, which could
    not be answered any more.
    """
    with shop.transaction() as session:
        person = find(session, shop.keys, email)
        return erase_in(session, shop.keys, person, shop.now(), keep_link=keep_link)


def erase_in(
    session: Session, keys: Keys, person: Person, now: datetime, *, keep_link: bool
) -> Erased:
    """The same within a transaction."""
    orders = _locked(session, person)
    _check_over(session, orders)
    told = _told(session, person, orders, keep_link=keep_link)
    _forget_mails(session, person, now)
    for statement in _forgetting(keys, person):
        session.execute(statement, execution_options={"synchronize_session": False})
    for order in orders:
        if order.erased_at is None:
            order.token_version += 0 if keep_link else 1
            order.email = order.card_last4 = None
            order.erased_at = now
    session.flush()
    return told


def _locked(session: Session, person: Person) -> Sequence[Order]:
    return session.scalars(
        select(Order)
        .where(Order.id.in_(person.order_ids))
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _check_over(session: Session, orders: Sequence[Order]) -> None:
    for order in orders:
        if order.status is OrderStatus.DISPUTED and _waits_for_the_bank(session, order):
            raise ConflictError(
                f"Order {order.number} is disputed: what is known of it is your evidence.",
                "Erase when the dispute is over.",
            )
        if order.session_state is PaymentState.PROCESSING:
            raise ConflictError(
                f"The money of order {order.number} is on its way.",
                "Erase when it has arrived, or has not.",
            )


def _waits_for_the_bank(session: Session, order: Order) -> bool:
    said = select(LedgerEntry.object_id).where(LedgerEntry.order_id == order.id)
    opened = session.scalars(said.where(LedgerEntry.kind == FactKind.DISPUTE_OPEN))
    ended = session.scalars(said.where(LedgerEntry.kind.in_(_ENDED)))
    return bool({*opened} - {*ended})


_ENDED = (FactKind.DISPUTE_WON, FactKind.DISPUTE_LOST, FactKind.DISPUTE_SETTLED)


def _told(
    session: Session, person: Person, orders: Sequence[Order], *, keep_link: bool
) -> Erased:
    def count(table: type[Base], chosen: ColumnElement[bool]) -> int:
        return (
            session.scalar(select(func.count()).select_from(table).where(chosen)) or 0
        )

    ids = person.order_ids
    return Erased(
        email=person.email,
        orders=[order.number for order in orders],
        mails=count(OutboxItem, _mail_to(person)),
        notes=count(Note, Note.order_id.in_(ids)),
        kept_invoices=count(Invoice, Invoice.order_id.in_(ids)),
        kept_addresses=count(InvoiceParty, InvoiceParty.order_id.in_(ids)),
        link_stays=keep_link,
    )


def _mail_to(person: Person) -> ColumnElement[bool]:
    """Choose mails to a person; those to the seller about their orders are not."""
    to_them = (OutboxItem.recipient != "") & (OutboxItem.recipient != NOBODY)
    return OutboxItem.order_id.in_(person.order_ids) & to_them


def _forget_mails(session: Session, person: Person, now: datetime) -> None:
    """Keep that a mail went, not to whom; those that wait do not go any more."""
    waits = OutboxItem.state.in_((OutboxState.WAITING, OutboxState.DEAD))
    about = or_(
        OutboxItem.order_id.in_(person.order_ids),
        and_(
            func.lower(OutboxItem.recipient) == person.key,
            OutboxItem.order_id.is_(None),
        ),
    )
    theirs = about & (OutboxItem.recipient != "")
    outbox.let_go(session, theirs, now)
    recipients.let_go(session, person.customer_ids, now)
    rows_changed(session, delete(OutboxItem).where(theirs, waits))
    rows_changed(
        session,
        update(OutboxItem)
        .where(theirs)
        .values(recipient=NOBODY, payload={}, last_error=None),
    )


def _forgetting(keys: Keys, person: Person) -> Sequence[Any]:
    """Give what is done to each table but orders and mails; see ERASED."""
    orders, customers = person.order_ids, person.customer_ids
    bought = select(Order.checkout_key).where(Order.id.in_(orders))
    rights = select(Entitlement.id).where(Entitlement.order_id.in_(orders))
    # With a number: who was forgotten may buy again, and ask to be forgotten again.
    tombstone = func.concat(f"erased:{sign(keys, PURPOSE, person.key)}:", Customer.id)
    return (
        update(Customer)
        .where(Customer.id.in_(customers), Customer.email != "")
        .values(email="", email_key=tombstone),
        delete(FindLink).where(FindLink.customer_id.in_(customers)),
        delete(Suppression).where(Suppression.email_key == person.key),
        delete(Note).where(Note.order_id.in_(orders)),
        delete(PaymentStart).where(PaymentStart.purchase.in_(bought)),
        update(Block)
        .where(Block.mark.in_(signed(keys, blocks.PURPOSE, person.key)))
        .values(email=None, reason=""),
        update(CouponUse)
        .where(or_(CouponUse.email_key == person.key, CouponUse.purchase.in_(bought)))
        .values(email_key=None, holder=None),
        update(Grant)
        .where(Grant.entitlement_id.in_(rights))
        .values(client_key=func.concat("erased:", Grant.id)),
        update(Inbox).where(_about(person)).values(raw=""),
        update(MailCheck)
        .where(func.lower(MailCheck.email) == person.key)
        .values(email="", fields={}),
        update(OrderVisit)
        .where(OrderVisit.order_id.in_(orders))
        .values(ga_client=None, ga_session=None),
        update(Recipient)
        .where(Recipient.customer_id.in_(customers))
        .values(last_error=None),
        update(Campaign)
        .where(func.lower(Campaign.pause_reason).contains(person.key, autoescape=True))
        .values(pause_reason=""),
        update(Campaign)
        .where(func.lower(Campaign.last_error).contains(person.key, autoescape=True))
        .values(last_error=""),
        update(Refund).where(Refund.order_id.in_(orders)).values(error=None),
    )


def _about(person: Person) -> ColumnElement[bool]:
    """Choose what providers have said of a person in the last days."""
    session = select(Order.session_id).where(Order.id.in_(person.order_ids))
    return or_(
        Inbox.object_id.in_(session),
        func.lower(Inbox.raw).contains(person.key, autoescape=True),
    )
