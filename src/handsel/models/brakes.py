"""What keeps people off who try stolen cards: payments begun, declined, and the brake.

None of it is kept for longer than a day or two, and nobody is named in the open: a
visitor and a browser are keyed hashes, as for the limits.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from handsel.models.base import Base, UtcDateTime


class PaymentStart(Base):
    """One payment that was begun, and from where; `purchase` is its checkout key.

    `visitor` is empty for visits from this machine itself, `browser` for one without
    cookies. `proven`: its buyer had opened a link that was mailed to them.
    """

    __tablename__ = "starts"
    __table_args__ = (
        Index("ix_starts_visitor_at", "visitor", "at"),
        Index("ix_starts_browser_at", "browser", "at"),
    )

    purchase: Mapped[str] = mapped_column(String(64), primary_key=True)
    visitor: Mapped[str | None] = mapped_column(String(64), info={"personal": "erase"})
    browser: Mapped[str | None] = mapped_column(String(64), info={"personal": "erase"})
    proven: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Decline(Base):
    """One try to pay that a bank declined, by the provider's name for it."""

    __tablename__ = "declines"
    __table_args__ = (
        UniqueConstraint("provider", "object_id"),
        Index("ix_declines_product_id_at", "product_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(255))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Brake(Base):
    """The brake of a product: on until `until`. A row stays, to tell when it last was."""

    __tablename__ = "brakes"
    __table_args__ = (CheckConstraint("until >= since", name="until_after_since"),)

    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id"), primary_key=True, autoincrement=False
    )
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class MailCheck(Base):
    """A buyer who is asked to open a mail before paying.

    `fields` is what the form said that was sent for buying, to be said again by the page
    the link leads to. `starts` counts the payments begun with the link.
    """

    __tablename__ = "mail_checks"
    __table_args__ = (CheckConstraint("starts >= 0", name="starts_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    email: Mapped[str] = mapped_column(String(254), info={"personal": "erase"})
    fields: Mapped[dict[str, Any]] = mapped_column(JSON, info={"personal": "erase"})
    starts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
