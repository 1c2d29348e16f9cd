"""Marking what was sent: senders that wait at the same time share one transaction."""

import threading
from dataclasses import dataclass, field

from handsel.models.database import Database
from handsel.outbound import recipients
from handsel.outbound.recipients import Sent


@dataclass
class _Group:
    sent: list[Sent] = field(default_factory=list)
    written: bool = False


class Marks:
    """The marks of all senders of a process; one object for all of them.

    While one of them writes, the next group gathers. A transaction and a statement of
    its own for each mail would cost the interpreter more than handing the mail over.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
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
            if (
                self._group is group
            ):  # else writing it failed before, for another sender
                self._group = _Group()
        with self._database.transaction(sync=False) as session:
            recipients.done(session, group.sent)
        group.written = True
