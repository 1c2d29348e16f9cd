"""Beginning a payment: the coupon first, then the provider, then the order."""

from contextlib import suppress
from dataclasses import replace

from sqlalchemy.orm import Session

from handsel.kit.errors import NotFoundError
from handsel.kit.text import email_key
from handsel.models import Order
from handsel.models.words import PaymentState
from handsel.sales import checkout, deleting, placing, reservations
from handsel.sales.checkout import Buyer, Offer
from handsel.sales.coupons import CouponError
from handsel.sales.payments.base import (
    PaymentProvider,
    Started,
    UnknownSessionError,
)
from handsel.sales.reservations import Held
from handsel.shop import Shop


def begin(
    shop: Shop,
    offer: Offer,
    key: str,
    provider: PaymentProvider,
    buyer: Buyer,
    *,
    hosted: bool = False,
) -> Started:
    """Open a payment session and write down its order. Safe to repeat with a key.

    Args:
        hosted: on the provider's own page, whatever is set.

    Raises CouponError when the coupon is used up, NotFoundError when the product was
    deleted meanwhile, ProviderUnavailableError; then nothing has begun.
    """
    if offer.coupon:
        _reserve(shop, offer.coupon, key, buyer)
    try:
        started = _start(shop, offer, key, provider, buyer, hosted=hosted)
    except BaseException:
        _let_go(shop, key)
        raise
    try:
        _place(shop, offer, started, key, provider, buyer)
    except (CouponError, NotFoundError):
        # Nobody knows its address yet, and nobody will.
        with shop.calling():
            provider.cancel(started.session_id, shop.now())
        _let_go(shop, key)
        raise
    return started


def _reserve(shop: Shop, coupon: Held, key: str, buyer: Buyer) -> None:
    with shop.transaction() as session:
        _take(session, shop, coupon, key, buyer)


def _take(session: Session, shop: Shop, coupon: Held, key: str, buyer: Buyer) -> None:
    reservations.reserve(
        session,
        coupon,
        key,
        holder=buyer.holder,
        email_key=email_key(buyer.email) if buyer.email else None,
        now=shop.now(),
    )


def _let_go(shop: Shop, key: str) -> None:
    """Give the coupon back, unless another press of the same form has an order.

    Should there be a session all the same, nobody knows its address.
    """
    with shop.transaction() as session:
        if checkout.begun(session, key) is None:
            reservations.give_back(session, key)


def _start(
    shop: Shop,
    offer: Offer,
    key: str,
    provider: PaymentProvider,
    buyer: Buyer,
    *,
    hosted: bool,
) -> Started:
    wanted = checkout.purchase(
        offer,
        key,
        keys=shop.keys,
        shop_url=shop.settings.public_url,
        provider=provider.name,
        email=buyer.email,
        now=shop.now(),
    )
    with shop.calling():
        return provider.start(replace(wanted, hosted=hosted), shop.now())


def _place(
    shop: Shop,
    offer: Offer,
    started: Started,
    key: str,
    provider: PaymentProvider,
    buyer: Buyer,
) -> None:
    """Write the order down.

    Raises CouponError when the coupon went to somebody else, NotFoundError when the
    product was deleted: then nobody may pay.
    """
    with shop.transaction() as session:
        deleting.keep(session, offer.product_id)
        if offer.coupon:  # another press of the same form may just have let it go
            _take(session, shop, offer.coupon, key, buyer)
        placing.place(
            session,
            shop.keys,
            offer,
            started,
            key=key,
            provider=provider.name,
            test=provider.test,
            buyer=buyer,
            now=shop.now(),
        )


def held_before(
    shop: Shop, offer: Offer, provider: PaymentProvider, buyer: Buyer
) -> Order | None:
    """Give the open payment with which this browser holds the scarce coupon already.

    If that is for something else, it is ended, so that the buyer who changed their mind
    has the coupon back. Raises ProviderUnavailableError.
    """
    if not offer.coupon or not offer.coupon.scarce or not buyer.holder:
        return None
    with shop.reading() as session:
        found = reservations.open_orders(session, offer.coupon.coupon_id, buyer.holder)
    for order in found:
        if _is_same(order, offer, provider, buyer) and shop.now() < order.expires_at:
            return order
        if order.provider in shop.providers:
            end(shop, order)
    return None


def _is_same(
    order: Order, offer: Offer, provider: PaymentProvider, buyer: Buyer
) -> bool:
    wanted = (offer.product_id, offer.price.minor, offer.price.currency)
    check = offer.business.check_id if offer.business else None
    return (
        (order.product_id, order.price_minor, order.currency) == wanted
        and (order.provider, order.email) == (provider.name, buyer.email)
        and order.vat_check_id == check
    )


def end(shop: Shop, order: Order) -> Order:
    """End a payment at its provider, and hear what has become of it."""
    # Some providers forget a payment whose time is over: then there is nothing to end.
    with shop.calling(), suppress(UnknownSessionError):
        shop.provider(order.provider).cancel(order.session_id, shop.now())
    return shop.hear(order.provider, order.session_id)


def begin_hosted(shop: Shop, order: Order, *, holder: str | None) -> str | None:
    """Move an open payment from our page to the provider's own; give its address.

    The first is ended before the second begins, so that nobody pays twice; if it came to
    something after all, nothing begins and there is no address. Safe to repeat, the same
    second payment comes of it.

    Raises CouponError when somebody else has got the last use of the coupon meanwhile,
    ProviderUnavailableError.
    """
    if end(shop, order).session_state is not PaymentState.EXPIRED:
        return None
    key = checkout.hosted_key(order)
    with shop.reading() as session:
        before = checkout.begun(session, key)
        offer = checkout.offered_before(session, order)
    if before:
        still_open = before.session_state is PaymentState.OPEN
        in_time = shop.now() < before.expires_at
        return before.payment_url if still_open and in_time else None
    provider = shop.provider(order.provider)
    buyer = Buyer(order.email, holder, order.network_country)
    started = begin(shop, offer, key, provider, buyer, hosted=True)
    return started.url
