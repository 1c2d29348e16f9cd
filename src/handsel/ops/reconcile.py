"""Asking the providers what we may have missed: no web hook, no return, no worry."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import select

from handsel.kit.errors import ShopError
from handsel.models import Order
from handsel.models.words import PaymentState
from handsel.sales import brake, checkout, orders
from handsel.sales.payments.base import (
    ForeignPaymentError,
    Glimpse,
    PaymentProvider,
    ProviderUnavailableError,
)
from handsel.sales.rebuilding import NotOurSessionError
from handsel.shop import Shop

log = logging.getLogger("handsel.reconcile")

ROUND = 180
"""Seconds from one round of the worker's to the next."""
MOST_AGAIN = 5
"""Payments of one provider that are asked about twice in a round; when it is away, more
would only take time."""


@dataclass(frozen=True)
class Outcome:
    """What one round found: sessions listed, looked up, and those newly paid."""

    seen: int
    looked_up: int
    newly_paid: tuple[str, ...]
    failed: tuple[str, ...]


def reconcile(shop: Shop, *, since: datetime, most_open: int | None = None) -> Outcome:
    """Compare every provider's sessions since then with ours, and record the rest.

    Safe to repeat, and at the same time as everything else. One session that cannot be
    looked up does not keep back the others.

    Args:
        most_open: how many of our own open sessions a provider does not name are looked
            up; the next round takes others. None: all.
    """
    seen, looked_up = 0, 0
    newly_paid: list[str] = []
    failed: list[str] = []
    for name, provider in shop.providers.items():
        unsure: list[Glimpse] = []
        glimpses = _glimpses(shop, provider, since, most_open, failed)
        for glimpse in chain(glimpses, _once_more(unsure)):
            seen += 1
            known = _known(shop, name, glimpse.session_id)
            _note_declined(shop, name, glimpse)
            if known and _is_old_news(known[0], glimpse.state):
                continue
            looked_up += 1
            try:
                order = shop.hear(name, glimpse.session_id)
            except (ForeignPaymentError, NotOurSessionError):
                continue
            except ProviderUnavailableError as error:
                if glimpse in unsure or len(unsure) >= MOST_AGAIN:
                    failed.append(f"{name} {glimpse.session_id}: {error}")
                else:
                    unsure.append(glimpse)
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


def _once_more(unsure: list[Glimpse]) -> Iterator[Glimpse]:
    """Give those again that got no answer, after all others: mostly it comes then."""
    yield from tuple(unsure)


def _glimpses(
    shop: Shop,
    provider: PaymentProvider,
    since: datetime,
    most_open: int | None,
    failed: list[str],
) -> Iterator[Glimpse]:
    """Give what a provider lists, then our own open sessions that it did not name."""
    named = set()
    try:
        for glimpse in provider.sessions_since(since, shop.now()):
            named.add(glimpse.session_id)
            yield glimpse
    except ShopError as error:
        failed.append(f"{provider.name}: {error}")
        if isinstance(error, ProviderUnavailableError):
            return
    for session_id in _open(shop, provider.name, since, most_open):
        if session_id not in named:
            yield Glimpse(session_id, None)


def _open(shop: Shop, provider: str, since: datetime, most: int | None) -> list[str]:
    """Name our open sessions since then; if they are more than `most`, these in turns."""
    with shop.reading() as session:
        rows = session.execute(
            select(Order.id, Order.session_id).where(
                Order.provider == provider,
                Order.created_at >= since,
                Order.session_state.in_((PaymentState.OPEN, PaymentState.PROCESSING)),
            )
        ).all()
    turns = -(-len(rows) // most) if most else 1
    turn = int(shop.now().timestamp()) // ROUND
    return [row.session_id for row in rows if turns < 2 or (row.id + turn) % turns == 0]


def _note_declined(shop: Shop, provider: str, glimpse: Glimpse) -> None:
    """Write down a declined card that no message has told of."""
    if not glimpse.declined:
        return
    with shop.reading() as session:
        new = brake.new_ones(session, provider, glimpse.declined, shop.now())
        order = checkout.of_session(session, provider, glimpse.session_id)
    if new and order:
        with shop.transaction() as session:
            brake.note(session, order, new, shop.now())


def _is_old_news(known: PaymentState, seen: PaymentState | None) -> bool:
    return seen is not None and not orders.is_further(seen, than=known)


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
