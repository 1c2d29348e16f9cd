"""Numbered papers about money that came and went: what the tax office asks for."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.orders import Order
from handsel.models.words import PaperKind, TaxClass, TaxTreatment


class Series(Base):
    """The last number given under a prefix, and the first.

    The last changes in the transaction of the paper that bears the number, so that none
    is ever left out or given twice.
    """

    __tablename__ = "series"
    __table_args__ = (
        CheckConstraint("first > 0", name="first_positive"),
        CheckConstraint("last >= first - 1", name="last_from_first"),
        Index(
            "uq_series_open",
            "base",
            unique=True,
            sqlite_where=text("NOT closed"),
            postgresql_where=text("NOT closed"),
        ),
    )

    prefix: Mapped[str] = mapped_column(String(36), primary_key=True)
    base: Mapped[str] = mapped_column(String(28))
    """The prefix as it is set; its own is longer where it had to begin again."""
    first: Mapped[int]
    last: Mapped[int]
    """One less than the first as long as none was given."""
    closed: Mapped[bool] = mapped_column(default=False)
    """Whether numbers may be out that are not known here: then another one goes on."""


class Invoice(Base):
    """One paper: an invoice, or a credit note for what went back. Never changed.

    `gross_minor` contains `tax_minor`; both are positive on a credit note, too. All
    that stands on it was true on its day, whatever the settings say later.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("prefix", "sequence"),
        UniqueConstraint("order_id", "cause"),
        CheckConstraint("gross_minor > 0", name="gross_positive"),
        CheckConstraint("tax_minor BETWEEN 0 AND gross_minor", name="tax_within_gross"),
        CheckConstraint("basis_points BETWEEN 0 AND 10000", name="a_rate"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[PaperKind] = mapped_column(one_of(PaperKind))
    cause: Mapped[str] = mapped_column(String(270))
    """The fact it is about: `sale`, or what went back or came again, by its name."""
    prefix: Mapped[str] = mapped_column(String(36))
    sequence: Mapped[int]
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    supplied_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When the money came, or went back."""
    title: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str] = mapped_column(String(3))
    gross_minor: Mapped[int]
    tax_minor: Mapped[int]
    basis_points: Mapped[int | None]
    """The rate: 1,900 is 19 %. None where nobody but the provider knows it."""
    tax_word: Mapped[str] = mapped_column(String(20))
    tax_class: Mapped[TaxClass] = mapped_column(one_of(TaxClass))
    treatment: Mapped[TaxTreatment] = mapped_column(one_of(TaxTreatment))
    country: Mapped[str | None] = mapped_column(String(2))
    """Where the buyer is, for the tax."""
    vat_number: Mapped[str | None] = mapped_column(
        String(20), info={"personal": "keep for tax"}
    )
    """Of a business that owes the tax itself."""
    confirmed: Mapped[bool]
    """Whether two pieces of evidence of that agreed, or none was needed."""
    test: Mapped[bool]
    seller: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`name`, `address`, `email`, `tax_number` and `note` of that day."""

    order: Mapped[Order] = relationship(lazy="raise_on_sql")

    @property
    def number(self) -> str:
        """What stands on it: `INV-17`."""
        return f"{self.prefix}{self.sequence}"


class VatCheck(Base):
    """What the EU's register said of a VAT number, on a buyer's word that it is theirs.

    It is the seller's evidence that a sale was to a business; `consultation` names the
    question in the register itself, where the seller's own number was given.
    """

    __tablename__ = "vat_checks"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(
        String(20), index=True, info={"personal": "keep for tax"}
    )
    country: Mapped[str] = mapped_column(String(2))
    valid: Mapped[bool]
    name: Mapped[str] = mapped_column(String(200), info={"personal": "keep for tax"})
    consultation: Mapped[str] = mapped_column(String(60))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the register was asked; None where that is not known any more."""


class InvoiceParty(Base):
    """Who an order's papers are made out to, as the buyer said.

    Rows are only added: the newest counts, the others say what stood there before.
    """

    __tablename__ = "invoice_parties"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    name: Mapped[str] = mapped_column(String(200), info={"personal": "keep for tax"})
    address: Mapped[str] = mapped_column(Text, info={"personal": "keep for tax"})
    tax_number: Mapped[str] = mapped_column(
        String(40), info={"personal": "keep for tax"}
    )
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)
