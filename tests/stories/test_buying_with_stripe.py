"""Buying by card, with Stripe's part played by a fake on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from werkzeug.test import TestResponse

from handsel.ops.reconcile import reconcile
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, forms_of, words
from tests.providers.fake_stripe import SECRET_KEY, WEBHOOK_SECRET, FakeStripe
from tests.providers.fakes.stripe_hooks import message
from tests.stories.buyers import BUYER


@pytest.fixture
def stripe(clock: Clock) -> Iterator[FakeStripe]:
    """A fake Stripe whose clock stands where the shop's stands."""
    with FakeStripe(start=clock.time) as fake:
        yield fake


@pytest.fixture
def shop(
    home: Path, clock: Clock, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    """A shop with one book that takes cards by Stripe."""
    monkeypatch.setenv("HANDSEL_ENV", "test")
    monkeypatch.setenv("HANDSEL_STRIPE__API_BASE", stripe.origin)
    monkeypatch.setenv("HANDSEL_STRIPE__SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("HANDSEL_STRIPE__WEBHOOK_SECRET", WEBHOOK_SECRET)
    opened = open_shop(home, load_settings(home), clock=clock)
    make.product(opened)
    yield opened
    opened.close()


def go_to_stripe(visitor: Visitor) -> str:
    """Press Buy, and give the address of Stripe's page."""
    pressed = visitor.press(visitor.get("/p/book"), "/buy/book")
    assert pressed.status_code == 303
    return pressed.headers["Location"]


def pay(page: str) -> str:
    """Pay there, and give the address one is sent back to."""
    paid = requests.post(page, BUYER, allow_redirects=False, timeout=10)
    assert paid.status_code == 303
    return paid.headers["location"]


def tell(visitor: Visitor, stripe: FakeStripe) -> list[int]:
    """Let every web hook that is held arrive; give the shop's answers."""
    events, stripe.hooks.held = stripe.hooks.held, []
    answers: list[TestResponse] = []
    for event in events:
        sent = message(event, WEBHOOK_SECRET, stripe.bank.now)
        answers.append(
            visitor.client.post(
                "/webhooks/stripe", data=sent.body, headers=sent.headers
            )
        )
    return [answer.status_code for answer in answers]


def test_a_card_buys_the_book_whichever_comes_first(
    stripe: FakeStripe, visitor: Visitor
) -> None:
    first = pay(go_to_stripe(visitor))
    told_late = visitor.follow(first)
    assert set(tell(visitor, stripe)) == {200}

    other = visitor.device()
    second = pay(go_to_stripe(other))
    assert set(tell(other, stripe)) == {200}
    told_early = other.follow(second)

    assert "H-1001" in words(told_late)
    assert "H-1002" in words(told_early)
    assert visitor.follow(first).request.path == told_late.request.path


def test_a_refund_at_stripe_closes_the_link_and_a_failed_one_opens_it(
    stripe: FakeStripe, visitor: Visitor
) -> None:
    link = visitor.follow(pay(go_to_stripe(visitor))).request.path
    tell(visitor, stripe)
    session = stripe.bank.latest()["id"]

    refund = stripe.bank.refund(session)
    assert set(tell(visitor, stripe)) == {200}
    refunded = visitor.get(link)
    stripe.bank.settle_refund(refund, "failed")
    assert set(tell(visitor, stripe)) == {200}

    assert not [form for form in forms_of(refunded) if f"{link}/" in form.action]
    assert visitor.press(visitor.get(link), f"{link}/1").status_code == 303


def test_without_any_web_hook_the_shop_finds_out_by_itself(
    shop: Shop, stripe: FakeStripe, visitor: Visitor, clock: Clock
) -> None:
    stripe.hooks.mode = "drop"
    since = clock.time
    pay(go_to_stripe(visitor))
    found = reconcile(shop, since=since)
    again = reconcile(shop, since=since)
    assert (len(found.newly_paid), found.looked_up) == (1, 1)
    assert (again.newly_paid, again.looked_up, again.failed) == ((), 0, ())


def test_when_stripe_is_down_the_buyer_is_told_that_nothing_was_charged(
    stripe: FakeStripe, visitor: Visitor
) -> None:
    stripe.faults.fail_next(5, 503)
    answer = visitor.press(visitor.get("/p/book"), "/buy/book")
    assert answer.status_code == 503
    assert words(answer).count("not charged") == 1
