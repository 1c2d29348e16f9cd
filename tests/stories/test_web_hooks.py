"""Others are told what happens in the shop: signed, at least once, and never a stranger."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from handsel import worker
from handsel.models import HookEndpoint, OutboxItem
from handsel.models.words import OutboxState
from handsel.ops import hooking
from handsel.outbound.webhooks import endpoints
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import Till, untrue
from tests.ground.visitor import Visitor
from tests.stories import buyers
from tests.stories.buyers import DISPUTED, buy
from tests.stories.giving_back import give_back
from tests.stories.listening import Listener, is_signed, that_tells
from tests.stories.test_release import edition, release


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Somebody who listens."""
    with Listener() as listening:
        yield listening


@pytest.fixture
def telling(shop: Shop) -> Shop:
    """A shop with a book, that may tell this machine."""
    make.product(shop)
    return that_tells(shop)


def told(shop: Shop, times: int = 3) -> None:
    """Let the worker do what is due."""
    for _ in range(times):
        worker.turn(shop)


def test_a_sale_is_told_once_signed_and_without_the_buyers_address(
    telling: Shop, listener: Listener
) -> None:
    _, secret = hooking.add(telling, listener.url, with_email=False)

    buy(Visitor(telling), email="ann@example.com")
    told(telling)

    assert sorted(listener.names()) == ["access.opened", "order.paid"]
    for message in listener.messages:
        assert is_signed(message, secret)
        assert message.headers["webhook-id"] == message.said["id"]
        assert message.headers["content-type"] == "application/json"
    [paid] = [each for each in listener.messages if each.name == "order.paid"]
    assert paid.said["data"]["amount_minor"] == 1500
    order = paid.said["data"]["order"]
    assert (order["number"], order["product"], order["status"], order["access"]) == (
        *("H-1001", "book", "paid"),
        True,
    )
    everything = b"".join(each.body for each in listener.messages)
    assert b"ann@example.com" not in everything
    assert b"/d/" not in everything  # no link that opens something


def test_whoever_asks_for_it_is_told_the_address(
    telling: Shop, listener: Listener
) -> None:
    hooking.add(telling, listener.url, with_email=True)
    buy(Visitor(telling), email="ann@example.com")
    told(telling)
    orders = [each.said["data"]["order"] for each in listener.messages]
    assert {order["email"] for order in orders} == {"ann@example.com"}


def test_refund_and_dispute_are_told_with_what_they_do_to_the_files(
    till: Till, listener: Listener
) -> None:
    shop = that_tells(till.shop)
    make.product(shop)
    hooking.add(shop, listener.url, with_email=False)
    name = till.begin(till.visitor())
    till.stripe.bank.pay(name)
    told(shop)

    give_back(shop)
    till.reconcile()
    told(shop)

    assert sorted(listener.names()) == [
        *("access.closed", "access.opened", "order.paid", "order.refunded"),
    ]
    last = listener.messages[-1].said["data"]["order"]
    assert (last["status"], last["access"]) == ("refunded", False)
    assert untrue(shop) == {}


def test_a_dispute_is_told_and_files_that_were_never_open_are_not(
    telling: Shop, listener: Listener
) -> None:
    hooking.add(telling, listener.url, with_email=False)
    buy(Visitor(telling), number=DISPUTED)
    told(telling)
    assert sorted(listener.names()) == ["order.disputed", "order.paid"]


def test_a_new_edition_is_told(telling: Shop, listener: Listener) -> None:
    hooking.add(telling, listener.url, with_email=False)
    release(telling, edition(telling))
    told(telling)
    [message] = listener.messages
    assert message.name == "release.published"
    assert message.said["data"]["product"] == "book"


def test_while_a_receiver_is_away_nothing_is_lost_and_each_event_has_one_name(
    telling: Shop, listener: Listener, clock: Clock
) -> None:
    hooking.add(telling, listener.url, with_email=False)
    listener.status = 503
    app = Visitor(telling).app
    for number in range(6):
        buy(Visitor(telling, app=app), email=f"reader{number}@example.com")
        told(telling, 1)
        clock.move(minutes=10)
    listener.status = 200
    for _ in range(12):
        told(telling, 2)
        clock.move(minutes=30)

    assert sorted(listener.names()) == ["access.opened"] * 6 + ["order.paid"] * 6
    taken = [each.said["id"] for each in listener.messages]
    assert len(set(taken)) == 12
    assert {each.said["id"] for each in listener.refused} <= set(taken)


def test_one_that_is_away_is_asked_once_in_a_round(
    telling: Shop, listener: Listener, clock: Clock
) -> None:
    made, _ = hooking.add(telling, listener.url, with_email=False)
    listener.status = 500
    for _ in range(3):
        hooking.try_out(telling, made.id)
        clock.move(seconds=1)
    told(telling, 1)
    assert len(listener.refused) == 1


