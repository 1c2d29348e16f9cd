"""A number for a visitor, which is worth nothing the day after."""

import hashlib
import hmac
import secrets
from datetime import date
from ipaddress import ip_address, ip_network

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from handsel.kit.signing import Keys, sign
from handsel.models import DaySalt
from handsel.models.database import insert_new


def salt_of(session: Session, day: date) -> str:
    """Give the secret of a day, made when it is asked for first. Safe to race."""
    fresh = secrets.token_hex(32)
    insert_new(session, DaySalt, day=day, salt=fresh)
    return session.scalars(select(DaySalt.salt).where(DaySalt.day == day)).one()


def number(keys: Keys, salt: str, address: str, agent: str) -> int:
    """Name a visitor for a day, from the line and the browser: 63 bits.

    The shop's own key is in it, so that whoever steals the database cannot try all
    addresses. Of IPv6 the network of a household counts (/64): its devices change the
    rest every day.
    """
    parts = (salt, _line(address), agent)
    raw = hmac.digest(sign(keys, "visit", *parts).encode(), b"number", hashlib.sha256)
    return int.from_bytes(raw[:8]) >> 1


def forget(session: Session, today: date) -> None:
    """Throw the secrets of the days before yesterday away.

    Yesterday's stays for a day: a web process may still have visits of it to write.
    """
    kept = date.fromordinal(today.toordinal() - 1)
    session.execute(delete(DaySalt).where(DaySalt.day < kept))


def _line(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ip_network(f"{found}/64", strict=False))
