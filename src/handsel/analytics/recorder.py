"""From the pages to the database, without a page ever waiting for it."""

import atexit
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from handsel.analytics import events
from handsel.analytics.countries import LookUp
from handsel.analytics.events import Counted
from handsel.analytics.sightings import Sighting
from handsel.kit.signing import Keys
from handsel.models.database import Database
from handsel.models.turns import DatabaseBusyError
from handsel.settings import is_loopback

log = logging.getLogger("handsel.analytics")

MOST_WAITING = 20_000
"""Sightings kept while the database cannot take them; those before are forgotten."""
AT_ONCE = 50
"""Written in one transaction, so that a sale never waits long for what is counted."""
GAP_SECONDS = 1.0
MOST_A_MINUTE = 120
"""Sightings of one address that are counted: a school may share one."""

Also = Callable[[Session, Sequence[Counted]], None]
"""What else is done with what was counted, in the same transaction."""


def nothing(_session: Session, _counted: Sequence[Counted]) -> None:
    """Do nothing else with it."""


class Recorder:
    """Takes what pages see, and writes it down beside them, a little later.

    Nothing of it may ever hinder anybody who buys: what the database does not take is
    kept for a while, then forgotten. What was taken less than a second before the
    process is killed is lost. The thread begins with the first sighting, so that it also
    lives in processes that were forked.
    """

    def __init__(
        self, database: Database, keys: Keys, look_up: LookUp, also: Also = nothing
    ) -> None:
        self._also = also
        self._database = database
        self._keys = keys
        self._look_up = look_up
        self._waiting: deque[Sighting] = deque(maxlen=MOST_WAITING)
        self._news = threading.Event()
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._complained: date | None = None
        self._minute = 0
        self._often: Counter[str] = Counter()

    def note(self, seen: Sighting) -> None:
        """Take one sighting; costs microseconds and raises nothing."""
        if self._is_too_often(seen):
            return
        self._waiting.append(seen)
        if self._thread is None:
            self._begin()
        if seen.purchase:  # the visit of a sale is worth writing down at once
            self._news.set()

    def _is_too_often(self, seen: Sighting) -> bool:
        """Whether one address does what nobody does, who sells to whom aside."""
        if seen.purchase or is_loopback(seen.address):
            return False  # a sale; or a proxy that nobody told us of
        minute = int(seen.at.timestamp()) // 60
        if minute != self._minute:
            self._minute, self._often = minute, Counter()
        self._often[seen.address] += 1
        return self._often[seen.address] > MOST_A_MINUTE

    def flush(self) -> None:
        """Write down all that waits. For one thread after the other."""
        with self._turn:
            while self._waiting:
                batch = [
                    self._waiting.popleft()
                    for _ in range(min(AT_ONCE, len(self._waiting)))
                ]
                if not self._write(batch):
                    return

    def close(self) -> None:
        """Write down what waits, and end the thread. Safe to repeat."""
        self._stop.set()
        self._news.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        self.flush()
        atexit.unregister(self.close)

    def _begin(self) -> None:
        with self._turn:
            if self._thread is None and not self._stop.is_set():
                thread = threading.Thread(target=self._run, name="visits", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # this machine has no room for one: the next page
                    log.warning("There is no thread for counting visits now.")
                    return
                self._thread = thread
                atexit.register(self.close)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._news.wait(GAP_SECONDS)
            self._news.clear()
            self.flush()

    def _write(self, batch: Sequence[Sighting]) -> bool:
        """Write one batch; say whether to go on."""
        try:
            with self._database.transaction() as session:
                counted = events.write(session, self._keys, batch, self._look_up)
                self._also(session, counted)
        except Exception as error:  # noqa: BLE001  # nothing here may end the thread
            if _passes(error):
                self._waiting.extendleft(reversed(batch))
                return False
            return self._without_the_bad_one(batch, error)
        return True

    def _without_the_bad_one(self, batch: Sequence[Sighting], error: Exception) -> bool:
        """Write each by itself, so that one that is refused takes no others along."""
        if len(batch) == 1:
            self._complain(batch[0].at.date(), error)
            return "no such table" not in str(error)
        return all(self._write([each]) for each in batch)

    def _complain(self, today: date, error: Exception) -> None:
        """Say once a day that visits are lost: a log is no place to count them."""
        if self._complained != today:
            self._complained = today
            log.error("Visits cannot be written down, and are forgotten: %s", error)


def _passes(error: Exception) -> bool:
    """Say whether it may work later: the database is busy, away or full.

    SQLite says in the same way that there is no such table, which does not pass.
    """
    if isinstance(error, OperationalError):
        return "no such table" not in str(error.orig)
    return isinstance(error, DatabaseBusyError | InterfaceError)
