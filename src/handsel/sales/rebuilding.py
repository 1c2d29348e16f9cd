"""Making an order again that the database has forgotten, from what its provider kept.

After an old backup was restored, for instance: the link is the same as before.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.kit.errors import NotFoundError, ShopError
from handsel.kit.money import Money
from handsel.kit.signing import Keys, public_id
from handsel.models import Coupon, Order, Product, Release
from handsel.models.database import insert_new
from handsel.models.words import OrderStatus, PaymentState
from handsel.sales import businesses
from handsel.sales.payments.base import Payment


class NotOurSessionError(NotFoundError):
    """The payment belongs to another shop that uses the same provider account."""


class ForgottenProductError(ShopError):
    """A payment of ours is for a product that the database has forgotten.

    Never to be answered as if it were somebody else's: it must come again.
    """

    status = 503


def rebuild(
    session: Session, keys: Keys, provider: str, payment: Payment, now: datetime
) -> None:
    """Make the order of a session that the provider knows and we do not."""
    reference = payment.reference
    agreed = _agreed(payment)
    slug = reference.get("product", "")
    if not agreed or reference.get("shop") != offer_mark(keys, slug, agreed):
        raise NotOurSessionError("This payment does not belong to this shop.")
    product = _product(session, slug)
    newest = select(func.max(Release.id)).where(Release.product_id == product.id)
    insert_new(
        session,
        Order,
        public_id=public_id(keys, provider, payment.session_id),
        token_version=1,
        provider=provider,
        session_id=payment.session_id,
        session_state=PaymentState.OPEN,
        test=payment.test,
        product_id=product.id,
        release_id=session.scalars(newest).one(),
        price_minor=agreed.minor,
        discount_minor=int(reference.get("discount", 0)),
        relief_minor=int(reference.get("relief", 0)),
        coupon_id=_coupon_id(session, reference.get("coupon")),
        vat_check_id=businesses.remembered(session, reference.get("vat", "")),
        currency=agreed.currency,
        download_limit=product.download_limit,
        created_at=now,
        expires_at=now,
        status=OrderStatus.STARTED,
        refunded_minor=0,
    )


def _product(session: Session, slug: str) -> Product:
    wanted = select(Product).where(Product.slug == slug)
    # So that it is not deleted before its order is written.
    kept = wanted.with_for_update(read=True, key_share=True)
    found = session.scalars(kept).one_or_none()
    if found is None:
        raise ForgottenProductError(
            "This payment is for a product the shop does not have at the moment.",
            "Nothing is lost: when the seller has put it back under the name "
            f"“{slug}”, it is delivered.",
        )
    return found


def _coupon_id(session: Session, code: str | None) -> int | None:
    """Give the coupon of a rebuilt order; the database may have forgotten it as well."""
    return (
        session.scalar(select(Coupon.id).where(Coupon.code == code)) if code else None
    )


def _agreed(payment: Payment) -> Money | None:
    """Give the price that was written into a payment session, by whomever."""
    price = payment.reference.get("price", str(payment.price.minor))
    try:
        return Money(
            int(price), payment.reference.get("currency", payment.price.currency)
        )
    except ValueError:
        return None


def shop_mark(keys: Keys) -> str:
    """What a shop is known by, for instance in its backups."""
    return public_id(keys, "shop", "mark")


def offer_mark(keys: Keys, product: str, price: Money) -> str:
    """What we write into a payment session to know it as ours again.

    It is good for one product at one price: whoever sees it, and can make a payment
    session at our provider, gets nothing else for it.
    """
    return public_id(keys, "offer", f"{product} {price}")
