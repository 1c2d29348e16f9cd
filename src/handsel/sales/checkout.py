"""From a press on Buy to a payment session that belongs to an order.

Reading first, then the provider with no transaction open, then one short transaction.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.kit.signing import Keys
from handsel.models import Coupon, Order, Product
from handsel.models.words import TaxClass
from handsel.sales import (
    businesses,
    catalogue,
    coupons,
    prices,
    rebuilding,
    reservations,
)
from handsel.sales.businesses import Business
from handsel.sales.payments.base import Purchase
from handsel.sales.payments.units import Units
from handsel.sales.pricing import Quote, quote
from handsel.sales.reservations import Held

SESSION_LENGTH = timedelta(hours=23)
HOLDING = timedelta(hours=2)
PROMISE = "tried"
"""What our word for a price is called in addresses and forms."""


@dataclass(frozen=True)
class Promised:
    """A price that a visitor was shown, while several are tried, and our word for it."""

    price: Money
    word: str


@dataclass(frozen=True)
class Wish:
    """What a buyer says of the price: each as typed, each may be empty.

    Args:
        coupon: the code of a coupon.
        amount: what they want to pay, where the price is open.
        currency: the code they want to pay in; counts where there is such a price.
        holder: their browser, by which a coupon they hold already is known.
        business: who they are, if they owe the tax themselves.
        promised: what they were shown instead of the usual price; never as typed.
    """

    coupon: str = ""
    amount: str = ""
    currency: str = ""
    holder: str | None = None
    business: Business | None = None
    promised: Promised | None = None


@dataclass(frozen=True)
class Buyer:
    """Who sets out to pay, as far as that is known; each may be None.

    Args:
        email: as they typed it here, and normalised.
        holder: names their browser, so that its own open payment does not keep a coupon
            from it.
        country: of the line they come by, as two letters.
    """

    email: str | None = None
    holder: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class Offer:
    """One product at its price of this moment, for one buyer."""

    product_id: int
    release_id: int
    slug: str
    name: str
    quote: Quote
    download_limit: int
    coupon: Held | None = None
    chosen: Money | None = None
    """What the buyer said they pay, where the price is open."""
    foreign: bool = False
    """Whether this is not the product's own currency."""
    business: Business | None = None
    tax_class: TaxClass = TaxClass.STANDARD
    promised: Promised | None = None

    @property
    def price(self) -> Money:
        """What is to be paid."""
        return self.quote.total

    @property
    def wish(self) -> dict[str, str]:
        """What the buyer has said of the price, as an address or a form says it again."""
        said = {
            "coupon": self.coupon.code if self.coupon else "",
            "amount": self.chosen.amount if self.chosen else "",
            "currency": self.price.currency if self.foreign else "",
            "vat_id": self.business.number if self.business else "",
            PROMISE: self.promised.word if self.promised else "",
        }
        return {name: value for name, value in said.items() if value}

    @property
    def asks_email(self) -> bool:
        """Whether the buyer must say who they are before anything else."""
        return not self.price.minor or bool(self.coupon and self.coupon.per_buyer)


def prepare(
    session: Session,
    slug: str,
    wish: Wish = Wish(),  # frozen
    *,
    units: Callable[[str], Sequence[Units]],
    now: datetime,
    drafts: bool = False,
) -> Offer:
    """Give what a stranger would buy now; a seller may have drafts.

    Args:
        units: says of a currency how those count who can charge it.

    Raises NotFoundError; CouponError and BadInputError (field `amount`) for a wish that
    cannot be met.
    """
    product = (catalogue.get if drafts else catalogue.published)(session, slug)
    return offered(session, product, wish, units=units, now=now)


