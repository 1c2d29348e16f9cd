"""Those whom we tell: adding one, its secret, stopping and starting it, taking it out."""

import base64
import contextlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from handsel.kit.errors import ConflictError, NotFoundError
from handsel.kit.sealing import UnreadableSecretError, seal, unseal
from handsel.kit.signing import Keys
from handsel.models import HookEndpoint, OutboxItem
from handsel.models.database import rows_changed
from handsel.models.words import HookState, OutboxState
from handsel.outbound import emails, outbox
from handsel.outbound.webhooks.bodies import PREFIX
from handsel.outbound.webhooks.events import HOOK, EventName, event_id, put

MOST = 20
PURPOSE = "web hooks"
OLD_SECRET = timedelta(days=1)
"""How long the secret before signs as well."""
PATIENCE = timedelta(days=1)
MOST_FAILURES = 20
"""After so many failures in a row, over so long, nobody is told any more. Not by number
alone: a busy shop has twenty in a minute while a receiver starts anew."""


def add(
    session: Session, keys: Keys, url: str, *, with_email: bool, now: datetime
) -> HookEndpoint:
    """Tell one more, at an address that `addresses.check_url` gave.

    Raises ConflictError for one that is told already, and when there are twenty.
    """
    found = everybody(session)
    if any(each.url == url for each in found):
        raise ConflictError(
            "This address is told already.", "See: handsel webhook list"
        )
    if len(found) >= MOST:
        raise ConflictError(f"{MOST} are told already.", "Take one out first.")
    made = HookEndpoint(
        url=url,
        secret=seal(keys, PURPOSE, _fresh()),
        with_email=with_email,
        state=HookState.ACTIVE,
        failures=0,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def _fresh() -> bytes:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"{PREFIX}{key}".encode()


def everybody(session: Session) -> Sequence[HookEndpoint]:
    """List those who are told, oldest first."""
    return session.scalars(select(HookEndpoint).order_by(HookEndpoint.id)).all()


def get(session: Session, number: int) -> HookEndpoint:
    """Give one by its number. Raises NotFoundError."""
    found = session.get(HookEndpoint, number)
    if found is None:
        raise NotFoundError(
            f"There is no web hook {number}.", "`handsel webhook list` shows them."
        )
    return found


def secret_of(keys: Keys, endpoint: HookEndpoint) -> str:
    """Give what signs, as the receiver needs it: `whsec_` and base64.

    Raises ConflictError when the shop's keys are not those it was sealed with.
    """
    try:
        return unseal(keys, PURPOSE, endpoint.secret).decode()
    except UnreadableSecretError:
        raise ConflictError(
            "The secret of this web hook cannot be read with the shop's keys.",
            f"Make a new one: handsel webhook secret {endpoint.id} --new",
        ) from None


def signing(keys: Keys, endpoint: HookEndpoint, now: datetime) -> list[str]:
    """Give every secret that signs now, the newest first. Raises as `secret_of`."""
    found = [secret_of(keys, endpoint)]
    if endpoint.old_secret and endpoint.old_until and now < endpoint.old_until:
        with contextlib.suppress(UnreadableSecretError):
            found.append(unseal(keys, PURPOSE, endpoint.old_secret).decode())
    return found


def renew(session: Session, keys: Keys, endpoint: HookEndpoint, now: datetime) -> None:
    """Make a new secret; the one before signs for a day more."""
    endpoint.old_secret, endpoint.old_until = endpoint.secret, now + OLD_SECRET
    endpoint.secret = seal(keys, PURPOSE, _fresh())
    session.flush()


def start(session: Session, endpoint: HookEndpoint, now: datetime) -> int:
    """Tell it again, and all that it missed; give how many messages. Safe to repeat."""
    endpoint.state = HookState.ACTIVE
    endpoint.failures, endpoint.failing_since = 0, None
    session.flush()
    return outbox.retry(session, now, kind=_kind(endpoint.id))


def stop(session: Session, number: int) -> bool:
    """Tell it nothing for now: messages are kept for 30 days. Say whether that is new."""
    return bool(
        rows_changed(
            session,
            update(HookEndpoint)
            .where(HookEndpoint.id == number, HookEndpoint.state == HookState.ACTIVE)
            .values(state=HookState.STOPPED),
        )
    )


def remove(session: Session, number: int) -> bool:
    """Take it out, with what waits for it; say whether it was there."""
    session.execute(delete(OutboxItem).where(outbox.of_kind(_kind(number))))
    gone = delete(HookEndpoint).where(HookEndpoint.id == number)
    return bool(rows_changed(session, gone))


def try_out(session: Session, endpoint: HookEndpoint, now: datetime) -> None:
    """Let it be told of nothing but that this is a test."""
    event = event_id(EventName.TEST, str(endpoint.id), now.isoformat())
    put(session, endpoint.id, EventName.TEST, event, now)


def messages(
    session: Session, number: int | None, *, before: int | None = None, most: int = 50
) -> Sequence[OutboxItem]:
    """List what was told to one, or to all, newest first."""
    kind = HOOK if number is None else _kind(number)
    return outbox.newest(session, before=before, most=most, kind=kind)


def replay(
    session: Session, item_id: int, now: datetime, *, of: int | None = None
) -> bool:
    """Tell one message again, whatever became of it; say whether there is such a one."""
    again = update(OutboxItem).where(
        OutboxItem.id == item_id,
        outbox.of_kind(HOOK if of is None else _kind(of)),
        OutboxItem.state != OutboxState.SENDING,
    )
    values = {"state": OutboxState.WAITING, "tries": 0, "next_at": now}
    return bool(rows_changed(session, again.values(**values)))


def taken(session: Session, endpoint: HookEndpoint, now: datetime) -> None:
    """Note that it took something."""
    rows_changed(
        session,
        update(HookEndpoint)
        .where(HookEndpoint.id == endpoint.id)
        .values(failures=0, failing_since=None, taken_at=now),
    )


def failed(session: Session, endpoint: HookEndpoint, why: str, now: datetime) -> None:
    """Note that it did not take something; after a day of that, stop and tell the seller."""
    rows_changed(
        session,
        update(HookEndpoint)
        .where(HookEndpoint.id == endpoint.id)
        .values(
            failures=HookEndpoint.failures + 1,
            failing_since=endpoint.failing_since or now,
        ),
    )
    since = endpoint.failing_since
    many = endpoint.failures + 1 >= MOST_FAILURES
    if many and since and now - since >= PATIENCE:
        give_up(session, endpoint, why, now)


def give_up(session: Session, endpoint: HookEndpoint, why: str, now: datetime) -> None:
    """Stop telling it, and write to the seller, once."""
    if stop(session, endpoint.id):
        emails.hook_stopped(session, endpoint, why, now)


def _kind(number: int) -> str:
    return f"{HOOK}.{number}"
