"""The loop behind the pages goes on, whatever happens around it."""

import threading
from datetime import timedelta

import pytest

from handsel import worker
from handsel.models import Duty
from handsel.ops import reconcile
from handsel.outbound.transports.folder import read_folder
from handsel.shop import Shop
from tests import make
from tests.ground.beside import ON_POSTGRES, beside
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.ground.waiting import wait_until
from tests.stories.buyers import BUYER, buy, facts, payment_page


def test_a_clock_that_was_a_year_ahead_for_a_while_stops_no_duty(
    shop: Shop, clock: Clock
) -> None:
    """As on a machine that starts with a wrong clock, until it has asked for the time."""
    make.product(shop)
    clock.move(days=365)
    worker.turn(shop)
    clock.move(days=-365)
    visitor = Visitor(shop)
    visitor.press(payment_page(visitor), "/testpay/", BUYER)  # and never comes back

    worker.turn(shop)

    assert facts(shop)["status"] == "paid"


def test_a_receipt_does_not_wait_for_a_provider_that_hangs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.product(shop)
    asked, answer, stop = (threading.Event() for _ in range(3))

    def hang(*_: object, **__: object) -> None:
        asked.set()
        assert answer.wait(60)

    monkeypatch.setattr(reconcile, "reconcile", hang)
    work = threading.Thread(target=worker.run, args=(shop, stop))
    work.start()
    try:
        assert asked.wait(20)
        buy(Visitor(shop))
        wait_until(lambda: bool(read_folder(shop.home / "mail")), 20)
    finally:
        answer.set()
        stop.set()
        work.join(20)
    assert not work.is_alive()


def test_each_duty_is_done_by_one_worker_at_its_time(shop: Shop, clock: Clock) -> None:
    gap = timedelta(minutes=2)
    assert worker._claim(shop, "look", gap)
    assert not worker._claim(shop, "look", gap)
    clock.move(minutes=1)
    assert not worker._claim(shop, "look", gap)
    clock.move(minutes=1)
    assert worker._claim(shop, "look", gap)
    assert not worker._claim(shop, "look", gap)


@ON_POSTGRES
def test_two_workers_that_see_a_duty_due_at_one_moment_do_it_once(
    shop: Shop, clock: Clock
) -> None:
    gap = timedelta(minutes=2)
    assert worker._claim(shop, "look", gap)
    clock.move(minutes=2)
    won: list[bool] = []

    def other() -> None:
        won.append(worker._claim(shop, "look", gap))

    with beside(shop, other) as start, shop.transaction() as session:
        session.get_one(Duty, "look").next_at = shop.now() + gap
        session.flush()
        start()

    assert won == [False]


def test_a_payment_nobody_can_be_asked_about_any_more_is_not_asked_about_for_ever(
    shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as those of a test account, after the seller has gone live."""
    make.product(shop)
    payment_page(Visitor(shop))
    asked: list[timedelta] = []
    monkeypatch.setattr(
        reconcile,
        "reconcile",
        lambda shop, *, since, most_open: asked.append(shop.now() - since),
    )

    clock.move(days=20)
    worker._reconcile_far_back(shop)
    clock.move(days=20)
    worker._reconcile_far_back(shop)

    assert asked == [timedelta(days=20, hours=1), timedelta(days=4)]