def offered(
    session: Session,
    product: Product,
    wish: Wish,
    *,
    units: Callable[[str], Sequence[Units]],
    now: datetime,
) -> Offer:
    """Give what this product costs whoever wishes this; as `prepare`."""
    price = prices.of(product, now, wish.currency)
    promised = _promised(product, price, wish)
    if promised:
        price = replace(price, usual=promised.price)
    counts = units(price.usual.currency)
    chosen = prices.chosen(product, wish.amount, counts)
    before = chosen or price.sale or price.usual
    business = wish.business
    coupon = None
    if wish.coupon.strip():
        coupon = coupons.usable(
            session, wish.coupon, product, before, now, holder=wish.holder
        )
    return Offer(
        product.id,
        product.releases[-1].id,
        product.slug,
        product.name,
        quote(
            chosen or price.usual,
            sale=price.sale,
            off=coupons.off(coupon) if coupon else None,
            relief=business.relief(product.tax_class, now.date()) if business else 0,
            units=counts,
        ),
        product.download_limit,
        reservations.held(coupon) if coupon else None,
        chosen,
        foreign=price.usual.currency != product.currency,
        business=business,
        tax_class=product.tax_class,
        promised=promised,
    )


def _promised(product: Product, price: prices.Price, wish: Wish) -> Promised | None:
    """Give the price that was promised; None where it is not the one that is asked."""
    found = wish.promised
    if found is None or product.open_price:
        return None
    return found if found.price.currency == price.usual.currency else None


def checkout_key(press: str, offer: Offer, provider: str) -> str:
    """Name one press on Buy: the same press for the same offer is the same payment."""
    code = (offer.coupon.code,) if offer.coupon else ()
    number = (offer.business.number,) if offer.business else ()
    word = (offer.promised.word,) if offer.promised else ()
    price = offer.price
    said = (*code, *number, *word)
    parts = (press, offer.slug, str(price.minor), price.currency, provider, *said)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def hosted_key(order: Order) -> str:
    """Name the payment that takes the place of this one on the provider's own page."""
    return hashlib.sha256(f"hosted\0{order.session_id}".encode()).hexdigest()


def offered_before(session: Session, order: Order) -> Offer:
    """Give what an order was begun for, at the price that the buyer was shown."""
    product = session.get_one(Product, order.product_id)
    total = Money(order.price_minor, order.currency)
    relief = Money(order.relief_minor, order.currency)
    before = total + relief + Money(order.discount_minor, order.currency)
    coupon = order.coupon_id and session.get_one(Coupon, order.coupon_id)
    return Offer(
        product.id,
        order.release_id,
        product.slug,
        product.name,
        Quote(before, before, total, relief),
        order.download_limit,
        reservations.held(coupon) if coupon else None,
        before if product.open_price else None,
        foreign=order.currency != product.currency,
        business=businesses.of(session, order.vat_check_id),
        tax_class=product.tax_class,
    )


def of_session(session: Session, provider: str, session_id: str) -> Order | None:
    """Give the order of a payment session."""
    wanted = (Order.provider == provider, Order.session_id == session_id)
    return session.scalars(select(Order).where(*wanted)).one_or_none()


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
        cancel_url=shop_url + back_path(offer),
        expires_at=ending(now, offer),
        reference=_reference(offer, keys),
        tax_class=offer.tax_class,
    )


def back_path(offer: Offer) -> str:
    """Say where a buyer goes who did not pay after all: the product, and their wishes."""
    return f"/p/{offer.slug}?{urlencode({'cancelled': '1', **offer.wish})}"


def _reference(offer: Offer, keys: Keys) -> dict[str, str]:
    found = {
        "shop": rebuilding.offer_mark(keys, offer.slug, offer.price),
        "product": offer.slug,
        "price": str(offer.price.minor),
        "currency": offer.price.currency,
    }
    if offer.coupon:
        found["coupon"] = offer.coupon.code
        found["discount"] = str(offer.quote.discount.minor)
    if offer.business:
        found["vat"] = offer.business.number
        found["relief"] = str(offer.quote.relief.minor)
    return found


def ending(now: datetime, offer: Offer) -> datetime:
    """Say when a session begun now is over: the same answer for presses of one hour.

    A provider takes a repeat only if it is the same to the letter. Who holds a coupon that
    can run out has an hour or two.
    """
    length = HOLDING if offer.coupon and offer.coupon.scarce else SESSION_LENGTH
    return (now + length).replace(minute=0, second=0, microsecond=0)
