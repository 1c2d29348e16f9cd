"""The seller's own money at a provider: each change of it, and each payout to a bank."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.words import LineKind, PayoutState


class Payout(Base):
    """Money sent from a provider to the seller's bank, or, below zero, fetched there."""

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("provider", "object_id"),
        Index("ix_payouts_arrives", "arrives_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(255))
    test: Mapped[bool]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[PayoutState] = mapped_column(one_of(PayoutState))
    failure: Mapped[str | None] = mapped_column(String(80))
    """Why it did not arrive, in the provider's word: `account_closed`."""
    reverses: Mapped[str | None] = mapped_column(String(255))
    """The payout that this one takes back, by the provider's name for it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    arrives_on: Mapped[date] = mapped_column(Date)
    """The day the bank should have it, in UTC; the provider's estimate."""
    divisible: Mapped[bool]
    """Whether the provider can say of what it is made up: not if the seller chose the
    amount."""
    settled: Mapped[bool]
    """Whether the provider has finished making it up, so that its lines can be read."""
    lines_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When all its lines had been read; None before that, and after a half of them."""


class BalanceLine(Base):
    """One change of what a seller has at a provider. Only its payout may come later.

    The ledger knows which order it belongs to, and may hear of the payment later than of
    the money.
    """

    __tablename__ = "balance_lines"
    __table_args__ = (
        UniqueConstraint("provider", "object_id"),
        CheckConstraint("net_minor = amount_minor - fee_minor", name="net_is_the_rest"),
        CheckConstraint(
            "(paid_minor IS NULL) = (paid_currency IS NULL)", name="paid_in_a_currency"
        ),
        CheckConstraint(
            "(received_minor IS NULL) = (received_currency IS NULL)",
            name="received_in_a_currency",
        ),
        Index("ix_balance_lines_payment", "provider", "payment"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(255))
    test: Mapped[bool]
    kind: Mapped[LineKind] = mapped_column(one_of(LineKind))
    word: Mapped[str] = mapped_column(String(80))
    """What the provider itself calls this kind of change."""
    note: Mapped[str | None] = mapped_column(String(200))
    """What the provider says of a change that is about no payment, and so no person."""
    payment: Mapped[str | None] = mapped_column(String(255))
    """The payment it is about, as the ledger names what was captured; it may be another
    business's."""
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    """What the ledger said when this was read; it is asked again where this is empty."""
    payout_id: Mapped[int | None] = mapped_column(ForeignKey("payouts.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    """What came in, or below zero went out, in the currency the fee was taken in."""
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    """What the provider kept of it; below zero what it gave back."""
    net_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    paid_minor: Mapped[int | None] = mapped_column(BigInteger)
    """The same as `amount_minor`, as the buyer saw it, in `paid_currency`."""
    paid_currency: Mapped[str | None] = mapped_column(String(3))
    received_minor: Mapped[int | None] = mapped_column(BigInteger)
    """What became of `net_minor`, where it was exchanged after the fee."""
    received_currency: Mapped[str | None] = mapped_column(String(3))
    rate: Mapped[str | None] = mapped_column(String(32))
    """How it was exchanged, digit for digit as the provider says; never counted with."""
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class BalanceReading(Base):
    """How far the balance at a provider has been read; test money apart."""

    __tablename__ = "balance_readings"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    test: Mapped[bool] = mapped_column(primary_key=True)
    payouts_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lines_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When all of it was read last."""
    problem: Mapped[str | None] = mapped_column(Text)
    """What kept the last reading from the rest, in a sentence for the seller."""
