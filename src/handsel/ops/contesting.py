"""Answering a dispute: what the shop knows of a purchase, put together for a bank."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError
from handsel.kit.money import Money, format_money
from handsel.kit.ranges import Spans
from handsel.kit.text import human_size
from handsel.models import Entitlement, Grant, Order, OutboxItem, ReleaseFile
from handsel.outbound import emails
from handsel.sales import orders
from handsel.sales.payments.base import Evidence
from handsel.shop import Shop


def evidence(shop: Shop, number: str) -> tuple[str, Evidence]:
    """Put together what is known of a paid order; give its number with it.

    Raises NotFoundError, ConflictError.
    """
    with shop.reading() as session:
        order = orders.by_number(session, number)
        if order.paid_at is None or not order.price_minor:
            raise ConflictError(f"Nothing was paid for order {order.number}.")
        mails, terms = _mails(session, order), _terms(session, order)
        return order.number, Evidence(
            product=_product(order, shop.settings.shop.name),
            email=order.email or "",
            bought_at=order.paid_at,
            downloads="\n".join(_downloads(session, order))
            or "No file was downloaded.",
            mails="\n".join(mails) or "No mail was sent.",
            terms=" ".join(terms),
        )


def _product(order: Order, shop: str) -> str:
    price = format_money(Money(order.price_minor, order.currency), "en")
    return (
        f"{order.product.name}, a digital product of {shop}, sold as a download. "
        f"Order {order.number}, {price}."
    )


def _terms(session: Session, order: Order) -> Iterator[str]:
    """Say what the buyer was given, as far as somebody has seen it happen."""
    yield "Sold as a download."
    mailed = session.scalar(
        select(func.min(OutboxItem.sent_at)).where(
            OutboxItem.order_id == order.id,
            OutboxItem.topic == emails.RECEIPT,
            OutboxItem.recipient == order.email,
        )
    )
    if mailed:
        yield (
            "The address of the page of the purchase was mailed to the buyer; the mail "
            f"server took it on {_time(mailed)}."
        )
    pressed = session.scalar(
        select(func.min(Grant.created_at))
        .join(Entitlement, Entitlement.id == Grant.entitlement_id)
        .where(Entitlement.order_id == order.id)
    )
    if pressed:
        yield f"That page was opened, and Download pressed, first on {_time(pressed)}."
    yield f"Each file could be downloaded {order.download_limit} times."


def _downloads(session: Session, order: Order) -> list[str]:
    rows = session.execute(
        select(Grant, ReleaseFile)
        .join(Entitlement, Entitlement.id == Grant.entitlement_id)
        .join(ReleaseFile, ReleaseFile.id == Grant.file_id)
        .where(Entitlement.order_id == order.id, Grant.bytes_out > 0)
        .order_by(Grant.id)
    )
    return [_download(grant, file) for grant, file in rows]


def _download(grant: Grant, file: ReleaseFile) -> str:
    """Say how much of a file arrived; some of it may have been sent twice."""
    there = Spans.of(grant.parts).total()
    whole = "all of it" if there >= file.size else f"{human_size(there)}, a part"
    return (
        f"{_time(grant.created_at)} {file.name} ({human_size(file.size)}): "
        f"downloaded {whole}"
    )


def _mails(session: Session, order: Order) -> list[str]:
    rows = session.scalars(
        select(OutboxItem)
        .where(
            OutboxItem.order_id == order.id,
            OutboxItem.sent_at.is_not(None),
            OutboxItem.recipient != "",
        )
        .order_by(OutboxItem.id)
    )
    return [
        f"{_time(each.sent_at)} {each.topic.removeprefix('mail.')} mailed to "
        f"{each.recipient}, taken by the mail server"
        for each in rows
        if each.sent_at
    ]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def facts(known: Evidence) -> dict[str, Any]:
    """Give it for programs."""
    return {
        "product": known.product,
        "email": known.email,
        "bought_at": known.bought_at.isoformat(),
        "downloads": known.downloads.splitlines(),
        "mails": known.mails.splitlines(),
        "terms": known.terms,
    }


def in_words(known: Evidence) -> str:
    """Give it for people, as the bank will read it."""
    return "\n".join(
        (
            f"Product:   {known.product}",
            f"Buyer:     {known.email}",
            f"Paid:      {_time(known.bought_at)}",
            f"Terms:     {known.terms}",
            "Downloads:",
            *(f"  {line}" for line in known.downloads.splitlines()),
            "Mails:",
            *(f"  {line}" for line in known.mails.splitlines()),
        )
    )


def submit(shop: Shop, number: str, known: Evidence) -> str:
    """Answer the open dispute of an order with it, and name the dispute.

    Raises ConflictError when none waits for an answer, ProviderUnavailableError.
    """
    with shop.reading() as session:
        order = orders.by_number(session, number)
    with shop.calling():
        return shop.provider(order.provider).contest(
            order.session_id, known, shop.now()
        )
