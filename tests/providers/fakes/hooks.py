"""Web hooks of a fake provider: signed, and late, twice, out of order or never."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import requests

from tests.providers.fakes.bank import Bank, Obj

Mode = Literal["now", "hold", "drop"]


@dataclass(frozen=True)
class Message:
    """One web hook as it goes over the line; header names are lower case."""

    headers: dict[str, str]
    body: bytes


class Hooks(ABC):
    """Sends what happens at the bank to a shop.

    `mode` says what becomes of new events: sent at once, held for `deliver`, or lost.
    Without a `url` everything is held.
    """

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.url: str | None = None
        self.mode: Mode = "now"
        self.held: list[Obj] = []
        self.failed: list[Obj] = []
        self._next = 0
        self._lock = threading.Lock()
        bank.announce = self.catch_up

    @abstractmethod
    def signed(self, event: Obj) -> Message:
        """Write and sign an event as it is sent at this moment."""

    @abstractmethod
    def again(self, event: Obj) -> Obj:
        """Give the same news under a new name."""

    @abstractmethod
    def about(self, event: Obj, name: str) -> Obj:
        """Give the same news about another payment."""

    @abstractmethod
    def ignored(self, event: Obj) -> dict[str, Obj]:
        """Give true news that change nothing in a shop."""

    @abstractmethod
    def forgeries(self, event: Obj) -> dict[str, Message]:
        """Give every way to lie that we know of, made from a good event."""

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
        status = self.post(self.signed(event))
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
