"""What providers and relays told us: which messages came, and hearing one again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError, NotFoundError
from handsel.models import Inbox, Order
from handsel.outbound import relays
from handsel.settings import Settings
from handsel.shop import Shop

KEPT = timedelta(days=30)
PAGE = 50


@dataclass(frozen=True)
class Source:
    """Somebody who sends us messages.

    Args:
        url: where they are to be sent.
        heard_at: when the last one that counted came; None in the last 30 days.
        messages: how many came in that time.
        pays: whether it is a payment provider, which can be asked again.
    """

    name: str
    url: str
    heard_at: datetime | None
    messages: int
    pays: bool


@dataclass(frozen=True)
class Message:
    """One message. `number` is the order it is about, as far as we know one."""

    provider: str
    event_id: str
    kind: str
    object_id: str | None
    received_at: datetime
    number: str | None
    again: bool


def sources(session: Session, settings: Settings) -> list[Source]:
    """List those who may send messages to this shop, with what came of it."""
    payers = [name for name in settings.providers if name != "test"]
    names = [*payers, *relays.in_use(settings.mail)]
    counted = select(Inbox.provider, func.count(), func.max(Inbox.received_at))
    rows = session.execute(counted.group_by(Inbox.provider)).all()
    found = {name: (count, last) for name, count, last in rows}
    return [
        Source(
            name=name,
            url=f"{settings.public_url}/webhooks/{name}",
            heard_at=found.get(name, (0, None))[1],
            messages=found.get(name, (0, None))[0],
            pays=name in payers,
        )
        for name in names
    ]


def latest(
    session: Session, payers: Sequence[str], before: tuple[datetime, str] | None
) -> list[Message]:
    """Give messages, newest first; those before the time and name of one, to go on."""
    wanted = (
        select(Inbox, Order)
        .outerjoin(
            Order,
            and_(Order.provider == Inbox.provider, Order.session_id == Inbox.object_id),
        )
        .order_by(Inbox.received_at.desc(), Inbox.event_id.desc())
        .limit(PAGE + 1)
    )
    if before:
        at, event = before
        wanted = wanted.where(
            or_(
                Inbox.received_at < at,
                and_(Inbox.received_at == at, Inbox.event_id < event),
            )
        )
    return [
        Message(
            provider=each.provider,
            event_id=each.event_id,
            kind=each.kind,
            object_id=each.object_id,
            received_at=each.received_at,
            number=order.number if order else None,
            again=each.provider in payers and each.object_id is not None,
        )
        for each, order in session.execute(wanted)
    ]


def replay(shop: Shop, provider: str, event_id: str) -> Order:
    """Act on a message once more: ask its provider for the truth, and record that.

    Safe to repeat: facts that are known are not written twice. Raises NotFoundError,
    ConflictError for one that is about no payment, and as `Shop.hear` does.
    """
    with shop.reading() as session:
        found = session.get(Inbox, (provider, event_id))
    if found is None:
        raise NotFoundError(
            "This message is not kept here any more.", "They are kept for 30 days."
        )
    if provider not in shop.providers or found.object_id is None:
        raise ConflictError(
            "This message is about no payment.", "There is nothing to ask again."
        )
    return shop.hear(provider, found.object_id)
