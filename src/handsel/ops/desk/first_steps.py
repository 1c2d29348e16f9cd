"""What a new seller has still to do, seen from what is there: nobody ticks anything off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from handsel.models import AuditEntry, Duty, Order, Product, RecoveryCode, Staff
from handsel.models.words import ProductStatus
from handsel.ops import backup, mailing
from handsel.shop import Shop

HIDDEN = "first_steps.hidden"
"""What the log says when somebody wants to see the list no more."""


@dataclass(frozen=True)
class FirstStep:
    """One thing to do: `product`, `provider`, `mail`, `trial`, `address`, `backup`, `people`."""

    name: str
    done: bool


def first_steps(session: Session, shop: Shop) -> list[FirstStep]:
    """Give all of them while one is to be done; nothing when all are, or it is hidden."""
    there = _what_is_there(session)
    done = {
        "product": there["product"],
        "provider": any(not each.test for each in shop.providers.values()),
        "mail": _mails_leave(shop) and (there["tried"] or there["sold"]),
        "trial": there["paid"],
        "address": _is_open_to_all(shop),
        "backup": there["backup"],
        # Somebody comes in when the one telephone is lost.
        "people": there["colleague"] or there["codes"],
    }
    if there["hidden"] or all(done.values()):
        return []
    return [FirstStep(name, is_so) for name, is_so in done.items()]


def _mails_leave(shop: Shop) -> bool:
    return shop.settings.mail.transport != "folder"


def _is_open_to_all(shop: Shop) -> bool:
    return shop.settings.is_public and shop.settings.shop.url.startswith("https://")


def _what_is_there(session: Session) -> Mapping[str, bool]:
    """Look for everything in one statement: home is opened often."""
    paid = Order.paid_at.is_not(None)
    ready = select(Staff.id).where(Staff.password_hash.is_not(None))
    wanted: dict[str, Select[Any]] = {
        "hidden": select(AuditEntry.id).where(AuditEntry.action == HIDDEN),
        "product": select(Product.id).where(Product.status == ProductStatus.PUBLISHED),
        "tried": select(Duty.name).where(Duty.name == mailing.TRIED),
        "paid": select(Order.id).where(paid),
        "sold": select(Order.id).where(paid, Order.test.is_(False)),
        "backup": select(Duty.name).where(Duty.name == backup.DUTY),
        "colleague": ready.offset(1).limit(1),
        "codes": select(RecoveryCode.id).where(RecoveryCode.used_at.is_(None)),
    }
    found = select(*(query.exists().label(name) for name, query in wanted.items()))
    return session.execute(found).mappings().one()  # type: ignore[return-value]  # bools
