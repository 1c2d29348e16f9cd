"""Web hooks of the fake Stripe, and forged ones: every way to lie that we know of."""

import gzip
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.providers.fakes.bank import Obj
from tests.providers.fakes.hooks import Hooks, Message
from tests.providers.fakes.stripe_bank import FakeBank
from tests.providers.fakes.stripe_objects import new_id


def signature(body: bytes, secret: str, at: datetime, scheme: str = "v1") -> str:
    """Sign a body as Stripe does."""
    stamp = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return f"t={stamp},{scheme}={mac.hexdigest()}"


def message(event: Obj, secret: str, at: datetime) -> Message:
    """Write and sign an event."""
    return _signed(json.dumps(event, indent=2).encode(), secret, at)


def again(event: Obj) -> Obj:
    """Give the same news under a new name."""
    return event | {"id": new_id("evt")}


def _signed(body: bytes, secret: str, at: datetime) -> Message:
    return _with(body, signature(body, secret, at))


def _with(body: bytes, header: str, kind: str = "application/json") -> Message:
    return Message({"stripe-signature": header, "content-type": kind}, body)


def _body(event: Obj) -> bytes:
    return json.dumps(event).encode()


def _unsigned(event: Obj, secret: str, now: datetime) -> Message:
    return Message({"content-type": "application/json"}, _body(event))


def _cut(event: Obj, secret: str, now: datetime) -> Message:
    return _with(_body(event), signature(_body(event), secret, now)[:-8])


def _v0(event: Obj, secret: str, now: datetime) -> Message:
    return _with(_body(event), signature(_body(event), secret, now, "v0"))


def _changed(event: Obj, secret: str, now: datetime) -> Message:
    good = message(event, secret, now)
    return Message(good.headers, good.body.replace(b"evt_", b"evt_x"))


def _two_times(event: Obj, secret: str, now: datetime) -> Message:
    """An old signature, made to look new by a second time in front of it."""
    old = signature(_body(event), secret, now - timedelta(days=1))
    return _with(_body(event), f"t={int(now.timestamp())},{old}")


def _doubled(event: Obj, secret: str, now: datetime) -> Message:
    body = _body(event).replace(b'{"id"', b'{"id": "evt_other", "id"', 1)
    return _signed(body, secret, now)


def _zipped(event: Obj, secret: str, now: datetime) -> Message:
    good = message(event, secret, now)
    return Message(
        good.headers | {"content-encoding": "gzip"}, gzip.compress(good.body)
    )


def _form(event: Obj, secret: str, now: datetime) -> Message:
    body = b"id=evt_1&type=checkout.session.completed"
    return _with(
        body, signature(body, secret, now), "application/x-www-form-urlencoded"
    )


FORGERIES: dict[str, Callable[[Obj, str, datetime], Message]] = {
    "no signature": _unsigned,
    "empty signature": lambda event, secret, now: _with(_body(event), ""),
    "no letters": lambda event, secret, now: _with(_body(event), "t=,v1="),
    "cut signature": _cut,
    "other secret": lambda event, secret, now: message(event, "whsec_other" * 3, now),
    "empty secret": lambda event, secret, now: message(event, "", now),
    "scheme v0": _v0,
    "changed body": _changed,
    "too old": lambda e, secret, now: message(e, secret, now - timedelta(seconds=301)),
    "future": lambda e, secret, now: message(e, secret, now + timedelta(seconds=301)),
    "two times": _two_times,
    "other mode": lambda e, secret, now: message(e | {"livemode": True}, secret, now),
    "no mode": lambda e, secret, now: message(e | {"livemode": None}, secret, now),
    "other account": lambda event, secret, now: message(
        event | {"account": "acct_somebody"}, secret, now
    ),
    "thin event": lambda event, secret, now: message(
        event | {"object": "v2.core.event"}, secret, now
    ),
    "no object": lambda event, secret, now: message(event | {"data": 1}, secret, now),
    "a list": lambda event, secret, now: _signed(b"[1, 2]", secret, now),
    "empty body": lambda event, secret, now: _signed(b"", secret, now),
    "deep body": lambda event, secret, now: _signed(b"[" * 200_000, secret, now),
    "doubled key": _doubled,
    "utf-16": lambda event, secret, now: _signed(
        json.dumps(event).encode("utf-16"), secret, now
    ),
    "latin-1": lambda event, secret, now: _signed(
        _body(event).replace(b"evt_", b"\xe4vt_"), secret, now
    ),
    "zipped": _zipped,
    "form": _form,
}
"""Each makes a message that must be refused, from a good event and our secret."""


class StripeHooks(Hooks):
    """Web hooks with a signature of Stripe's."""

    def __init__(self, bank: FakeBank, secret: str) -> None:
        super().__init__(bank)
        self.secret = secret

    def signed(self, event: Obj) -> Message:
        return message(event, self.secret, self.bank.now)

    def again(self, event: Obj) -> Obj:
        return again(event)

    def about(self, event: Obj, name: str) -> Obj:
        return event | {"data": {"object": event["data"]["object"] | {"id": name}}}

    def ignored(self, event: Obj) -> dict[str, Obj]:
        charge = {"id": "ch_1", "object": "charge", "payment_intent": None}
        of_no_session = {"type": "charge.refunded", "data": {"object": charge}}
        unknown = self.about(event, "cs_test_1") | {"type": "customer.created"}
        return {"unknown type": unknown, "money of no session": event | of_no_session}

    def forgeries(self, event: Obj) -> dict[str, Message]:
        now = self.bank.now
        return {name: make(event, self.secret, now) for name, make in FORGERIES.items()}
