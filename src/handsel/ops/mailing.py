"""What a seller does about mails by hand: trying whether they go, and sending again."""

import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError, NotFoundError
from handsel.kit.text import normalise_email
from handsel.models import Duty, OutboxItem
from handsel.models.database import insert_new
from handsel.ops.shelving import Witness, nobody
from handsel.outbound import letters, outbox, post, suppressions
from handsel.outbound.compose import seal
from handsel.shop import Shop

TRIED = "mail-tried"
"""The row that remembers that a test mail went."""


def send_test(shop: Shop, to: str) -> dict[str, Any]:
    """Send a test mail now, past the outbox.

    Raises BadInputError for no address, TemporaryMailError or PermanentMailError with
    what the mail server said.
    """
    key = f"test:{secrets.token_hex(8)}"
    address = normalise_email(to)
    said = {"date": shop.now().date().isoformat()}
    item = outbox.Item(0, letters.TEST, key, address, None, said, 1)
    room = shop.mailroom()
    message, recipient = post.write(room, item)
    envelope = seal(message, recipient, sender=post.comes_back_to(room, item))
    with shop.transport.connect() as carrier:
        carrier.send(envelope)
    _remember(shop)
    return {
        "to": recipient,
        "from": str(message["From"]),
        "message_id": str(message["Message-ID"]),
        "transport": shop.transport.name,
    }


def facts(item: OutboxItem) -> dict[str, Any]:
    """Say of a mail (or a hit) what it is, to whom, how far it came and what hinders it.

    Times are ISO 8601; `to` is empty for what goes to the seller.
    """
    kind, _, name = item.topic.partition(".")
    hit = kind == outbox.HIT
    return {
        "id": item.id,
        "topic": item.topic,
        "what": item.payload["name"] if hit else name,
        "to": name if hit else item.recipient,
        **outbox.progress(item),
    }


def _remember(shop: Shop) -> None:
    """Note that mails go, where they go anywhere."""
    if shop.transport.name == "folder":
        return
    now = shop.now()
    with shop.transaction() as session:
        insert_new(session, Duty, name=TRIED, next_at=now)
        tried = update(Duty).where(Duty.name == TRIED)
        session.execute(tried.values(last_at=now, next_at=now))


def retry(
    shop: Shop,
    item_id: int | None,
    kind: str = outbox.MAIL,
    *,
    witness: Callable[[Session, int], None] = lambda _, __: None,
) -> int:
    """Let dead mails (or hits) go again, all or one; give how many, also to `witness`.

    Raises NotFoundError, and ConflictError for a mail that is not dead.
    """
    with shop.transaction() as session:
        count = outbox.retry(session, shop.now(), item_id=item_id, kind=kind)
        if item_id is None or count:
            witness(session, count)
            return count
        wanted = (OutboxItem.id == item_id, outbox.of_kind(kind))
        state = session.scalar(select(OutboxItem.state).where(*wanted))
    if state is None:
        raise NotFoundError(
            f"There is no mail {item_id}.", "`handsel mail list` shows them."
        )
    raise ConflictError(
        f"Mail {item_id} was not given up: it is {state}.",
        "Waiting ones go by themselves; `handsel order resend` mails a link again.",
    )


def lift(shop: Shop, address: str, *, witness: Witness = nobody) -> int:
    """Write to an address again. Raises NotFoundError when nothing stopped it."""
    with shop.transaction() as session:
        count = suppressions.lift(session, address.strip())
        if count:
            witness(session)
    if not count:
        raise NotFoundError(
            f"{address} gets every mail.", "`handsel mail stopped` lists who does not."
        )
    return count
