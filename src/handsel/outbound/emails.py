"""Every mail the shop writes, as a row in the outbox; one function for each."""

from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.models import Campaign, HookEndpoint, Order, OutboxItem, Product, Release
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
BRAKE = "mail.brake"
CHECK = "mail.check"
HOOK_STOPPED = "mail.hook_stopped"

CHECKED = "checked"
"""What the link of CHECK is signed for, and where it leads."""


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
    """Let what has not gone to the buyer go to the order's present address.

    Given-up mails too, which `mail retry` revives. Gives how many receipts wait.
    """
    ours = (OutboxItem.order_id == order.id, OutboxItem.recipient != "")
    to = {"recipient": order.email}
    dead = update(OutboxItem).where(*ours, OutboxItem.state == OutboxState.DEAD)
    waiting = update(OutboxItem).where(*ours, OutboxItem.state == OutboxState.WAITING)
    receipt = OutboxItem.topic == RECEIPT
    rows_changed(session, dead.values(to))
    rows_changed(session, waiting.where(~receipt).values(**to, next_at=now))
    return rows_changed(session, waiting.where(receipt).values(**to, next_at=now))


def refund(
    session: Session, order: Order, object_id: str, amount: Money, now: datetime
) -> None:
    """Tell the buyer that money goes back, once for each refund. Safe to repeat."""
    if order.email:
        which = {"to": order.email, "refund": object_id}
        _about_money(session, REFUND, order, object_id, amount, now, **which)


@dataclass(frozen=True)
class Ended:
    """How a refund came to nothing.

    Args:
        what: `came_back`, `refused`, or `unknown` when nobody knows.
        keep: whether the buyer was to keep the files.
    """

    what: str
    keep: bool
    error: str = ""


def refund_failed(
    session: Session,
    order: Order,
    object_id: str,
    amount: Money,
    about: Ended,
    now: datetime,
) -> None:
    """Tell the seller that a refund came to nothing. Safe to repeat.

    Args:
        object_id: the provider's name of a refund that came back, else our own key.

    The buyer is not told any more that the money is on its way, if that mail still waits.
    """
    told = _name(REFUND, order, object_id)
    session.execute(
        delete(OutboxItem).where(
            OutboxItem.dedupe == told,
            OutboxItem.state.in_((OutboxState.WAITING, OutboxState.DEAD)),
        )
    )
    more = {**asdict(about), "told": told}
    _about_money(session, REFUND_FAILED, order, object_id, amount, now, **more)


def dispute(
    session: Session,
    order: Order,
    object_id: str,
    kind: FactKind,
    amount: Money,
    now: datetime,
) -> None:
    """Tell the seller how a dispute stands, once for each step. Safe to repeat."""
    name = f"{object_id}:{kind}"
    _about_money(session, DISPUTE, order, name, amount, now, what=str(kind))


def _about_money(
    session: Session,
    topic: str,
    order: Order,
    name: str,
    amount: Money,
    now: datetime,
    *,
    to: str = "",
    **more: str | bool,
) -> None:
    outbox.put(
        session,
        topic,
        _name(topic, order, name),
        recipient=to,
        order_id=order.id,
        now=now,
        payload={"minor": amount.minor, "currency": amount.currency, **more},
    )


def _name(topic: str, order: Order, name: str) -> str:
    short = sha256(name.encode()).hexdigest()[:32]  # a provider's names may be long
    return f"{topic}:{order.public_id}:{short}"


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


def hook_stopped(
    session: Session, endpoint: HookEndpoint, why: str, now: datetime
) -> None:
    """Tell the seller, once each time, that somebody is not told any more by web hook."""
    outbox.put(
        session,
        HOOK_STOPPED,
        f"hook_stopped:{endpoint.id}:{int(now.timestamp())}",
        recipient="",
        now=now,
        payload={"number": endpoint.id, "url": endpoint.url, "why": why},
    )


def brake_on(
    session: Session, product_id: int, declined: int, tries: int, now: datetime
) -> None:
    """Tell the seller, once each time, that stolen cards are tried with a product."""
    product = session.get_one(Product, product_id)
    outbox.put(
        session,
        BRAKE,
        f"brake:{product_id}:{int(now.timestamp())}",
        recipient="",
        now=now,
        payload={
            "name": product.name,
            "slug": product.slug,
            "declined": declined,
            "tries": tries,
        },
    )


def check(
    session: Session, number: int, product: str, email: str, minutes: int, now: datetime
) -> None:
    """The link that a buyer opens before they pay, once for each asking.

    Args:
        minutes: how long it works.
    """
    outbox.put(
        session,
        CHECK,
        check_name(number),
        recipient=email,
        now=now,
        payload={"check": number, "name": product, "minutes": minutes},
    )


def check_name(number: int) -> str:
    """Name the mail of a check."""
    return f"check:{number}"
