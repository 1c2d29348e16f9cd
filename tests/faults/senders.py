"""A process that sends a mail to everyone: ours, and two as they must not be.

`python -m tests.faults.senders HOME CAMPAIGN MINUTES KIND`, where MINUTES is how far its
clock is ahead, so that the leases of a killed one are over, and KIND is `ours`,
`mark-first` or `mark-after-a-slice`.
"""

import sys
import threading
from datetime import timedelta
from pathlib import Path

from handsel.outbound import announcing, broadcast, recipients
from handsel.outbound.announcing import Writer
from handsel.outbound.recipients import Sent
from handsel.shop import Shop, open_shop, utc_now


def ours(shop: Shop, campaign_id: int) -> None:
    """As the worker does it."""
    broadcast.send(shop.mailroom(), campaign_id, threading.Event())


def in_slices(shop: Shop, campaign_id: int, *, mark_first: bool) -> None:
    """Mark fifty mails and send them, or send fifty and mark them."""
    room = shop.mailroom()
    with room.database.reading() as session:
        told = announcing.of_campaign(session, campaign_id)
    with room.transport.connect() as carrier:
        while True:
            with room.database.transaction() as session:
                batch = recipients.claim(session, campaign_id, room.clock(), 50)
            if not batch:
                return
            writer = Writer(room, told, announcing.campaign_name(campaign_id))
            if mark_first:
                mark(shop, batch)
            for one in batch:
                carrier.send(writer.write(one))
            if not mark_first:
                mark(shop, batch)


def mark(shop: Shop, batch: list[recipients.Addressee]) -> None:
    """Mark a whole slice."""
    with shop.transaction() as session:
        recipients.done(
            session.connection(), [Sent(one.id, shop.now()) for one in batch]
        )


def send(home: Path, campaign_id: int, minutes: int, kind: str) -> None:
    """Open the shop with a clock that is so far ahead, and send until nothing is due."""
    ahead = timedelta(minutes=minutes)
    shop = open_shop(home, clock=lambda: utc_now() + ahead)
    if kind == "ours":
        ours(shop, campaign_id)
    else:
        in_slices(shop, campaign_id, mark_first=kind == "mark-first")
    shop.close()


if __name__ == "__main__":
    home, campaign, minutes, kind = sys.argv[1:]
    send(Path(home), int(campaign), int(minutes), kind)
