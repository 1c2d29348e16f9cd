"""What every fake bank has: things it keeps, a clock, and news of what happened.

Every action is whole: it holds the lock, notes its events, and only after the lock is
free announces them, so that a web hook may ask back at once.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

Obj = dict[str, Any]
"""One object of an API, as JSON."""


class Bank:
    """The far side of a provider, without its words.

    Args:
        kinds: what is kept, beside events.
        start: what time it is when the bank opens; None means the real time. The
            clock of a given start stands still until `advance`.
    """

    def __init__(self, kinds: Iterable[str], start: datetime | None = None) -> None:
        self.lock = threading.RLock()
        self.announce: Callable[[], None] = lambda: None
        self.kept: dict[str, dict[str, Obj]] = {kind: {} for kind in (*kinds, "event")}
        self._start = start
        self._shift = timedelta()

    @property
    def now(self) -> datetime:
        """The bank's time, aware and in UTC."""
        return (self._start or datetime.now(UTC)) + self._shift

    @property
    def seconds(self) -> int:
        """The bank's time in whole seconds."""
        return int(self.now.timestamp())

    @property
    def events(self) -> list[Obj]:
        """Every event so far, oldest first."""
        with self.lock:
            return list(self.kept["event"].values())

    def get(self, kind: str, name: str) -> Obj:
        """Give one object. Raises KeyError."""
        with self.lock:
            return self.kept[kind][name]

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Hold the lock for one action, then announce what happened."""
        with self.lock:
            yield
        self.announce()

    def advance(self, duration: timedelta | float) -> None:
        """Move the time on, by so many seconds or a duration; what is due happens."""
        step = duration if isinstance(duration, timedelta) else timedelta(0, duration)
        with self.acting():
            self._shift += step
            self._expire_due()

    def tick(self) -> None:
        """Do what is due, if the real time has passed."""
        with self.acting():
            self._expire_due()

    def _expire_due(self) -> None:
        """End what nobody paid in time."""
