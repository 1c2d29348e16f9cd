"""What a message says and how it is signed (Standard Webhooks)."""

import base64
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from handsel.models import Entitlement, Order, Release
from handsel.outbound.outbox import Item

PREFIX = "whsec_"


def body(session: Session, item: Item, *, with_email: bool) -> bytes:
    """Write the message of an item: what happened, and how its order stands now."""
    data: dict[str, Any] = {
        name: value
        for name, value in item.payload["about"].items()
        if value is not None
    }
    if item.order_id is not None:
        data["order"] = _order(session, item.order_id, with_email=with_email)
    message = {
        "id": item.payload["event"],
        "type": item.payload["name"],
        "timestamp": item.payload["at"],
        "data": data,
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _order(session: Session, number: int, *, with_email: bool) -> dict[str, Any]:
    order = session.get_one(Order, number, options=[joinedload(Order.product)])
    facts = {
        "number": order.number,
        "product": order.product.slug,
        "version": session.scalar(
            select(Release.version).where(Release.id == order.release_id)
        ),
        "amount_minor": order.price_minor,
        "currency": order.currency,
        "discount_minor": order.discount_minor,
        "refunded_minor": order.refunded_minor,
        "country": order.country,
        "status": str(order.status),
        "access": bool(
            session.scalar(
                select(Entitlement.access).where(Entitlement.order_id == order.id)
            )
        ),
        "test": order.test,
        "created_at": order.created_at.isoformat(),
        "paid_at": order.paid_at.isoformat() if order.paid_at else None,
    }
    return facts | ({"email": order.email} if with_email else {})


def headers(
    event: str, content: bytes, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """Sign a message with each secret: a receiver may know the new one or the old."""
    moment = str(int(now.timestamp()))
    signed = f"{event}.{moment}.".encode() + content
    marks = [f"v1,{_mark(secret, signed)}" for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": "Handsel",
        "webhook-id": event,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(marks),
    }


def _mark(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
