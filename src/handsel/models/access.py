"""Who may open what, and what has become of every press on a download button."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.words import GrantState

OPEN_GRANT = text("state IN ('reserved', 'consumed')")


class Entitlement(Base):
    """An order's right to one product; that of a bundle has several.

    `access` is rewritten with every fact, for all of an order's alike.
    """

    __tablename__ = "entitlements"
    __table_args__ = (UniqueConstraint("order_id", "product_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"))
    """The edition of the product that was bought; later ones are news."""
    access: Mapped[bool]
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    access_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Allowance(Base):
    """How often one file of a purchase was taken, and may be.

    `bytes_out` counts what all grants together have been given to send.
    """

    __tablename__ = "allowances"
    __table_args__ = (
        CheckConstraint("taken BETWEEN 0 AND lim", name="taken_within_limit"),
        CheckConstraint("given_back BETWEEN 0 AND 10", name="given_back_bounded"),
        CheckConstraint("bytes_out >= 0", name="bytes_not_negative"),
    )

    entitlement_id: Mapped[int] = mapped_column(
        ForeignKey("entitlements.id"), primary_key=True
    )
    file_id: Mapped[int] = mapped_column(
        ForeignKey("release_files.id"), primary_key=True, index=True
    )
    taken: Mapped[int] = mapped_column(default=0)
    lim: Mapped[int]
    given_back: Mapped[int] = mapped_column(default=0)
    bytes_out: Mapped[int] = mapped_column(BigInteger, default=0)


class Grant(Base):
    """One press on a download button; serves any number of requests in its window.

    `client_key` is a keyed hash of the browser, so that nothing readable is stored.
    `parts` are the distinct bytes that arrived, as pairs of start and stop.
    """

    __tablename__ = "grants"
    __table_args__ = (
        Index(
            "uq_grants_open",
            "entitlement_id",
            "file_id",
            "client_key",
            unique=True,
            sqlite_where=OPEN_GRANT,
            postgresql_where=OPEN_GRANT,
        ),
        Index("ix_grants_state_expires_at", "state", "expires_at"),
        CheckConstraint("bytes_out >= 0", name="bytes_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlements.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("release_files.id"))
    client_key: Mapped[str] = mapped_column(String(64), info={"personal": "erase"})
    state: Mapped[GrantState] = mapped_column(one_of(GrantState))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    bytes_out: Mapped[int] = mapped_column(BigInteger, default=0)
    parts: Mapped[list[list[int]]] = mapped_column(JSON)
