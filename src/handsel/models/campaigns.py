"""Mails to everyone who bought, and the addresses that want none of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
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

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.catalogue import Product, Release
from handsel.models.words import (
    CampaignState,
    RecipientState,
    StopReason,
)

SENT_ONES = text("sent_at IS NOT NULL")
OPENED_ONES = text("opened_at IS NOT NULL")


class Campaign(Base):
    """One mail to many. Who gets it is written down before the first is sent."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("gap_us >= 0", name="gap_not_negative"),
        CheckConstraint("errors >= 0", name="errors_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    release_id: Mapped[int | None] = mapped_column(
        ForeignKey("releases.id"), unique=True
    )
    """The edition it tells of: each is told of once. Without one it is words alone."""
    subject: Mapped[str] = mapped_column(String(200), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    """Markdown. Both are empty for a release, which has its notes."""
    audience: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Conditions as they were typed, all of which must hold: `since:2026-01-31`."""
    state: Mapped[CampaignState] = mapped_column(one_of(CampaignState), index=True)
    gap_us: Mapped[int] = mapped_column(BigInteger, default=0)
    """Microseconds from one mail to the next, all workers together; 0: no limit."""
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """No mail before this moment: for its time, and for its rate."""
    rest_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """No mail before this moment either: the server did not take one."""
    errors: Mapped[int] = mapped_column(default=0)
    """How often in a row the mail server has not taken a mail, or had to be left alone."""
    last_error: Mapped[str | None] = mapped_column(Text, info={"personal": "erase"})
    """What the mail server said, or why there was none; while `errors` is not 0."""
    pause_reason: Mapped[str | None] = mapped_column(Text, info={"personal": "erase"})
    """A mail server's words, say, which may name an address."""
    running_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it began to run, or to run again: its rate is counted from there."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    product: Mapped[Product] = relationship(lazy="raise_on_sql")
    release: Mapped[Release | None] = relationship(lazy="raise_on_sql")


class Recipient(Base):
    """One buyer in a campaign, by the purchase whose link the mail carries."""

    __tablename__ = "campaign_recipients"
    __table_args__ = (
        UniqueConstraint("campaign_id", "customer_id"),
        CheckConstraint("tries >= 0", name="tries_not_negative"),
        Index("ix_campaign_recipients_due", "campaign_id", "state", "next_at"),
        Index(
            "ix_campaign_recipients_sent",
            "campaign_id",
            "sent_at",
            sqlite_where=SENT_ONES,
            postgresql_where=SENT_ONES,
        ),
        Index(
            "ix_campaign_recipients_opened",
            "campaign_id",
            "opened_at",
            sqlite_where=OPENED_ONES,
            postgresql_where=OPENED_ONES,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    state: Mapped[RecipientState] = mapped_column(one_of(RecipientState))
    reason: Mapped[str | None] = mapped_column(String(24))
    """Why a skipped one gets no mail, in one word or two."""
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text, info={"personal": "erase"})
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the page behind the link was first looked at after that, by somebody who may
    be counted."""


class UpdateDraft(Base):
    """A mail to everyone that somebody is writing at the desk: what was typed so far."""

    __tablename__ = "update_drafts"
    __table_args__ = (CheckConstraint("revision >= 0", name="revision_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    edition: Mapped[bool]
    """With new files; else it is words alone."""
    typed: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """The fields of the form, as they were typed; `uploads` are the files' ids."""
    revision: Mapped[int] = mapped_column(default=0)
    writer: Mapped[str] = mapped_column(String(32), default="")
    """The open page that wrote it last."""
    written_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    campaign_id: Mapped[int | None] = mapped_column(
        ForeignKey("campaigns.id"), index=True
    )
    """What it has become: sent once, whoever presses how often."""

    product: Mapped[Product] = relationship(lazy="raise_on_sql")


class Suppression(Base):
    """An address that gets no mail that is sent to many, and since when."""

    __tablename__ = "suppressions"

    email_key: Mapped[str] = mapped_column(
        String(254), primary_key=True, info={"personal": "erase"}
    )
    reason: Mapped[StopReason] = mapped_column(one_of(StopReason), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    detail: Mapped[str] = mapped_column(Text, default="", info={"personal": "erase"})
