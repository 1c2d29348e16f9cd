"""Those whom the shop tells by web hook what happens in it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.words import HookState


class HookEndpoint(Base):
    """One address that is told. What it is to be told waits in the outbox.

    `failures` counts tries in a row that it did not take; `failing_since` is when the
    first of them was.
    """

    __tablename__ = "hook_endpoints"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(255))
    """What signs, sealed with the shop's key."""
    old_secret: Mapped[str | None] = mapped_column(String(255))
    """The one before, which signs as well until `old_until`."""
    old_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    with_email: Mapped[bool]
    """Whether the buyers' addresses are told."""
    state: Mapped[HookState] = mapped_column(one_of(HookState))
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it last took something."""
