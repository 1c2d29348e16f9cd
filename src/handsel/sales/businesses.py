"""Businesses of other EU countries, who pay no tax here because they owe it themselves."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from handsel.models import Order, VatCheck
from handsel.models.words import TaxClass
from handsel.sales.tax import rates
from handsel.sales.tax.numbers import VatNumber
from handsel.sales.tax.vies import Checked

GOOD_FOR = timedelta(hours=24)
"""How long the register's yes holds: long enough for a purchase with its second thoughts."""
NO_FOR = timedelta(minutes=10)
"""How long its no does: a number may be new, and a slip is mended at once."""


@dataclass(frozen=True)
class Business:
    """A buyer whose VAT number the register knows. `check_id`: the row that says so."""

    check_id: int
    number: str
    country: str

    def relief(self, kind: TaxClass, on: date) -> int:
        """Say which rate comes off a price that contains it, in basis points."""
        return rates.rate(self.country, kind, on).basis_points


def known(session: Session, number: VatNumber, now: datetime) -> VatCheck | None:
    """Give what the register said of a number a while ago, if that still holds."""
    newest = (
        select(VatCheck)
        .where(VatCheck.number == str(number), VatCheck.checked_at <= now)
        .order_by(VatCheck.id.desc())
        .limit(1)
    )
    found = session.scalars(newest).one_or_none()
    if found is None or found.checked_at is None:
        return None
    length = GOOD_FOR if found.valid else NO_FOR
    return found if now - found.checked_at < length else None


def note(session: Session, number: VatNumber, said: Checked) -> VatCheck:
    """Keep what the register said."""
    found = VatCheck(
        number=str(number),
        country=number.country,
        valid=said.valid,
        name=said.name,
        consultation=said.consultation,
        checked_at=said.at,
    )
    session.add(found)
    session.flush()
    return found


def of(session: Session, check_id: int | None) -> Business | None:
    """Give the business of an order, by the check it was begun with."""
    found = session.get(VatCheck, check_id) if check_id else None
    return Business(found.id, found.number, found.country) if found else None


def remembered(session: Session, number: str) -> int | None:
    """Give the check of a number that a payment session bears, for an order that is rebuilt.

    One the database has forgotten with the order is written down again, without what the
    register said and when: that is lost, and proves nothing to anybody else.
    """
    if not number:
        return None
    newest = select(VatCheck.id).where(VatCheck.number == number, VatCheck.valid)
    found = session.scalar(newest.order_by(VatCheck.id.desc()).limit(1))
    if found is not None:
        return found
    state = {"EL": "GR"}.get(number[:2], number[:2])
    lost = VatCheck(number=number, country=state, valid=True, name="", consultation="")
    session.add(lost)
    session.flush()
    return lost.id


def forget(session: Session, now: datetime) -> None:
    """Forget what was asked about whoever has begun no payment, once it holds no more."""
    used = select(Order.id).where(Order.vat_check_id == VatCheck.id).exists()
    old = VatCheck.checked_at < now - 2 * GOOD_FOR
    session.execute(delete(VatCheck).where(old, ~used))
