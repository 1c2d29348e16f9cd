"""The fake Stripe keeps to what the real one says and does."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe as sdk
from stripe.checkout import Session

from tests.ground.waiting import wait_until
from tests.providers.fake_stripe import SECRET_KEY, FakeStripe
from tests.providers.fakes.bank import Obj
from tests.providers.fakes.stripe_hooks import again
from tests.providers.fakes.stripe_objects import API_VERSION
from tests.providers.stripe_driver import StripeDriver
from tests.providers.suite import begin

CLASSES: dict[str, type] = {
    "session": Session,
    "payment_intent": sdk.PaymentIntent,
    "charge": sdk.Charge,
    "refund": sdk.Refund,
    "dispute": sdk.Dispute,
    "event": sdk.Event,
    "balance_transaction": sdk.BalanceTransaction,
    "payout": sdk.Payout,
}


class Receiver:
    """A shop that only listens: remembers bodies, answers what it is told to."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                receiver.bodies.append(self.rfile.read(length).decode())
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks/stripe"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A listening shop."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.02,))
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


def live(driver: StripeDriver) -> None:
    """Let a little of everything happen."""
    bank = driver.fake.bank
    session = begin(driver, "order-1")
    bank.pay(session)
    bank.settle_refund(bank.refund(session, 500, status="pending"), "failed")
    bank.close_dispute(bank.open_dispute(session), "lost")
    bank.expire(begin(driver, "order-2"))
    bank.monthly_fee(100)
    bank.other_sale(10_000)
    bank.advance(timedelta(days=3))


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_objects_have_only_fields_that_stripes_objects_have(
    stripe_driver: StripeDriver, kind: str
) -> None:
    live(stripe_driver)
    found = list(stripe_driver.fake.bank.kept[kind].values())
    assert found
    for each in found:
        check_fields(CLASSES[kind], each)


def check_fields(model: type, found: Obj) -> None:
    """Compare a made-up object, and those inside it, with Stripe's own types."""
    names = _annotations(model)
    unknown = found.keys() - names.keys()
    assert not unknown, f"{model.__name__} has no {unknown}"
    for key, value in found.items():
        if isinstance(value, dict) and (inner := _inner_model(model, key)):
            check_fields(inner, value)


def _annotations(model: type) -> dict[str, Any]:
    return {
        name: kind
        for base in reversed(model.__mro__)
        for name, kind in getattr(base, "__annotations__", {}).items()
    }


def _inner_model(model: type, key: str) -> type | None:
    """Give the class written inside a model for one of its fields, if there is one."""
    words = str(_annotations(model)[key])
    inner = "".join(part.capitalize() for part in key.split("_"))
    return getattr(model, inner, None) if inner in words else None


def test_the_api_version_is_the_one_of_the_library() -> None:
    assert sdk.api_version == API_VERSION


def test_a_parameter_stripe_does_not_know_is_refused(stripe: FakeStripe) -> None:
    client = sdk.StripeClient(SECRET_KEY, base_addresses={"api": stripe.origin})
    for extra in ({"payment_method_types": ["card"]}, {"colour": "red"}):
        with pytest.raises(sdk.InvalidRequestError):
            client.v1.checkout.sessions.create(extra)  # type: ignore[arg-type]  # wrong on purpose


def test_new_events_reach_the_shop_at_once(
    stripe_driver: StripeDriver, receiver: Receiver
) -> None:
    stripe_driver.fake.hooks.url = receiver.url
    stripe_driver.fake.bank.pay(begin(stripe_driver))
    assert "checkout.session.completed" in receiver.bodies[-1]


def test_held_events_come_as_often_and_in_the_order_one_likes(
    stripe_driver: StripeDriver, receiver: Receiver
) -> None:
    hooks = stripe_driver.fake.hooks
    hooks.url, hooks.mode = receiver.url, "hold"
    session = begin(stripe_driver)
    stripe_driver.fake.bank.pay(session)
    stripe_driver.fake.bank.refund(session)
    assert receiver.bodies == []
    answers = hooks.deliver(times=2, order=lambda events: events[::-1])
    assert answers == [200] * 6
    assert "charge.refunded" in receiver.bodies[0]
    assert "checkout.session.completed" in receiver.bodies[-1]
    assert hooks.deliver() == []


def test_dropped_events_never_come(
    stripe_driver: StripeDriver, receiver: Receiver
) -> None:
    hooks = stripe_driver.fake.hooks
    hooks.url, hooks.mode = receiver.url, "drop"
    stripe_driver.fake.bank.pay(begin(stripe_driver))
    hooks.mode = "now"
    hooks.catch_up()
    assert (hooks.deliver(), receiver.bodies) == ([], [])


def test_what_was_not_taken_is_sent_again_on_demand(
    stripe_driver: StripeDriver, receiver: Receiver
) -> None:
    hooks = stripe_driver.fake.hooks
    hooks.url, receiver.answers = receiver.url, [503, 500]
    stripe_driver.fake.bank.pay(begin(stripe_driver))
    assert [hooks.retry(), hooks.retry(), hooks.retry()] == [[500], [200], []]


def test_the_same_news_can_come_under_another_name(
    stripe_driver: StripeDriver,
) -> None:
    stripe_driver.fake.bank.pay(begin(stripe_driver))
    [event] = stripe_driver.fake.hooks.held
    assert again(event)["id"] != event["id"]
    assert again(event)["data"] == event["data"]


def test_it_runs_as_a_program_and_obeys_from_outside(receiver: Receiver) -> None:
    command = [sys.executable, "-m", "tests.providers.fake_stripe"]
    with subprocess.Popen(
        [*command, "--hook", receiver.url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as program:
        try:
            assert program.stdout
            origin = program.stdout.readline().strip()
            session = buy(origin)
            assert order(origin, "bank/pay", name=session, email="bo@example.org")
            wait_until(lambda: "checkout.session.completed" in "".join(receiver.bodies))
            assert "bo@example.org" in "".join(receiver.bodies)
            order(origin, "hooks", mode="drop")
            order(origin, "bank/advance", duration=timedelta(days=1).total_seconds())
            refused = requests.post(f"{origin}/_fake/bank/lock", json={}, timeout=5)
            assert refused.status_code == 400
        finally:
            program.terminate()


def buy(origin: str) -> str:
    """Start a session at the program, with Stripe's library."""
    client = sdk.StripeClient(SECRET_KEY, base_addresses={"api": origin})
    return client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "http://127.0.0.1:8000/return/stripe",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 1500,
                        "product_data": {"name": "A book"},
                    },
                }
            ],
        }
    ).id


def order(origin: str, path: str, **arguments: object) -> dict[str, Any]:
    """Have the program do something."""
    answer = requests.post(f"{origin}/_fake/{path}", json=arguments, timeout=5)
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found
