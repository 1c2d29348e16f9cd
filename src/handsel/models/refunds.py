"""What the seller has asked for: money that is to go back."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.orders import Order
from handsel.models.words import RefundReason, RefundState


class Refund(Base):
    """A refund the seller has asked for; written down before the provider hears of it.

    Whether the money has gone is in the ledger, as with refunds made in the provider's
    own panel. This row lets a refund survive the death of whoever asked, and be asked
    for once.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("tries >= 0", name="tries_not_negative"),
        # One at a time: who asks again while it is on its way finishes the same one.
        Index(
            "uq_refunds_asked",
            "order_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Its name for the provider: the same key gives the money back once."""
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[RefundReason] = mapped_column(one_of(RefundReason))
    keep_access: Mapped[bool]
    """Whether the buyer keeps the files even when all has gone back."""
    state: Mapped[RefundState] = mapped_column(one_of(RefundState))
    object_id: Mapped[str | None] = mapped_column(String(255))
    """The provider's name for it, as in the ledger."""
    error: Mapped[str | None] = mapped_column(Text, info={"personal": "erase"})
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    """How often the provider was asked; counted before each time."""
    answered: Mapped[bool] = mapped_column(default=False)
    """Whether whoever asked was told that it is made; if not, they will ask again."""

    order: Mapped[Order] = relationship(lazy="raise_on_sql")
