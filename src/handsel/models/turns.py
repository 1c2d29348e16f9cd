"""Writers of one SQLite file, in turn: fairly, and several to one commit.

SQLite lets one write at a time, and its own way of waiting lets some starve for a second
and more; so writers queue here, in the order they came. A commit costs a sync of the
disk, so writers that wait already share one: each runs in a savepoint of its own, and
nobody is told "done" before the shared commit is on disk.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.orm import Session

from handsel.kit.errors import TryAgainError

MOST_TOGETHER = 32
"""How many writers share a commit at most, so that other processes get their turn."""


class DatabaseBusyError(TryAgainError):
    """The database could not be written to in time; nothing was changed."""


def _busy() -> DatabaseBusyError:
    return DatabaseBusyError(
        "The shop cannot write anything down at the moment.",
        "Nothing is lost. Please try again in a minute.",
    )


class FairLock:
    """A lock that serves its waiters in the order they came, or not at all.

    Args:
        patience: seconds after which a waiter gives up.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def acquire(self) -> None:
        """Wait for one's turn. Raises DatabaseBusyError when patience ends."""
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if not turn.acquire(timeout=self._patience):
            self._give_up(turn)

    def _give_up(self, turn: threading.Lock) -> None:
        with self._guard:
            if turn not in self._waiting:
                return  # it became our turn at the last moment
            self._waiting.remove(turn)
        raise _busy()

    def pass_on(self) -> bool:
        """Give the turn to whoever waits longest; False, and keep it, if nobody does."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
                return True
            return False

    def release(self) -> None:
        """Give the turn to whoever waits longest, or to whoever comes next."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


@dataclass
class _Shared:
    """One transaction that several writers share."""

    connection: Connection
    transaction: RootTransaction
    writers: int = 0
    failed: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class Turns:
    """The writers of one engine, whose `begin` must take the write lock at once."""

    def __init__(self, engine: Engine, patience: float) -> None:
        self._engine = engine
        self._lock = FairLock(patience)
        self._shared: _Shared | None = None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing, as if alone; returns when the shared commit is on disk.

        Raises DatabaseBusyError when the turn or the commit did not come.
        """
        self._lock.acquire()
        try:
            shared = self._shared = self._shared or self._begin()
        except BaseException:
            self._lock.release()
            raise
        try:
            with (
                Session(
                    shared.connection,
                    join_transaction_mode="create_savepoint",
                    expire_on_commit=False,
                ) as session,
                session.begin(),
            ):
                yield session
        except BaseException:
            self._leave(shared)
            raise
        self._leave(shared)
        shared.over.wait()
        if shared.failed:
            raise _busy()

    def _begin(self) -> _Shared:
        connection = self._engine.connect()
        try:
            return _Shared(connection, connection.begin())
        except BaseException:
            connection.close()
            raise

    def _leave(self, shared: _Shared) -> None:
        """Let the next writer share the transaction, or end it."""
        shared.writers += 1
        if (
            _is_whole(shared)
            and shared.writers < MOST_TOGETHER
            and self._lock.pass_on()
        ):
            return
        self._shared = None
        try:
            self._end(shared)
        finally:
            shared.over.set()
            self._lock.release()

    def _end(self, shared: _Shared) -> None:
        shared.failed = True
        try:
            if _is_whole(shared):
                shared.transaction.commit()
                shared.failed = False
        finally:
            shared.connection.close()


def _is_whole(shared: _Shared) -> bool:
    """Say whether the transaction still stands.

    A full disk or a failed read makes SQLite roll all of it back by itself; committing
    then would report success for nothing.
    """
    driver = shared.connection.connection.driver_connection
    return driver is not None and bool(driver.in_transaction)
