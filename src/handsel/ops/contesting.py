"""Answering a dispute: what the shop knows of a purchase, put together for a bank."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError
from handsel.kit.money import Money, format_money
from handsel.kit.text import human_size
from handsel.models import Entitlement, Grant, Order, OutboxItem, ReleaseFile
from handsel.models.words import GrantState
from handsel.sales import orders
from handsel.sales.payments.base import Evidence
from handsel.shop import Shop

_DELIVERED = (GrantState.CONSUMED, GrantState.CLOSED)


def evidence(shop: Shop, number: str) -> Evidence:
    """Put together what is known of a paid order. Raises NotFoundError, ConflictError."""
    with shop.reading() as session:
        order = orders.by_number(session, number)
        if order.paid_at is None or not order.price_minor:
            raise ConflictError(f"Nothing was paid for order {order.number}.")
        return Evidence(
            product=_product(order, shop.settings.shop.name),
            email=order.email or "",
            bought_at=order.paid_at,
            downloads="\n".join(_downloads(session, order))
            or "No file was downloaded.",
            mails="\n".join(_mails(session, order)) or "No mail was sent.",
            terms="Sold as a download, delivered at once: the buyer was led to the page "
            "of the purchase right after paying, and was mailed its address. Each file "
            f"can be downloaded {order.download_limit} times.",
        )


def _product(order: Order, shop: str) -> str:
    price = format_money(Money(order.price_minor, order.currency), "en")
    return (
        f"{order.product.name}, a digital product of {shop}, sold as a download. "
        f"Order {order.number}, {price}."
    )


def _downloads(session: Session, order: Order) -> list[str]:
    rows = session.execute(
        select(Grant.created_at, Grant.state, Grant.bytes_out, ReleaseFile)
        .join(Entitlement, Entitlement.id == Grant.entitlement_id)
        .join(ReleaseFile, ReleaseFile.id == Grant.file_id)
        .where(Entitlement.order_id == order.id, Grant.bytes_out > 0)
        .order_by(Grant.id)
    )
    return [
        f"{_time(at)} {file.name}: {human_size(sent)} of {human_size(file.size)} sent"
        + (", downloaded" if state in _DELIVERED else "")
        for at, state, sent, file in rows
    ]


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
