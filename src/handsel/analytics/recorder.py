"""From the pages to the database, without a page ever waiting for it."""

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from handsel.analytics import events
from handsel.analytics.countries import LookUp
from handsel.analytics.events import Counted
from handsel.analytics.sightings import Sighting
from handsel.kit.signing import Keys
from handsel.models.database import Database
from handsel.models.turns import DatabaseBusyError

log = logging.getLogger("handsel.analytics")

MOST_WAITING = 20_000
"""Sightings kept while the database cannot take them; those before are forgotten."""
AT_ONCE = 200
"""Written in one transaction, so that a sale never waits long for what is counted."""
GAP_SECONDS = 1.0

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

    def note(self, seen: Sighting) -> None:
        """Take one sighting; costs microseconds and raises nothing."""
        self._waiting.append(seen)
        if self._thread is None:
            self._begin()
        if seen.purchase:  # the visit of a sale is worth writing down at once
            self._news.set()

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
                self._thread = threading.Thread(
                    target=self._run, name="visits", daemon=True
                )
                self._thread.start()
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
        except (DatabaseBusyError, SQLAlchemyError) as error:
            if _passes(error):
                self._waiting.extendleft(reversed(batch))
            else:
                self._complain(batch[-1].at.date(), error)
            return False
        except Exception:
            log.exception("Visits could not be counted.")
        return True

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
