"""Bad days of the fake Stripe: slow, failing, or silent after the work is done."""

import threading


class Faults:
    """What goes wrong with the next calls of the API; the payment page is spared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._seconds = 0.0
        self._failing = 0
        self._status = 500
        self._losing = 0
        self._spared = 0
        self._hangs = False
        self.held = threading.Event()
        """Set once somebody hangs, waiting for a lost answer."""

    def slow(self, seconds: float) -> None:
        """Let every call take so much longer, from now on; 0 ends it."""
        self._seconds = seconds

    def fail_next(self, count: int, status: int = 500) -> None:
        """Answer the next calls with this status, and do nothing."""
        with self._lock:
            self._failing, self._status = count, status

    def lose_next(self, count: int, *, spare: int = 0, hang: bool = False) -> None:
        """Do what the next calls ask, and hang up without an answer.

        `spare`: how many calls before them are answered; `hang`: hang up only at the end.
        """
        with self._lock:
            self._losing, self._spared, self._hangs = count, spare, hang

    def linger(self) -> None:
        """Keep somebody waiting for the lost answer, if they are to hang."""
        if self._hangs:
            self.held.set()
            self._over.wait()

    def wait(self) -> None:
        """Take the time that `slow` says, or less when the server stops."""
        self._over.wait(self._seconds)

    def failure(self) -> int | None:
        """Give the status to fail with, if this call is to fail."""
        with self._lock:
            failing, self._failing = self._failing > 0, max(0, self._failing - 1)
            return self._status if failing else None

    def loss(self) -> bool:
        """Say whether the answer to this call is to be lost."""
        with self._lock:
            if self._spared:
                self._spared -= 1
                return False
            losing, self._losing = self._losing > 0, max(0, self._losing - 1)
            return losing

    def stop(self) -> None:
        """Let everybody go who waits."""
        self._over.set()
