"""Nothing is done at the desk that the log does not have: both happen, or neither."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import event, select

from handsel.models import AuditEntry, HookEndpoint, OutboxItem
from handsel.models.words import OutboxState, StopReason
from handsel.ops import hooking
from handsel.ops.desk import backups
from handsel.outbound import outbox, suppressions
from handsel.shop import Shop
from tests.ground.waiting import wait_until
from tests.stories.desks import Seller
from tests.stories.listening import that_tells

PORT = "http://127.0.0.1:9/hear"


class NoRoomError(Exception):
    """The log takes no more."""


@contextmanager
def no_room_in_the_log() -> Iterator[None]:
    """Let every entry fail as it is written."""

    def fail(*_: object) -> None:
        raise NoRoomError

    event.listen(AuditEntry, "before_insert", fail)
    try:
        yield
    finally:
        event.remove(AuditEntry, "before_insert", fail)


def state(shop: Shop) -> dict[str, Any]:
    """Give everything that the buttons below change."""
    with shop.reading() as session:
        hooks = session.scalars(select(HookEndpoint)).all()
        items = session.scalars(select(OutboxItem).order_by(OutboxItem.id)).all()
        return {
            "hooks": [(each.url, each.state, each.secret) for each in hooks],
            "items": [(each.topic, each.state) for each in items],
            "stopped": len(suppressions.newest(session, most=9)),
            "mails": sorted((shop.home / "mail").glob("*")),
            "backup": backups.last(shop),
        }


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """A shop that tells somebody, has given a mail up, and writes to one no more."""
    telling = that_tells(shop)
    hooking.add(telling, PORT, with_email=False)
    with shop.transaction() as session:
        outbox.put(
            session, "mail.test", "one", recipient="ann@example.com",
            now=shop.now(), payload={"date": "2026-11-23"},
        )  # fmt: skip
        session.query(OutboxItem).one().state = OutboxState.DEAD
        suppressions.stop(session, "bob@example.com", StopReason.BOUNCED, shop.now())
    return telling


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("hooks/out", {"url": "http://127.0.0.1:10/hear"}),
        ("hooks/out/1/secret", {"new": "yes"}),
        ("hooks/out/1/test", {}),
        ("hooks/out/1/stop", {}),
        ("hooks/out/1/remove", {}),
        ("mails/retry", {}),
        ("mails/lift", {"email": "bob@example.com"}),
        ("mails/test", {"to": "zoe@example.com"}),
        ("backups", {}),
    ],
)
def test_what_the_log_cannot_take_is_not_done(
    busy: Shop, seller: Seller, path: str, fields: dict[str, str]
) -> None:
    seller.app.extensions["handsel"] = busy
    before = state(busy)
    typed = fields | {"form_token": seller.form_word()}
    with no_room_in_the_log(), suppress(NoRoomError):
        seller.post(f"/admin/{path}", typed)
    assert state(busy) == before

    assert seller.post(f"/admin/{path}", typed).status_code in (200, 303)
    with busy.reading() as session:
        assert len(session.scalars(select(AuditEntry)).all()) == 1
    wait_until(lambda: not backups.last(busy).running)
