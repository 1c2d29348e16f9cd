"""What is told, as rows of the outbox in the transaction that causes it.

A row has no more than names and amounts; what an order looks like is written when it is
sent, so that a late message says how things are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.money import Money
from handsel.models import HookEndpoint, Order, Release
from handsel.models.words import FactKind
from handsel.outbound import outbox

HOOK = "hook"
"""How topics of the outbox begin: `hook.ENDPOINT.NAME`."""


class EventName(StrEnum):
    """What can be told."""

    ORDER_PAID = "order.paid"
    ORDER_REFUNDED = "order.refunded"
    ORDER_REFUND_FAILED = "order.refund_failed"
    ORDER_DISPUTED = "order.disputed"
    ORDER_DISPUTE_CLOSED = "order.dispute_closed"
    ACCESS_OPENED = "access.opened"
    ACCESS_CLOSED = "access.closed"
    RELEASE_PUBLISHED = "release.published"
    TEST = "test"


class Fact(Protocol):
    """What has become of an order's money, as the ledger knows it."""

    @property
    def kind(self) -> FactKind:
        """What happened."""
        ...

    @property
    def object_id(self) -> str:
        """What it happened to, as the provider names it."""
        ...

    @property
    def amount(self) -> Money:
        """How much it was about."""
        ...


_OF_FACTS = {
    FactKind.CAPTURE: EventName.ORDER_PAID,
    FactKind.REFUND: EventName.ORDER_REFUNDED,
    FactKind.VOID: EventName.ORDER_REFUND_FAILED,
    FactKind.DISPUTE_OPEN: EventName.ORDER_DISPUTED,
    FactKind.DISPUTE_WON: EventName.ORDER_DISPUTE_CLOSED,
    FactKind.DISPUTE_LOST: EventName.ORDER_DISPUTE_CLOSED,
    FactKind.DISPUTE_SETTLED: EventName.ORDER_DISPUTE_CLOSED,
}


def money_moved(
    session: Session, order: Order, facts: Sequence[Fact], now: datetime
) -> None:
    """Tell of facts that were not known before. Once for each, also after a restore."""
    for fact in facts:
        name = _OF_FACTS.get(fact.kind)
        if name:
            _tell(
                session,
                name,
                (order.provider, fact.kind, fact.object_id),
                now,
                order=order,
                about={
                    "amount_minor": fact.amount.minor,
                    "currency": fact.amount.currency,
                    "outcome": _OUTCOMES.get(fact.kind),
                },
            )


_OUTCOMES = {
    FactKind.DISPUTE_WON: "won",
    FactKind.DISPUTE_LOST: "lost",
    FactKind.DISPUTE_SETTLED: "settled",
}


def access_changed(session: Session, order: Order, access: bool, now: datetime) -> None:
    """Tell that an order opens its files now, or no more."""
    name = EventName.ACCESS_OPENED if access else EventName.ACCESS_CLOSED
    _tell(session, name, (order.public_id, now.isoformat()), now, order=order)


def published(session: Session, slug: str, release: Release, now: datetime) -> None:
    """Tell that a new edition is on sale."""
    about = {"product": slug, "version": release.version}
    _tell(
        session, EventName.RELEASE_PUBLISHED, (slug, release.version), now, about=about
    )


def _tell(
    session: Session,
    name: EventName,
    key: Sequence[str],
    now: datetime,
    *,
    order: Order | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    event = event_id(name, *key)
    for endpoint in session.scalars(select(HookEndpoint.id)):
        put(session, endpoint, name, event, now, order=order, about=about)


def put(
    session: Session,
    endpoint: int,
    name: EventName,
    event: str,
    now: datetime,
    *,
    order: Order | None = None,
    about: Mapping[str, Any] | None = None,
) -> bool:
    """Let one endpoint be told of one event, once; say whether that is new."""
    return outbox.put(
        session,
        f"{HOOK}.{endpoint}.{name}",
        f"{HOOK}:{endpoint}:{event}",
        recipient="",
        order_id=order.id if order else None,
        now=now,
        payload={
            "event": event,
            "name": str(name),
            "at": now.isoformat(),
            "about": dict(about or {}),
        },
    )


def event_id(name: str, *key: str) -> str:
    """Name an event: the same for the same thing, whoever is told and how often."""
    said = "\0".join((name, *key))
    return f"evt_{sha256(said.encode()).hexdigest()[:24]}"
