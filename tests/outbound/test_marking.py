"""Marks of mails, written together by whoever waits at the same time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event, func, select

from handsel.models import Recipient
from handsel.models.database import Database
from handsel.models.words import RecipientState
from handsel.outbound import recipients
from handsel.outbound.marking import Marks
from handsel.outbound.recipients import Sent
from handsel.shop import Shop
from tests.faults.test_broadcast_kill import begun, many_buyers

COUNT = 40


class Stumbling(Database):
    """A database that does not take what is written first, on a kept connection."""

    @contextmanager
    def unsynced(self) -> Iterator[Connection]:
        """Fail once, at a commit."""
        stumbles = [OSError("The disk is gone for a moment.")]

        def stumble(_connection: Connection) -> None:
            if stumbles:
                raise stumbles.pop()

        with super().unsynced() as connection:
            event.listen(connection, "commit", stumble)
            yield connection


@pytest.fixture
def stumbling(shop: Shop) -> Iterator[Marks]:
    """Marks in a database that stumbles once."""
    database = Stumbling(shop.settings.database.url, shop.home)
    with database.unsynced() as connection:
        yield Marks(connection)
    database.close()


def test_senders_side_by_side_have_each_of_their_mails_marked(shop: Shop) -> None:
    leased = _leased(shop)
    with shop.database.unsynced() as connection, ThreadPoolExecutor(8) as senders:
        marks = Marks(connection)
        list(senders.map(lambda each: marks.add(Sent(each, shop.now())), leased))
    assert _sent(shop) == COUNT


def test_a_mark_that_could_not_be_written_is_no_mark_and_the_next_ones_are(
    shop: Shop, stumbling: Marks
) -> None:
    first, *others = _leased(shop)
    with pytest.raises(OSError, match="disk is gone"):
        stumbling.add(Sent(first, shop.now()))
    assert _sent(shop) == 0
    for each in others:
        stumbling.add(Sent(each, shop.now()))
    assert _sent(shop) == COUNT - 1


def test_who_waited_with_one_that_stumbled_tries_again(
    shop: Shop, stumbling: Marks
) -> None:
    leased = _leased(shop)
    failed: list[int] = []
    together = threading.Barrier(len(leased))

    def mark(each: int) -> None:
        together.wait(20)
        try:
            stumbling.add(Sent(each, shop.now()))
        except OSError:
            failed.append(each)

    with ThreadPoolExecutor(len(leased)) as senders:
        list(senders.map(mark, leased))
    assert len(failed) == 1
    assert _sent(shop) >= COUNT - 1


def _leased(shop: Shop) -> list[int]:
    many_buyers(shop, COUNT)
    campaign = begun(shop)
    with shop.transaction() as session:
        batch = recipients.claim(session, campaign, shop.now(), COUNT)
    return [one.id for one in batch]


def _sent(shop: Shop) -> int:
    counted = select(func.count()).where(Recipient.state == RecipientState.SENT)
    with shop.reading() as session:
        return session.scalar(counted) or 0
