"""Web hooks that go out, for commands and the desk: adding, trying, hearing again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from handsel.kit.errors import NotFoundError
from handsel.models import HookEndpoint, OutboxItem
from handsel.ops.shelving import Witness, nobody
from handsel.outbound import outbox
from handsel.outbound.webhooks import addresses, endpoints
from handsel.outbound.webhooks.sending import Room
from handsel.shop import Shop


@dataclass(frozen=True)
class Told:
    """Somebody whom the shop tells, as lists show it."""

    id: int
    url: str
    state: str
    with_email: bool
    failures: int
    failing_since: datetime | None
    taken_at: datetime | None
    created_at: datetime


def room(shop: Shop) -> Room:
    """Give what sending needs. This machine is told only in tests."""
    return Room(shop.database, shop.keys, shop.clock, _loopback(shop))


def _loopback(shop: Shop) -> bool:
    return shop.settings.env == "test"


def add(
    shop: Shop,
    url: str,
    *,
    with_email: bool,
    witness: Callable[[Session, int], None] = lambda _, __: None,
) -> tuple[Told, str]:
    """Tell one more; give it, and the secret its messages are signed with.

    `witness` is given its number, too. Raises BadInputError, ConflictError.
    """
    checked = addresses.check_url(url, loopback=_loopback(shop))
    with shop.transaction() as session:
        made = endpoints.add(
            session, shop.keys, checked, with_email=with_email, now=shop.now()
        )
        witness(session, made.id)
        return told(made), endpoints.secret_of(shop.keys, made)


def told(endpoint: HookEndpoint) -> Told:
    """Give what a list shows of one."""
    return Told(
        id=endpoint.id,
        url=endpoint.url,
        state=str(endpoint.state),
        with_email=endpoint.with_email,
        failures=endpoint.failures,
        failing_since=endpoint.failing_since,
        taken_at=endpoint.taken_at,
        created_at=endpoint.created_at,
    )


def everybody(shop: Shop) -> list[Told]:
    """List those who are told, oldest first."""
    with shop.reading() as session:
        return [told(each) for each in endpoints.everybody(session)]


def secret(shop: Shop, number: int, *, new: bool, witness: Witness = nobody) -> str:
    """Give the secret of one; with `new` another, the old one signs for a day more.

    Raises NotFoundError, ConflictError.
    """
    with shop.transaction() as session:
        endpoint = endpoints.get(session, number)
        if new:
            endpoints.renew(session, shop.keys, endpoint, shop.now())
        witness(session)
        return endpoints.secret_of(shop.keys, endpoint)


def try_out(shop: Shop, number: int, *, witness: Witness = nobody) -> None:
    """Let one be told of a test. Raises NotFoundError."""
    with shop.transaction() as session:
        endpoints.try_out(session, endpoints.get(session, number), shop.now())
        witness(session)


def start(shop: Shop, number: int, *, witness: Witness = nobody) -> int:
    """Tell one again, with all it missed; give how much that is. Raises NotFoundError."""
    with shop.transaction() as session:
        witness(session)
        return endpoints.start(session, endpoints.get(session, number), shop.now())


def stop(shop: Shop, number: int, *, witness: Witness = nobody) -> None:
    """Tell one nothing for now. Safe to repeat. Raises NotFoundError."""
    with shop.transaction() as session:
        endpoints.get(session, number)
        endpoints.stop(session, number)
        witness(session)


def remove(shop: Shop, number: int, *, witness: Witness = nobody) -> None:
    """Take one out, with what waits for it. Raises NotFoundError."""
    with shop.transaction() as session:
        endpoints.get(session, number)
        endpoints.remove(session, number)
        witness(session)


def replay(
    shop: Shop, item_id: int, *, of: int | None = None, witness: Witness = nobody
) -> None:
    """Tell one message again, whatever became of it; `of` a web hook, or any.

    Raises NotFoundError.
    """
    with shop.transaction() as session:
        if not endpoints.replay(session, item_id, shop.now(), of=of):
            raise NotFoundError(
                f"There is no message {item_id}, or it is on its way this moment.",
                "`handsel webhook log` shows those of the last 30 days.",
            )
        witness(session)


def facts(item: OutboxItem) -> dict[str, Any]:
    """Say of one message what it tells, to whom, and what became of it."""
    return {
        "id": item.id,
        "event": item.payload["event"],
        "name": item.payload["name"],
        "webhook": int(item.topic.split(".")[1]),
        **outbox.progress(item),
    }
