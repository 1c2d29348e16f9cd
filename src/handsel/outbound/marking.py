"""Marking what was sent: senders that wait at the same time share one transaction."""

import threading
from dataclasses import dataclass, field

from sqlalchemy import Connection

from handsel.outbound import recipients
from handsel.outbound.recipients import Sent


@dataclass
class _Group:
    sent: list[Sent] = field(default_factory=list)
    written: bool = False


class Marks:
    """The marks of all senders of a process; one object for all of them.

    While one of them writes, the next group gathers.

    Args:
        connection: from `Database.unsynced`, and nobody else's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._group = _Group()

    def add(self, mail: Sent) -> None:
        """Mark a mail as sent; on return that is on disk. Raises what the database does."""
        with self._guard:
            group = self._group
            group.sent.append(mail)
        with self._turn:
            if not group.written:
                self._write(group)

    def _write(self, group: _Group) -> None:
        with self._guard:
            # Else writing it failed before, for another sender.
            if self._group is group:
                self._group = _Group()
        try:
            with self._connection.begin():
                recipients.done(self._connection, group.sent)
        except BaseException:
            # A COMMIT that failed can leave its transaction open, for the next ones.
            self._connection.invalidate()
            raise
        group.written = True
