"""The purchase of one product, and every fact heard about its money."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.catalogue import Product
from handsel.models.words import FactKind, OrderStatus, PaymentState

ADDRESS = String(254).with_variant(String(254, collation="C"), "postgresql")
"""In the order of its letters, so that an index finds what begins with some of them."""

FIRST_NUMBER = 1001
"""Order number of the first row: `H-1001`."""


class Order(Base):
    """One purchase: the snapshot of the offer, and what its facts have come to.

    `status`, `paid_at` and `refunded_minor` are computed from the ledger by
    `sales.orders` alone, and kept here only so that lists are quick.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("provider", "session_id"),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint("discount_minor >= 0", name="discount_not_negative"),
        CheckConstraint("refunded_minor >= 0", name="refunded_not_negative"),
        CheckConstraint("download_limit BETWEEN 1 AND 1000", name="limit_sensible"),
        Index("ix_orders_open", "session_state", "created_at"),
        Index(
            "ix_orders_test",
            "id",
            sqlite_where=text("test = 1"),
            postgresql_where=text("test"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True)
    token_version: Mapped[int] = mapped_column(default=1)
    provider: Mapped[str] = mapped_column(String(40))
    session_id: Mapped[str] = mapped_column(String(255))
    checkout_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The buyer's press on Buy: a second press with the same key is the same order."""
    payment_url: Mapped[str | None] = mapped_column(Text)
    session_state: Mapped[PaymentState] = mapped_column(one_of(PaymentState))
    test: Mapped[bool]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"))
    price_minor: Mapped[int]
    """What was agreed to be paid, the discount taken off."""
    discount_minor: Mapped[int] = mapped_column(default=0)
    """What a coupon took off."""
    relief_minor: Mapped[int] = mapped_column(default=0)
    """The tax that came off, because a business owes it itself."""
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupons.id"), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    download_limit: Mapped[int]
    """What the product allowed when this was bought; later changes do not touch it."""
    email: Mapped[str | None] = mapped_column(
        String(254), info={"personal": "erase"}, index=True
    )
    email_key: Mapped[str | None] = mapped_column(
        ADDRESS,
        Computed("lower(email)", persisted=True),
        info={"personal": "erase"},
        index=True,
        deferred=True,
    )
    """The address as it is looked for: kept by the database itself."""
    email_domain: Mapped[str | None] = mapped_column(
        ADDRESS,
        # What is right of the last @, in words that both databases know.
        Computed(
            "substr(lower(email), length(rtrim(email, replace(email, '@', ''))) + 1)",
            persisted=True,
        ),
        info={"personal": "erase"},
        index=True,
        deferred=True,
    )
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.id"), index=True
    )
    card_last4: Mapped[str | None] = mapped_column(
        String(4), info={"personal": "erase"}, index=True
    )
    statement_text: Mapped[str | None] = mapped_column(String(40))
    country: Mapped[str | None] = mapped_column(String(2), index=True)
    """Of the address given with the payment: two letters (ISO 3166-1); may not be known."""
    card_country: Mapped[str | None] = mapped_column(String(2))
    """Of the bank that issued the card, as the other two."""
    network_country: Mapped[str | None] = mapped_column(String(2))
    """Of the line the buyer came by, where the web server in front says so."""
    tax_minor: Mapped[int | None]
    """How much of the price is tax, where the provider says so."""
    vat_check_id: Mapped[int | None] = mapped_column(ForeignKey("vat_checks.id"))
    """Why no tax is in the price: the buyer is a business of another EU country."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[OrderStatus] = mapped_column(one_of(OrderStatus), index=True)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    review_reason: Mapped[str | None] = mapped_column(Text)
    """Why somebody should look at this order; set means it is not delivered."""
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its buyer was forgotten: what a provider still says of them is not kept."""

    product: Mapped[Product] = relationship(lazy="raise_on_sql")

    @property
    def number(self) -> str:
        """What people call this order: `H-1042`."""
        return order_number(self.id)


def order_number(row: int) -> str:
    """Write the number of the order in a row."""
    return f"H-{row + FIRST_NUMBER - 1}"


class Note(Base):
    """What somebody in the house wrote down about an order, for the others."""

    __tablename__ = "order_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    press: Mapped[str] = mapped_column(String(64), unique=True)
    """The press on the button: a second one writes nothing more."""
    text: Mapped[str] = mapped_column(Text, info={"personal": "erase"})
    written_by: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerEntry(Base):
    """One fact about the money of an order. Rows are only ever added."""

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("provider", "kind", "object_id"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    provider: Mapped[str] = mapped_column(String(40))
    kind: Mapped[FactKind] = mapped_column(one_of(FactKind))
    object_id: Mapped[str] = mapped_column(String(255))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Inbox(Base):
    """One message from a provider, kept as it came for 30 days."""

    __tablename__ = "inbox"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    kind: Mapped[str] = mapped_column(String(80))
    object_id: Mapped[str | None] = mapped_column(String(255))
    raw: Mapped[str] = mapped_column(Text, info={"personal": "erase"})
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