def test_who_says_gone_is_told_no_more_and_everything_once_it_is_back(
    telling: Shop, listener: Listener
) -> None:
    made, _ = hooking.add(telling, listener.url, with_email=False)
    listener.status = 410
    app = Visitor(telling).app
    buy(Visitor(telling, app=app))
    told(telling)
    buy(Visitor(telling, app=app))
    told(telling)

    assert len(listener.refused) == 1
    assert hooking.everybody(telling)[0].state == "stopped"
    subjects = [mail.subject for mail in buyers.mails(telling)]
    assert len([each for each in subjects if "A web hook is not told" in each]) == 1

    listener.status = 200
    assert hooking.start(telling, made.id) == 4
    told(telling)
    assert sorted(listener.names()) == ["access.opened"] * 2 + ["order.paid"] * 2


def test_after_a_day_of_failures_it_stops_and_the_seller_is_told_once(
    telling: Shop, listener: Listener, clock: Clock
) -> None:
    made, _ = hooking.add(telling, listener.url, with_email=False)
    listener.status = 500
    for _ in range(30):
        hooking.try_out(telling, made.id)
        told(telling, 1)
        clock.move(hours=1)
    told(telling)

    [endpoint] = hooking.everybody(telling)
    assert endpoint.state == "stopped"
    assert endpoint.failures >= endpoints.MOST_FAILURES
    subjects = [mail.subject for mail in buyers.mails(telling)]
    assert len([each for each in subjects if "web hook" in each]) == 1


def test_twenty_failures_in_a_minute_stop_nobody(
    telling: Shop, listener: Listener, clock: Clock
) -> None:
    made, _ = hooking.add(telling, listener.url, with_email=False)
    listener.status = 502
    for _ in range(25):
        hooking.try_out(telling, made.id)
        told(telling, 1)
        clock.move(seconds=2)
    assert hooking.everybody(telling)[0].state == "active"


def test_a_message_is_told_again_under_its_name(
    telling: Shop, listener: Listener
) -> None:
    hooking.add(telling, listener.url, with_email=False)
    buy(Visitor(telling))
    told(telling)
    with telling.reading() as session:
        item = session.scalars(
            select(OutboxItem).where(OutboxItem.topic.endswith("order.paid"))
        ).one()

    hooking.replay(telling, item.id)
    told(telling)

    paid = [each for each in listener.messages if each.name == "order.paid"]
    assert len(paid) == 2
    assert len({each.headers["webhook-id"] for each in paid}) == 1


def test_a_new_secret_signs_beside_the_old_one_for_a_day(
    telling: Shop, listener: Listener, clock: Clock
) -> None:
    made, old = hooking.add(telling, listener.url, with_email=False)
    new = hooking.secret(telling, made.id, new=True)
    hooking.try_out(telling, made.id)
    told(telling)
    clock.move(hours=25)
    hooking.try_out(telling, made.id)
    told(telling)

    first, second = listener.messages
    assert is_signed(first, old)
    assert is_signed(first, new)
    assert not is_signed(second, old)
    assert is_signed(second, new)
    with telling.reading() as session:
        kept = session.scalars(select(HookEndpoint)).one()
    assert old not in (kept.secret, kept.old_secret)


def test_several_are_told_each_for_itself_and_one_taken_out_no_more(
    telling: Shop, listener: Listener
) -> None:
    with Listener() as other:
        first, _ = hooking.add(telling, listener.url, with_email=False)
        hooking.add(telling, other.url, with_email=False)
        listener.status = 500
        buy(Visitor(telling))
        told(telling)
        assert len(other.messages) == 2
        hooking.remove(telling, first.id)
        buy(Visitor(telling))
        told(telling)
        assert len(other.messages) == 4
    assert listener.messages == []
    with telling.reading() as session:
        states = set(session.scalars(select(OutboxItem.state)))
    assert states == {OutboxState.SENT}


def test_outside_of_tests_this_machine_is_never_told(
    shop: Shop, listener: Listener
) -> None:
    made, _ = hooking.add(that_tells(shop), listener.url, with_email=False)
    hooking.try_out(shop, made.id)  # as if the row came from somewhere else
    told(shop)
    assert listener.messages == listener.refused == []
    with shop.reading() as session:
        item = session.scalars(select(OutboxItem)).one()
    assert "private network" in str(item.last_error)


def test_what_is_a_month_old_is_forgotten(
    telling: Shop, listener: Listener, clock: Clock
) -> None:
    made, _ = hooking.add(telling, listener.url, with_email=False)
    hooking.try_out(telling, made.id)
    told(telling)
    clock.time += timedelta(days=31)
    told(telling)
    with telling.reading() as session:
        assert endpoints.messages(session, None) == []


def test_every_body_is_json_that_others_read(telling: Shop, listener: Listener) -> None:
    hooking.add(telling, listener.url, with_email=True)
    buy(Visitor(telling), email="مرحبا@example.com")
    told(telling)
    for message in listener.messages:
        assert json.loads(message.body)["data"]["order"]["number"] == "H-1001"
