"""From a press on Buy to a payment session that belongs to an order.

Reading first, then the provider with no transaction open, then one short transaction.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.kit.signing import Keys, public_id
from handsel.models import Order
from handsel.models.database import insert_new
from handsel.models.words import FactKind, OrderStatus, PaymentState
from handsel.sales import catalogue, orders
from handsel.sales.payments.base import Fact, Payment, Purchase, Started

SESSION_LENGTH = timedelta(hours=23)
FREE = "free"
GIFT = "gift"


@dataclass(frozen=True)
class Offer:
    """One product at its price of this moment."""

    product_id: int
    release_id: int
    slug: str
    name: str
    price: Money
    download_limit: int


def prepare(session: Session, slug: str, *, drafts: bool = False) -> Offer:
    """Give what a stranger would buy now; a seller may have drafts. Raises NotFoundError."""
    product = (catalogue.get if drafts else catalogue.published)(session, slug)
    return Offer(
        product.id,
        product.releases[-1].id,
        product.slug,
        product.name,
        catalogue.price_of(product),
        product.download_limit,
    )


def checkout_key(press: str, offer: Offer, provider: str) -> str:
    """Name one press on Buy: the same press for the same offer is the same payment."""
    parts = (press, offer.slug, str(offer.price.minor), offer.price.currency, provider)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def begun(session: Session, key: str) -> Order | None:
    """Give the order an earlier press with this key has made."""
    return session.scalars(select(Order).where(Order.checkout_key == key)).one_or_none()


def purchase(
    offer: Offer,
    key: str,
    *,
    keys: Keys,
    shop_url: str,
    provider: str,
    email: str | None,
    now: datetime,
) -> Purchase:
    """Say to a provider what is bought; enough to rebuild the order from."""
    return Purchase(
        key=key,
        title=offer.name,
        price=offer.price,
        email=email,
        return_url=f"{shop_url}/return/{provider}",
        cancel_url=f"{shop_url}/p/{offer.slug}?cancelled=1",
        expires_at=ending(now),
        reference={
            "shop": orders.shop_mark(keys),
            "product": offer.slug,
            "price": str(offer.price.minor),
            "currency": offer.price.currency,
        },
    )


def ending(now: datetime) -> datetime:
    """Say when a session begun now is over: the same answer for presses of one hour.

    A provider takes a repeat only if it is the same to the letter.
    """
    return (now + SESSION_LENGTH).replace(minute=0, second=0, microsecond=0)


def place(
    session: Session,
    keys: Keys,
    offer: Offer,
    started: Started,
    *,
    key: str,
    provider: str,
    test: bool,
    email: str | None,
    now: datetime,
) -> None:
    """Write down the order of a payment session. Safe to repeat, and to race."""
    insert_new(
        session,
        Order,
        public_id=public_id(keys, provider, started.session_id),
        token_version=1,
        provider=provider,
        session_id=started.session_id,
        checkout_key=key,
        payment_url=started.url,
        session_state=PaymentState.OPEN,
        test=test,
        product_id=offer.product_id,
        release_id=offer.release_id,
        price_minor=offer.price.minor,
        currency=offer.price.currency,
        download_limit=offer.download_limit,
        email=email,
        created_at=now,
        expires_at=ending(now),
        status=OrderStatus.STARTED,
        refunded_minor=0,
    )


def without_payment(
    session: Session,
    keys: Keys,
    offer: Offer,
    *,
    key: str,
    kind: str,
    test: bool,
    email: str,
    now: datetime,
) -> Order:
    """Deliver a free product (`FREE`) or a present (`GIFT`). Safe to repeat.

    `test`: whether the shop is only being tried, so that the order counts apart.
    """
    nothing = Money(0, offer.price.currency)
    gift = Offer(
        offer.product_id,
        offer.release_id,
        offer.slug,
        offer.name,
        nothing,
        offer.download_limit,
    )
    place(
        session,
        keys,
        gift,
        Started(key, ""),
        key=key,
        provider=kind,
        test=test,
        email=email,
        now=now,
    )
    payment = Payment(
        session_id=key,
        state=PaymentState.COMPLETE,
        price=nothing,
        email=email,
        test=test,
        facts=(Fact(FactKind.MANUAL_GRANT, key, nothing, now),),
    )
    return orders.record(session, keys, kind, payment, now)
