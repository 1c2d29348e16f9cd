"""Web hooks of the fake Stripe: signed, and late, twice, out of order or never.

Forged ones are here too: `FORGERIES` names every way to lie that we know of.
"""

import gzip
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import requests

from tests.providers.fakes.stripe_bank import FakeBank
from tests.providers.fakes.stripe_objects import Obj, new_id

Mode = Literal["now", "hold", "drop"]


@dataclass(frozen=True)
class Message:
    """One web hook as it goes over the line; header names are lower case."""

    headers: dict[str, str]
    body: bytes


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


class Hooks:
    """Sends what happens at the bank to a shop.

    `mode` says what becomes of new events: sent at once, held for `deliver`, or lost.
    Without a `url` everything is held.
    """

    def __init__(self, bank: FakeBank, secret: str) -> None:
        self.bank = bank
        self.secret = secret
        self.url: str | None = None
        self.mode: Mode = "now"
        self.held: list[Obj] = []
        self.failed: list[Obj] = []
        self._next = 0
        self._lock = threading.Lock()
        bank.announce = self.catch_up

    def catch_up(self) -> None:
        """Deal with the events that are new."""
        with self._lock:
            events = self.bank.events[self._next :] if self._news() else []
            self._next += len(events)
            if self.mode == "hold" or (self.mode == "now" and not self.url):
                self.held += events
                return
        if self.mode == "now":
            for event in events:
                self.send(event)

    def deliver(
        self,
        *,
        times: int = 1,
        order: Callable[[list[Obj]], list[Obj]] = list,
    ) -> list[int]:
        """Send what is held, so many times, in this order; give the answers."""
        with self._lock:
            events, self.held = self.held, []
        return [self.send(event) for event in order(events * times)]

    def retry(self) -> list[int]:
        """Send again what was not answered with 2xx; give the answers."""
        with self._lock:
            events, self.failed = self.failed, []
        return [self.send(event) for event in events]

    def send(self, event: Obj) -> int:
        """Send one event now; give the status of the answer, 0 for none."""
        status = self.post(message(event, self.secret, self.bank.now))
        if not 200 <= status < 300:
            with self._lock:
                self.failed.append(event)
        return status

    def post(self, sent: Message) -> int:
        """Post any message, true or forged; give the status, 0 for no answer."""
        assert self.url, "say where the shop listens"
        try:
            return requests.post(
                self.url, sent.body, headers=sent.headers, timeout=20
            ).status_code
        except requests.RequestException:
            return 0

    def _news(self) -> bool:
        return len(self.bank.kept["event"]) > self._next
