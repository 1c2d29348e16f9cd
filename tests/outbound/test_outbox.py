"""Who may send what, when: leases, gaps that grow, and an end to trying."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from email.parser import BytesHeaderParser
from itertools import pairwise

import pytest

from handsel import worker
from handsel.models import Order, OutboxItem
from handsel.models.words import OutboxState
from handsel.outbound import emails, outbox, post
from handsel.outbound.leases import GAPS
from handsel.outbound.transports.base import (
    Envelope,
    PermanentMailError,
    TemporaryMailError,
)
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ops.keeping import buy


class Post:
    """A mail server that does to each mail what `treat` says, and keeps the others."""

    name = "test"

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.taken: list[str] = []
        self.names: list[str] = []

    @contextmanager
    def connect(self) -> Iterator["Post"]:
        """Be there."""
        yield self

    def treat(self, recipient: str) -> None:
        """Refuse this mail by an error, or do not."""

    def send(self, envelope: Envelope) -> None:
        """Take a mail."""
        head = BytesHeaderParser().parsebytes(envelope.content)
        self.tried.append(envelope.recipient)
        self.names.append(str(head["Message-ID"]))
        self.treat(envelope.recipient)
        self.taken.append(envelope.recipient)


class Away(Post):
    """Nobody is there."""

    def treat(self, recipient: str) -> None:
        """Refuse it for now."""
        raise TemporaryMailError("Nobody is there.")


def with_post(shop: Shop, transport: Post) -> Shop:
    """The same shop with another mail server."""
    return dataclasses.replace(shop, transport=transport)


def states(shop: Shop) -> dict[str, OutboxState]:
    """How far the mail to each reader has come."""
    with shop.reading() as session:
        return {each.recipient: each.state for each in outbox.newest(session)}


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop with thirty receipts to send."""
    make.product(shop)
    buy(shop, 30)
    return shop


def test_two_workers_at_one_moment_share_the_mails_and_send_none_twice(
    sold: Shop,
) -> None:
    def claim() -> list[int]:
        with sold.transaction() as session:
            return [each.id for each in outbox.claim(session, sold.now())]

    with ThreadPoolExecutor(1) as other:
        with sold.transaction() as session:
            mine = [each.id for each in outbox.claim(session, sold.now())]
            theirs = other.submit(claim)
            if not sold.database.is_sqlite:  # where there may be two, nobody waits
                theirs.result(timeout=20)
        both = mine + theirs.result(timeout=20)

    assert len(mine) == 20
    assert len(both) == len(set(both)) == 30


def test_nobody_is_tried_for_ever_and_the_gaps_grow(shop: Shop, clock: Clock) -> None:
    make.product(shop)
    buy(shop)
    away = Away()
    shop = with_post(shop, away)
    moments = []
    while OutboxState.DEAD not in states(shop).values():
        tried = len(away.tried)
        worker.turn(shop)
        if len(away.tried) > tried:
            moments.append(shop.now())
        clock.move(seconds=30 if len(moments) < 5 else 1800)

    gaps = [after - before for before, after in pairwise(moments)]
    assert len(moments) == len(GAPS) + 1
    assert gaps == sorted(gaps)
    assert gaps[0] <= timedelta(minutes=1)
    assert timedelta(days=2) < sum(gaps, timedelta()) < timedelta(days=3)
    assert len(set(away.names)) == 1, "a repeat bears the same name"
    with shop.reading() as session:
        (item,) = outbox.newest(session, OutboxState.DEAD)
    assert item.last_error == "Nobody is there."


