"""A purchase passes the rooms that CONTRIBUTING names, downwards, and in this order."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from handsel import worker
from handsel.shop import Shop
from tests import make
from tests.ops.keeping import buy, press

SALE = [
    *("sales.checkout.prepare", "sales.pricing.quote"),
    *("sales.payments.test.start", "sales.placing.place"),
    *("sales.payments.test.look_up", "sales.orders.record", "sales.standing.sum_up"),
    *("delivery.fulfilment.fulfil", "customers.customers.find_or_create"),
    *("outbound.emails.receipt", "outbound.outbox.put"),
]
MAIL = [
    *("outbound.post.deliver_due", "outbound.outbox.claim", "outbound.letters.write"),
    *("outbound.compose.compose", "outbound.transports.folder.send"),
    "outbound.outbox.done",
]
DOWNLOAD = ["delivery.access.press"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_purchase_enters_these_rooms_in_this_order(shop: Shop) -> None:
    product = make.product(shop)

    assert entered(lambda: buy(shop)) == SALE
    assert entered(lambda: worker.turn(shop)) == MAIL
    assert entered(lambda: press(shop, "H-1001", product, "browser")) == DOWNLOAD


def entered(work: Callable[[], object]) -> list[str]:
    """Do some work, and name the doors it passes, each where it is passed first."""
    found: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        room = str(frame.f_globals.get("__name__", "")).removeprefix("handsel.")
        door = f"{room}.{frame.f_code.co_name}"
        if event == "call" and door in (*SALE, *MAIL, *DOWNLOAD):
            found.setdefault(door)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return list(found)
