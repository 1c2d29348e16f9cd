"""What a new seller has still to do, seen from what is there: nobody ticks anything off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
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
    if _is_there(session, select(AuditEntry.id).where(AuditEntry.action == HIDDEN)):
        return []
    found = [FirstStep(name, look(session, shop)) for name, look in _LOOKS.items()]
    return [] if all(each.done for each in found) else found


def _is_there(session: Session, wanted: Select[Any]) -> bool:
    return session.scalar(wanted.limit(1)) is not None


def _product(session: Session, _: Shop) -> bool:
    on_sale = Product.status == ProductStatus.PUBLISHED
    return _is_there(session, select(Product.id).where(on_sale))


def _provider(_: Session, shop: Shop) -> bool:
    return any(not each.test for each in shop.providers.values())


def _mail(session: Session, shop: Shop) -> bool:
    """Say whether a mail of this shop has left the machine, by hand or with a sale."""
    if shop.settings.mail.transport == "folder":
        return False
    tried = select(Duty.name).where(Duty.name == mailing.TRIED)
    sold = select(Order.id).where(Order.paid_at.is_not(None), Order.test.is_(False))
    return _is_there(session, tried) or _is_there(session, sold)


def _trial(session: Session, _: Shop) -> bool:
    return _is_there(session, select(Order.id).where(Order.paid_at.is_not(None)))


def _address(_: Session, shop: Shop) -> bool:
    return shop.settings.is_public and shop.settings.shop.url.startswith("https://")


def _backup(session: Session, _: Shop) -> bool:
    return _is_there(session, select(Duty.name).where(Duty.name == backup.DUTY))


def _people(session: Session, _: Shop) -> bool:
    """Say whether somebody comes in when the one telephone is lost."""
    ready = select(func.count()).where(Staff.password_hash.is_not(None))
    if (session.scalar(ready) or 0) > 1:
        return True
    return _is_there(
        session, select(RecoveryCode.id).where(RecoveryCode.used_at.is_(None))
    )


_LOOKS: dict[str, Callable[[Session, Shop], bool]] = {
    "product": _product,
    "provider": _provider,
    "mail": _mail,
    "trial": _trial,
    "address": _address,
    "backup": _backup,
    "people": _people,
}
