"""Find or create the customer behind an e-mail address."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.text import email_key
from handsel.models import Customer
from handsel.models.database import insert_new


def find_or_create(session: Session, email: str, now: datetime) -> Customer:
    """Give the customer with this address; two spellings are one. Safe to repeat."""
    key = email_key(email)
    insert_new(session, Customer, email=email, email_key=key, created_at=now)
    return session.scalars(select(Customer).where(Customer.email_key == key)).one()


def find(session: Session, email: str) -> Customer | None:
    """Give the customer with this address, if there is one."""
    return session.scalars(
        select(Customer).where(Customer.email_key == email_key(email))
    ).one_or_none()
