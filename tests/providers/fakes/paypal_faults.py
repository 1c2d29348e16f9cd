"""Bad days of the fake PayPal, for all calls or for those of one kind."""

import threading
from dataclasses import dataclass
from typing import Literal

Kind = Literal["fail", "lose", "hang"]


@dataclass
class _Fault:
    kind: Kind
    count: int
    only: str
    status: int = 500
    issue: str = ""


class PayPalFaults:
    """What goes wrong with the next calls of the API; the payment page is spared.

    `only` chooses calls whose method and path contain it, such as `/capture`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._seconds = 0.0
        self._faults: list[_Fault] = []
        self.held = threading.Event()
        """Set once somebody hangs, waiting for a lost answer."""

    def slow(self, seconds: float) -> None:
        """Let every call take so much longer, from now on; 0 ends it."""
        self._seconds = seconds

    def fail_next(
        self, count: int, status: int = 500, *, issue: str = "", only: str = ""
    ) -> None:
        """Answer the next calls with this status, and do nothing; 0 ends it."""
        self._set(_Fault("fail", count, only, status, issue))

    def lose_next(self, count: int, *, only: str = "", hang: bool = False) -> None:
        """Do what the next calls ask, and hang up without an answer, or only at the end."""
        self._set(_Fault("hang" if hang else "lose", count, only))

    def _set(self, fault: _Fault) -> None:
        with self._lock:
            if fault.count:
                self._faults.append(fault)
            else:
                self._faults.clear()

    def wait(self) -> None:
        """Take the time that `slow` says, or less when the server stops."""
        self._over.wait(self._seconds)

    def of(self, call: str) -> _Fault | None:
        """Give what is to go wrong with this call, and count it."""
        with self._lock:
            for fault in self._faults:
                if fault.count and fault.only in call:
                    fault.count -= 1
                    return fault
        return None

    def linger(self) -> None:
        """Keep somebody waiting for the lost answer until the end."""
        self.held.set()
        self._over.wait()

    def stop(self) -> None:
        """Let everybody go who waits."""
        self._over.set()
