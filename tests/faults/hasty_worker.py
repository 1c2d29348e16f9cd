"""A worker as it must not be: it marks mails as sent, then sends them.

Only for the negative control of the fault cases: `python -m tests.faults.hasty_worker HOME`.
"""

import sys
import threading
from pathlib import Path

from handsel.outbound import outbox, post
from handsel.outbound.compose import seal
from handsel.shop import Shop, open_shop


def work(shop: Shop) -> None:
    """Take some mails, tick them off, and only then hand them over."""
    room = shop.mailroom()
    with shop.transaction() as session:
        items = outbox.claim(session, shop.now())
        for item in items:
            outbox.done(session, item, shop.now())
    with room.transport.connect() as carrier:
        for item in items:
            carrier.send(seal(*post.write(room, item)))


if __name__ == "__main__":
    opened = open_shop(Path(sys.argv[1]))
    while True:
        work(opened)
        threading.Event().wait(0.1)
