"""Experiments: what is tried, who was shown which variant, and which orders came of it.

A visitor is a number made from a secret of the experiment, which is deleted at its end:
from then on nobody can tell who it was. As with visits, no row of these is needed to
sell, and orders and products are named without a foreign key.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.models.analytics import ROW
from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.words import DecidedBy, ExperimentState, Part


class Experiment(Base):
    """One part of one product's page that is tried in several ways."""

    __tablename__ = "experiments"
    __table_args__ = (
        CheckConstraint("lift_bp BETWEEN 1 AND 100000", name="lift_sensible"),
        CheckConstraint(
            "state = 'running' OR secret IS NULL", name="secret_is_deleted"
        ),
        Index(
            "uq_experiments_running",
            "product_id",
            "part",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    product_id: Mapped[int]
    part: Mapped[Part] = mapped_column(one_of(Part))
    decided_by: Mapped[DecidedBy] = mapped_column(one_of(DecidedBy))
    state: Mapped[ExperimentState] = mapped_column(one_of(ExperimentState))
    lift_bp: Mapped[int]
    """The smallest difference that is worth finding, in basis points."""
    currency: Mapped[str] = mapped_column(String(3))
    planned_visitors: Mapped[int | None] = mapped_column(BigInteger)
    """Of each variant, fixed at the start."""
    visitors_before: Mapped[int | None]
    """Of the four weeks before the start, by which its days were planned."""
    secret: Mapped[str | None] = mapped_column(String(64))
    """What visitors are numbered with, while it runs."""
    shipped: Mapped[str | None] = mapped_column(String(20))
    """The variant that was taken at the end."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    variants: Mapped[list["Variant"]] = relationship(
        order_by="Variant.position", lazy="raise_on_sql", cascade="all, delete-orphan"
    )


class Variant(Base):
    """One of the ways; the first is how it is now, and is called the control."""

    __tablename__ = "experiment_variants"
    __table_args__ = (UniqueConstraint("experiment_id", "name"),)

    experiment_id: Mapped[int] = mapped_column(
        ForeignKey("experiments.id"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(Text)
    """Words; a price in minor units; a cover's file, type, width and height; the name
    of a template; nothing for a page of the seller's own."""


class Exposure(Base):
    """A visitor who was shown a variant, when they first were."""

    __tablename__ = "exposures"
    __table_args__ = (
        UniqueConstraint("experiment_id", "visitor"),
        Index("ix_exposures_experiment_id_variant", "experiment_id", "variant"),
    )

    id: Mapped[int] = mapped_column(ROW, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"))
    visitor: Mapped[int] = mapped_column(BigInteger)
    variant: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderVariant(Base):
    """An order that was begun by a visitor of an experiment: where its money counts."""

    __tablename__ = "order_variants"

    order_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    experiment_id: Mapped[int] = mapped_column(
        ForeignKey("experiments.id"), primary_key=True, index=True
    )
    variant: Mapped[str] = mapped_column(String(20))
    visitor: Mapped[int] = mapped_column(BigInteger)
