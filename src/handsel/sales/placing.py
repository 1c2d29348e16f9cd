"""Writing an order down: when its payment begins, or at once where nothing is paid."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.kit.signing import Keys, public_id
from handsel.kit.text import email_key
from handsel.models import Order
from handsel.models.database import insert_new
from handsel.models.words import GIFT, FactKind, OrderStatus, PaymentState
from handsel.sales import deleting, orders, reservations
from handsel.sales.checkout import Buyer, Offer, ending, of_session
from handsel.sales.payments.base import Fact, Payment, Started
from handsel.sales.pricing import Quote


def place(
    session: Session,
    keys: Keys,
    offer: Offer,
    started: Started,
    *,
    key: str,
    provider: str,
    test: bool,
    buyer: Buyer,
    now: datetime,
) -> None:
    """Write down the order of a payment session. Safe to repeat, and to race.

    One that was heard of before, and so rebuilt from what the provider keeps, gets what
    only this browser's press could say. The transaction has kept the product from being
    deleted, and that before it took a coupon: see `deleting.keep`.
    """
    ends = min(started.expires_at or ending(now, offer), ending(now, offer))
    if not insert_new(
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
        discount_minor=offer.quote.discount.minor,
        relief_minor=offer.quote.relief.minor,
        coupon_id=offer.coupon.coupon_id if offer.coupon else None,
        vat_check_id=offer.business.check_id if offer.business else None,
        network_country=buyer.country,
        currency=offer.price.currency,
        download_limit=offer.download_limit,
        email=buyer.email,
        created_at=now,
        expires_at=ends,
        status=OrderStatus.STARTED,
        refunded_minor=0,
    ):
        _complete(session, started, buyer, key=key, provider=provider, ends=ends)


def _complete(
    session: Session,
    started: Started,
    buyer: Buyer,
    *,
    key: str,
    provider: str,
    ends: datetime,
) -> None:
    order = of_session(session, provider, started.session_id)
    if order is None or order.checkout_key is not None:
        return
    order.checkout_key, order.payment_url = key, started.url
    order.email, order.expires_at = order.email or buyer.email, ends
    order.network_country = buyer.country
    reservations.complete(session, order, key)


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
    """Deliver what costs nothing (`FREE`), or a present (`GIFT`). Safe to repeat.

    `test`: whether the shop is only being tried, so that the order counts apart. Raises
    CouponError when the coupon that made it free is used up, NotFoundError when the product
    was deleted meanwhile.
    """
    if kind == GIFT:
        offer = _given_away(offer)
    assert not offer.price.minor
    deleting.keep(session, offer.product_id)
    if offer.coupon:
        mine = email_key(email)
        reservations.reserve(
            session, offer.coupon, key, holder=None, email_key=mine, now=now
        )
    place(
        session,
        keys,
        offer,
        Started(key, ""),
        key=key,
        provider=kind,
        test=test,
        buyer=Buyer(email),
        now=now,
    )
    granted = Fact(FactKind.MANUAL_GRANT, key, offer.price, now)
    payment = Payment(
        key, PaymentState.COMPLETE, offer.price, email, test, facts=(granted,)
    )
    return orders.record(session, keys, kind, payment, now)


def _given_away(offer: Offer) -> Offer:
    nothing = Money(0, offer.price.currency)
    quote = Quote(nothing, nothing, nothing, nothing)
    return replace(offer, quote=quote, coupon=None)
