"""Every mail the shop writes, as a row in the outbox; one function for each."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import update
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.models import Campaign, Order, OutboxItem, Product, Release
from handsel.models.database import rows_changed
from handsel.models.words import FactKind, OutboxState
from handsel.outbound import outbox

RECEIPT = "mail.receipt"
FIND = "mail.find"
REVIEW = "mail.review"
REFUND = "mail.refund"
REFUND_FAILED = "mail.refund_failed"
DISPUTE = "mail.dispute"
PAUSED = "mail.paused"


def receipt(session: Session, order: Order, now: datetime) -> None:
    """The buyer's link and receipt, once for each order. Safe to repeat."""
    assert order.email
    outbox.put(
        session,
        RECEIPT,
        f"receipt:{order.public_id}",
        recipient=order.email,
        order_id=order.id,
        now=now,
    )


def receipt_again(session: Session, order: Order, now: datetime) -> None:
    """The same link once more, because somebody asked for it or mended the address.

    At most once a minute for a link, which is another one for another address.
    """
    assert order.email
    minute = now.strftime("%Y%m%d%H%M")
    outbox.put(
        session,
        RECEIPT,
        f"receipt:{order.public_id}:{order.token_version}:{minute}",
        recipient=order.email,
        order_id=order.id,
        now=now,
        payload={"again": True},
    )


def redirect(session: Session, order: Order, now: datetime) -> int:
    """Let what still waits for an order go to its present address; give how many."""
    return rows_changed(
        session,
        update(OutboxItem)
        .where(
            OutboxItem.order_id == order.id,
            OutboxItem.topic == RECEIPT,
            OutboxItem.state == OutboxState.WAITING,
        )
        .values(recipient=order.email, next_at=now),
    )


def refund(
    session: Session, order: Order, object_id: str, amount: Money, now: datetime
) -> None:
    """Tell the buyer that money goes back, once for each refund. Safe to repeat."""
    if order.email:
        _about_money(session, REFUND, order, object_id, amount, now, to=order.email)


def refund_failed(
    session: Session, order: Order, object_id: str, amount: Money, now: datetime
) -> None:
    """Tell the seller that a refund did not go through. Safe to repeat."""
    _about_money(session, REFUND_FAILED, order, object_id, amount, now)


def dispute(
    session: Session,
    order: Order,
    object_id: str,
    kind: FactKind,
    amount: Money,
    now: datetime,
) -> None:
    """Tell the seller how a dispute stands, once for each step. Safe to repeat."""
    _about_money(
        session, DISPUTE, order, f"{object_id}:{kind}", amount, now, what=str(kind)
    )


def _about_money(
    session: Session,
    topic: str,
    order: Order,
    name: str,
    amount: Money,
    now: datetime,
    *,
    to: str = "",
    what: str = "",
) -> None:
    short = sha256(name.encode()).hexdigest()[:32]  # a provider's names may be long
    outbox.put(
        session,
        topic,
        f"{topic}:{order.public_id}:{short}",
        recipient=to,
        order_id=order.id,
        now=now,
        payload={"minor": amount.minor, "currency": amount.currency, "what": what},
    )


def find_link(session: Session, email: str, link_id: int, now: datetime) -> None:
    """The link that shows somebody their purchases, once for each asking."""
    outbox.put(
        session,
        FIND,
        f"find:{link_id}",
        recipient=email,
        now=now,
        payload={"link": link_id},
    )


def review(session: Session, order: Order, now: datetime) -> None:
    """Tell the seller, once, that an order needs a look. Safe to repeat."""
    outbox.put(
        session,
        REVIEW,
        f"review:{order.public_id}",
        recipient="",
        order_id=order.id,
        now=now,
    )


def campaign_paused(session: Session, campaign: Campaign, now: datetime) -> None:
    """Tell the seller that a mail to many has stopped by itself, once for each stop."""
    product = session.get_one(Product, campaign.product_id)
    release = session.get(Release, campaign.release_id) if campaign.release_id else None
    outbox.put(
        session,
        PAUSED,
        f"paused:{campaign.id}:{int(now.timestamp())}",
        recipient="",
        now=now,
        payload={
            "name": product.name,
            "number": campaign.id,
            "version": release.version if release else "",
            "subject": campaign.subject,
            "reason": campaign.pause_reason,
        },
    )
