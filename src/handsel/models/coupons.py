"""Words that lower a price, and who holds one at the moment."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.models.base import Base, UtcDateTime
from handsel.models.catalogue import Product

coupon_products = Table(
    "coupon_products",
    Base.metadata,
    Column("coupon_id", ForeignKey("coupons.id"), primary_key=True),
    Column("product_id", ForeignKey("products.id"), primary_key=True),
)
"""Which products a coupon is for; one without a row here is for all."""


class Coupon(Base):
    """A word a buyer types, or follows a link with, to pay less.

    It takes off `basis_points` of a price, or `amount_minor` of `currency`; `least_minor`,
    of the same currency, is what a price must at least be. None means without a limit.
    """

    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint(
            "(basis_points IS NULL) != (amount_minor IS NULL)", name="one_way"
        ),
        CheckConstraint("basis_points BETWEEN 1 AND 10000", name="a_part"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("least_minor > 0", name="least_positive"),
        CheckConstraint(
            "currency IS NOT NULL OR (amount_minor IS NULL AND least_minor IS NULL)",
            name="amounts_have_a_currency",
        ),
        CheckConstraint("most_uses > 0", name="most_positive"),
        CheckConstraint("most_each > 0", name="each_positive"),
        CheckConstraint("uses >= 0", name="uses_not_negative"),
        CheckConstraint("ends_at > starts_at", name="ends_after_it_starts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    """In capitals; people type it as they like."""
    basis_points: Mapped[int | None]
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    least_minor: Mapped[int | None]
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    most_uses: Mapped[int | None]
    most_each: Mapped[int | None]
    """How often one buyer may use it, who is known by the e-mail address."""
    batch: Mapped[str | None] = mapped_column(String(60), index=True)
    """What many that were made together are called."""
    uses: Mapped[int] = mapped_column(default=0)
    """How many hold it: orders that are paid, and purchases that are not over."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    products: Mapped[list[Product]] = relationship(
        secondary=coupon_products, order_by=Product.slug, lazy="raise_on_sql"
    )


class CouponUse(Base):
    """One use of a coupon: by an order that is paid, or may still be.

    It is taken before the provider is asked for a payment session, so that there never
    are more sessions at the lower price than the coupon allows.
    """

    __tablename__ = "coupon_uses"
    __table_args__ = (
        Index("ix_coupon_uses_buyer", "coupon_id", "email_key"),
        Index("ix_coupon_uses_holder", "coupon_id", "holder"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    coupon_id: Mapped[int] = mapped_column(ForeignKey("coupons.id"), index=True)
    purchase: Mapped[str] = mapped_column(String(64), unique=True)
    """The order's `checkout_key`; its public id where the database had forgotten it."""
    holder: Mapped[str | None] = mapped_column(String(64), info={"personal": "erase"})
    """The browser that holds it, as a keyed hash."""
    email_key: Mapped[str | None] = mapped_column(
        String(254), info={"personal": "erase"}
    )
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
