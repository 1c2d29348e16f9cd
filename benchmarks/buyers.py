"""A hundred thousand people who bought, and a mail to all of them."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from benchmarks.ground import SLUG
from benchmarks.purchases import opened
from handsel.models import Campaign, Customer, Entitlement, Order, Product, Recipient
from handsel.models.words import OrderStatus, PaymentState, RecipientState
from handsel.ops import campaigning
from handsel.ops.releasing import Sending
from handsel.outbound import campaigns
from handsel.sales import catalogue
from handsel.shop import Shop

TOGETHER = 5000
BODY = """The **second edition** is out.

There is a new chapter about bridges, and all the figures were drawn again. What was
wrong in the first edition, as so many of you wrote to me:

- page 17: the river flows the other way
- page 203: it was 1873, not 1783

Thank you for reading, and for writing.
"""


def many_buyers(home: Path, count: int) -> None:
    """Sell the book to so many, straight into the database: their buying is not it."""
    with opened(home) as shop:
        now = shop.now()
        with shop.transaction() as session:
            product = catalogue.get(session, SLUG)
            for start in range(1, count + 1, TOGETHER):
                numbers = range(start, min(start + TOGETHER, count + 1))
                _sell(session, product, numbers, now)


def _sell(session: Session, product: Product, numbers: range, now: datetime) -> None:
    release = product.releases[0].id
    session.execute(insert(Customer), [_customer(each, now) for each in numbers])
    session.execute(
        insert(Order), [_order(each, product.id, release, now) for each in numbers]
    )
    entitlement = {
        "product_id": product.id,
        "release_id": release,
        "access": True,
        "granted_at": now,
        "access_changed_at": now,
    }
    session.execute(
        insert(Entitlement), [entitlement | {"order_id": each} for each in numbers]
    )


def _customer(number: int, now: datetime) -> dict[str, Any]:
    email = f"reader{number}@example.com"
    return {"id": number, "email": email, "email_key": email, "created_at": now}


def _order(number: int, product: int, release: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "public_id": f"{number:022}",
        "provider": "bulk",
        "session_id": f"s{number}",
        "session_state": PaymentState.COMPLETE,
        "test": False,
        "product_id": product,
        "release_id": release,
        "price_minor": 1500,
        "currency": "EUR",
        "download_limit": 5,
        "email": f"reader{number}@example.com",
        "customer_id": number,
        "created_at": now,
        "expires_at": now,
        "status": OrderStatus.PAID,
        "paid_at": now,
    }


def draft(shop: Shop, subject: str) -> int:
    """Make a mail to everyone that has not begun; give its campaign."""
    return campaigning.create_broadcast(shop, SLUG, subject, BODY, Sending())


def begin(shop: Shop, campaign_id: int) -> None:
    """Write down who gets it, and begin; its transaction is all that `release` waits for."""
    with shop.transaction() as session:
        campaigns.start(session, session.get_one(Campaign, campaign_id), shop.now())


def sent(shop: Shop, campaign_id: int) -> int:
    """Count the mails that are marked as sent."""
    counted = select(func.count()).where(
        Recipient.campaign_id == campaign_id, Recipient.state == RecipientState.SENT
    )
    with shop.reading() as session:
        return session.scalar(counted) or 0
