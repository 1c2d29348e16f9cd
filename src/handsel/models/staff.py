"""Who may open the seller's desk, from which browsers, and what they did there."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from handsel.models.base import Base, UtcDateTime


class Staff(Base):
    """One person who runs the shop.

    A row without a password is somebody who was invited and has not come yet.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    """The whole address in lower case: two spellings are one person."""
    password_hash: Mapped[str | None] = mapped_column(String(255))
    code_secret: Mapped[str | None] = mapped_column(String(255))
    """What the one-time codes are made from, sealed with the shop's key."""
    code_counter: Mapped[int] = mapped_column(BigInteger, default=0)
    """The half minute of the last code that was taken: each is good once."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StaffInvite(Base):
    """A link that lets one person choose a password and set up codes, once.

    The link itself is derived when it is shown, and stored nowhere.
    """

    __tablename__ = "staff_invites"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """A code on paper, good once, for whoever has lost the telephone."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), index=True
    )
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Passkey(Base):
    """A key in somebody's device, which signs in without a password."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), index=True
    )
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    """As the browser names it, in base64url (at most 1,023 bytes, WebAuthn 4)."""
    public_key: Mapped[str] = mapped_column(Text)
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    staff: Mapped[Staff] = relationship(lazy="raise_on_sql")


class PasskeyChallenge(Base):
    """What a device was asked to sign: good once, for five minutes."""

    __tablename__ = "passkey_challenges"

    challenge: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class StaffSession(Base):
    """One browser somebody is signed in with. Of its cookie only a hash is kept."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When this browser last proved who is in front of it."""
    network: Mapped[str] = mapped_column(String(60))
    browser: Mapped[str] = mapped_column(String(80))

    staff: Mapped[Staff] = relationship(lazy="raise_on_sql")


class AuditEntry(Base):
    """One thing that somebody changed or tried at the desk. Rows are only ever added."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    who: Mapped[str] = mapped_column(String(254))
    """The address as it was then: the person may be gone."""
    action: Mapped[str] = mapped_column(String(60), index=True)
    subject: Mapped[str] = mapped_column(String(254), index=True)
    """What it was done to, as people name it: `H-1042`, a slug, an address."""
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, info={"personal": "erase"})
    network: Mapped[str] = mapped_column(String(60))