def test_a_mail_put_off_by_a_clock_a_year_ahead_goes_when_it_is_right_again(
    shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    buy(shop)
    clock.move(days=365)
    worker.turn(with_post(shop, Away()))
    clock.move(days=-365)
    there = Post()

    worker.turn(with_post(shop, there))

    assert len(there.taken) == 1


def test_a_mail_refused_for_good_is_put_aside_and_the_others_go(sold: Shop) -> None:
    class Picky(Post):
        def treat(self, recipient: str) -> None:
            if recipient == "reader5@example.com":
                raise PermanentMailError("550 no such mailbox")

    picky = Picky()
    sold = with_post(sold, picky)

    while worker.turn(sold):
        pass

    assert len(picky.taken) == 29
    assert states(sold)["reader5@example.com"] is OutboxState.DEAD


def test_a_transport_that_fails_in_a_way_nobody_thought_of_is_tried_again(
    shop: Shop, clock: Clock
) -> None:
    class Broken(Post):
        @contextmanager
        def connect(self) -> Iterator[Post]:
            raise ValueError("'ascii' codec can't encode character")
            yield self

    make.product(shop)
    buy(shop)

    worker.turn(with_post(shop, Broken()))

    with shop.reading() as session:
        (item,) = outbox.newest(session, OutboxState.WAITING)
    assert "'ascii' codec" in str(item.last_error)
    clock.move(minutes=1)
    mended = Post()
    worker.turn(with_post(shop, mended))
    assert len(mended.taken) == 1


def test_a_mail_server_that_takes_its_time_does_not_outlast_the_leases(
    sold: Shop, clock: Clock
) -> None:
    class Slow(Post):
        def treat(self, recipient: str) -> None:
            clock.move(seconds=25)

    slow = Slow()
    sold = with_post(sold, slow)

    post.deliver_due(sold.mailroom())

    assert 0 < len(slow.taken) < 6
    assert OutboxState.SENDING not in states(sold).values()
    while post.deliver_due(sold.mailroom()):
        pass
    assert len(slow.taken) == len(set(slow.taken)) == 30
    with sold.reading() as session:
        tries = {each.tries for each in outbox.newest(session)}
    assert tries == {1}, "what was only held for a while was not tried"


def test_a_mail_that_kills_every_worker_takes_no_other_along(
    sold: Shop, clock: Clock
) -> None:
    class Deadly(Post):
        def treat(self, recipient: str) -> None:
            if recipient == "reader1@example.com":
                raise SystemExit("killed")

    deadly = Deadly()
    sold = with_post(sold, deadly)
    deaths = 0
    while states(sold)["reader1@example.com"] is not OutboxState.DEAD:
        assert deaths < 20, "nobody ever gives it up"
        try:
            while worker.turn(sold):
                pass
        except SystemExit:
            deaths += 1
        else:
            clock.move(minutes=1)

    assert len(deadly.taken) == len(set(deadly.taken)) == 29
    assert deaths == len(GAPS) + 1
    with sold.reading() as session:
        (item,) = outbox.newest(session, OutboxState.DEAD)
    assert item.last_error


def test_who_fails_late_does_not_take_back_what_another_has_sent(
    shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    buy(shop)
    with shop.transaction() as session:
        (mine,) = outbox.claim(session, shop.now())
    clock.move(minutes=3)
    other = Post()
    worker.turn(with_post(shop, other))
    assert len(other.taken) == 1

    with shop.transaction() as session:
        outbox.later(session, mine, "timed out", shop.now())
        outbox.put_back(session, [mine])

    assert set(states(shop).values()) == {OutboxState.SENT}


def test_a_mail_to_an_address_that_was_changed_meanwhile_does_not_go_there(
    shop: Shop,
) -> None:
    """The old address may be a stranger's, and the link in the mail is the new one."""
    make.product(shop)
    buy(shop)
    with shop.transaction() as session:
        (mine,) = outbox.claim(session, shop.now())
        order = session.get_one(Order, mine.order_id)
        order.email = "right@example.com"

    with pytest.raises(Exception, match="changed in the meantime"):
        post.write(shop.mailroom(), mine)


def test_only_what_still_waits_is_sent_to_another_address(shop: Shop) -> None:
    make.product(shop)
    buy(shop)
    with shop.transaction() as session:
        outbox.claim(session, shop.now())
        order = session.query(Order).one()
        order.email = "right@example.com"
        assert emails.redirect(session, order, shop.now()) == 0
        assert session.query(OutboxItem).one().recipient != "right@example.com"
