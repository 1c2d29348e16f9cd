"""Addresses that the seller does not sell to any more.

Where an address is only given to the payment provider nobody can be refused before they
have paid: such an order is held back, and the seller decides.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError
from handsel.kit.signing import Keys, sign, signed
from handsel.kit.text import email_key
from handsel.models import Block
from handsel.models.database import insert_new, rows_changed

PURPOSE = "block"
"""What the keyed hash of an address is for."""
HELD = (
    "The address it was paid with is one that you do not sell to. Give the money back, or "
    "accept the order."
)


class BlockedError(BadInputError):
    """The seller does not sell to this address."""


def block(
    session: Session, keys: Keys, email: str, now: datetime, *, reason: str = ""
) -> bool:
    """Sell to this address no more; say whether that is new. Safe to repeat."""
    if is_blocked(session, keys, email):
        return False
    mark = sign(keys, PURPOSE, email_key(email))
    return insert_new(session, Block, mark=mark, email=email, reason=reason, at=now)


def unblock(session: Session, keys: Keys, email: str) -> bool:
    """Sell to this address again; say whether it was blocked. Safe to repeat."""
    return bool(rows_changed(session, delete(Block).where(_of(keys, email))))


def lift(session: Session, block_id: int) -> bool:
    """The same where nobody knows the address any more."""
    return bool(rows_changed(session, delete(Block).where(Block.id == block_id)))


def is_blocked(session: Session, keys: Keys, email: str) -> bool:
    """Say whether the seller does not sell to this address."""
    return session.scalar(select(Block.id).where(_of(keys, email))) is not None


def check(session: Session, keys: Keys, email: str) -> None:
    """Raise BlockedError, a sentence for the buyer, if the seller does not sell to them."""
    if is_blocked(session, keys, email):
        raise BlockedError(
            "This shop does not sell to this address.",
            "If you think that is a mistake, please write to the seller.",
            field="email",
        )


def every(session: Session) -> Sequence[Block]:
    """List what is blocked, the newest first."""
    return session.scalars(select(Block).order_by(Block.id.desc())).all()


def _of(keys: Keys, email: str) -> ColumnElement[bool]:
    """Choose the block of an address, whichever of our keys has made its mark."""
    return Block.mark.in_(signed(keys, PURPOSE, email_key(email)))
