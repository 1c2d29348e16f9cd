"""What several fault cases do alike: many at once, and a race on one payment."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import delete, select

from handsel.models import Order
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import Visitor


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Start all of these at one moment; give what each gave."""
    barrier = threading.Barrier(len(works))

    def go(work: Callable[[], Any]) -> Any:
        barrier.wait(20)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(go, works))


def race(till: Till, rounds: int) -> list[float]:
    """Let four learn of one payment at one moment, many times over.

    Web hook, the same news under another name, the buyer's return, and the reconciler;
    in every other round the database has forgotten the order. Fails when any of them
    does not see the one order. Gives the seconds that each return took.
    """
    till.far.hooks.mode = "hold"
    buyer = till.visitor()
    took = []
    for number in range(rounds):
        till.move(seconds=2)
        name = till.begin(buyer)
        if number % 2:
            forget(till, name)
        till.far.hooks.held.clear()
        till.far.bank.pay(name, email=f"reader{number}@example.com")
        took.append(_one_round(till, buyer, name))
    counted = rows(till.shop)
    for table in ("orders", "ledger", "entitlements", "outbox"):
        assert counted[table] == rounds, (
            f"{counted[table]} {table} of {rounds} payments"
        )
    assert untrue(till.shop) == {}
    return took


def forget(till: Till, name: str) -> None:
    """Lose the order of a session, as an old backup would."""
    with till.shop.transaction() as session:
        session.execute(delete(Order).where(Order.session_id == name))


def _one_round(till: Till, buyer: Visitor, name: str) -> float:
    hooks = till.far.hooks
    (event,) = hooks.held

    def come_back() -> tuple[str, float]:
        began = time.perf_counter()
        place = till.come_back(buyer, name).headers.get("Location", "no order")
        return place, time.perf_counter() - began

    hook, copy, (place, took), found = at_once(
        lambda: hooks.send(event),
        lambda: hooks.send(hooks.again(event)),
        come_back,
        lambda: till.reconcile(seconds=1),
    )
    with till.shop.reading() as session:
        made = session.scalars(select(Order.id).where(Order.session_id == name)).all()
    assert len(made) == 1, f"{len(made)} orders of one payment"
    assert (hook, copy, found.failed) == (200, 200, ())
    assert place == till.link(name)
    return float(took)


def percentile(values: Sequence[float], part: float) -> float:
    """Give the value that so much of the others do not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]
