"""Asking the providers what we may have missed: no web hook, no return, no worry."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from handsel.kit.errors import ShopError
from handsel.models import Order
from handsel.models.words import PaymentState
from handsel.sales.orders import NotOurSessionError
from handsel.sales.payments.base import Glimpse
from handsel.shop import Shop

log = logging.getLogger("handsel.reconcile")


@dataclass(frozen=True)
class Outcome:
    """What one round found: sessions listed, looked up, and those newly paid."""

    seen: int
    looked_up: int
    newly_paid: tuple[str, ...]
    failed: tuple[str, ...]


def reconcile(shop: Shop, *, since: datetime) -> Outcome:
    """Compare every provider's sessions since then with ours, and record the rest.

    Safe to repeat, and at the same time as everything else. One session that cannot be
    looked up does not keep back the others.
    """
    seen, looked_up = 0, 0
    newly_paid: list[str] = []
    failed: list[str] = []
    for name, provider in shop.providers.items():
        for glimpse in _listed(
            provider.sessions_since(since, shop.now()), failed, name
        ):
            seen += 1
            known = _known(shop, name, glimpse.session_id)
            if known and known[0] is glimpse.state:
                continue
            looked_up += 1
            try:
                order = shop.hear(name, glimpse.session_id)
            except NotOurSessionError:
                continue
            except ShopError as error:
                failed.append(f"{name} {glimpse.session_id}: {error}")
                continue
            except Exception as error:  # what nobody understands must not hide the rest
                log.exception("A payment could not be understood.")
                failed.append(f"{name} {glimpse.session_id}: {error}")
                continue
            if order.paid_at and not (known and known[1]):
                newly_paid.append(order.number)
    if newly_paid:
        log.info("Found %d paid orders nobody had told us of.", len(newly_paid))
    for line in failed:
        log.warning("Could not reconcile %s", line)
    return Outcome(seen, looked_up, tuple(newly_paid), tuple(failed))


def _listed(
    glimpses: Iterator[Glimpse], failed: list[str], provider: str
) -> Iterator[Glimpse]:
    """Give what a provider lists, up to the point where it stops answering."""
    try:
        yield from glimpses
    except ShopError as error:
        failed.append(f"{provider}: {error}")


def _known(
    shop: Shop, provider: str, session_id: str
) -> tuple[PaymentState, datetime | None] | None:
    with shop.reading() as session:
        row = session.execute(
            select(Order.session_state, Order.paid_at).where(
                Order.provider == provider, Order.session_id == session_id
            )
        ).one_or_none()
    return (row.session_state, row.paid_at) if row else None
