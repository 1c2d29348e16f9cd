"""Who hands mails over: the shop, and the bare loop it is measured against.

Each runs in a process of its own, for some seconds.
"""

import smtplib
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import buyers
from benchmarks.purchases import opened
from handsel.outbound import announcing, broadcast, recipients
from handsel.outbound.announcing import Writer
from handsel.outbound.post import Mailroom
from handsel.outbound.transports.base import Envelope

FINISHED = 2000
"""How many finished mails the bare loop hands over again and again."""


@dataclass(frozen=True)
class HandedOver:
    """How many mails were taken by the server, and in how many seconds."""

    mails: int = 0
    took: float = 0.0

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.took

    def __add__(self, other: "HandedOver") -> "HandedOver":
        """Give both together."""
        return HandedOver(self.mails + other.mails, self.took + other.took)


def ours(
    home: Path, campaign: int, seconds: float, *, connections: int | None = None
) -> HandedOver:
    """Send as the worker does: lease, write, hand over, mark each."""
    with opened(home) as shop:
        room, stop = shop.mailroom(), threading.Event()
        if connections:
            room = _with(room, connections)
        before = buyers.sent(shop, campaign)
        clock = threading.Timer(seconds, stop.set)
        begin = time.perf_counter()
        clock.start()
        broadcast.send(room, campaign, stop)
        took = time.perf_counter() - begin
        clock.cancel()
        return HandedOver(buyers.sent(shop, campaign) - before, took)


def _with(room: Mailroom, connections: int) -> Mailroom:
    mail = room.settings.mail.model_copy(update={"connections": connections})
    return replace(room, settings=room.settings.model_copy(update={"mail": mail}))


def bare(home: Path, campaign: int, seconds: float, port: int) -> HandedOver:
    """Hand over the same mails, finished before, in a loop of smtplib."""
    finished, mails = _finished(home, campaign), 0
    begin = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        while time.perf_counter() - begin < seconds:
            mail = finished[mails % len(finished)]
            client.sendmail(mail.sender, [mail.recipient], mail.content)
            mails += 1
    return HandedOver(mails, time.perf_counter() - begin)


def _finished(home: Path, campaign: int) -> list[Envelope]:
    with opened(home) as shop:
        room = shop.mailroom()
        with room.database.transaction() as session:
            told = announcing.of_campaign(session, campaign)
            batch = recipients.claim(session, campaign, room.clock(), FINISHED)
            recipients.put_back(session, batch)
        writer = Writer(room, told, f"campaign:{campaign}")
        return [writer.write(one) for one in batch]
