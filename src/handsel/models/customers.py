"""The people who bought."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handsel.models.base import Base, UtcDateTime


class Customer(Base):
    """One e-mail address that has bought something. No account, no password."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), info={"personal": "erase"})
    """Empty when this person was forgotten; the key is a keyed hash then."""
    email_key: Mapped[str] = mapped_column(
        String(254), unique=True, info={"personal": "erase"}
    )
    """The whole address in lower case: two spellings are one customer."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Block(Base):
    """An address that the seller does not sell to any more.

    `mark` is a keyed hash of it: it still holds when the address itself was erased.
    """

    __tablename__ = "blocks"

    id: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(String(22), unique=True)
    email: Mapped[str | None] = mapped_column(String(254), info={"personal": "erase"})
    reason: Mapped[str] = mapped_column(Text, info={"personal": "erase"})
    """For the seller alone; may be empty."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class FindLink(Base):
    """A mailed link that shows somebody their purchases, for 30 minutes, once.

    The link itself is derived when it is mailed, and stored nowhere.
    """

    __tablename__ = "find_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
