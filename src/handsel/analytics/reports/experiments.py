"""What the variants of an experiment have come to."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.analytics import money
from handsel.analytics.stats import Arm
from handsel.models import Experiment, Exposure, LedgerEntry, Order, OrderVariant


def arms(session: Session, found: Experiment, *, test: bool) -> list[Arm]:
    """Count the visitors of each variant, those who bought, and what they brought.

    Money is read from the ledger itself, whenever it came and went: a refund counts for
    the variant of its sale, and somebody who got all back has bought. So has who paid in
    another currency, whose amount cannot be added up and is none.

    Args:
        test: count test purchases instead of the real ones.
    """
    visitors = _visitors(session, found)
    brought: dict[str, Counter[int]] = {each.name: Counter() for each in found.variants}
    for variant, visitor, amount in _sales(session, found, test=test):
        brought[variant][visitor] += amount
    return [
        Arm(
            name,
            visitors=visitors[name],
            buyers=len(people),
            revenue=sum(people.values()),
            squares=sum(amount**2 for amount in people.values()),
        )
        for name, people in brought.items()
    ]


def _visitors(session: Session, found: Experiment) -> Counter[str]:
    rows = session.execute(
        select(Exposure.variant, func.count())
        .where(Exposure.experiment_id == found.id)
        .group_by(Exposure.variant)
    )
    return Counter({variant: int(count) for variant, count in rows})


def _sales(
    session: Session, found: Experiment, *, test: bool
) -> Iterator[tuple[str, int, int]]:
    """Give variant, visitor, and what is left of the money, for each sale.

    Who paid in another currency has bought as well; it cannot be added up.
    """
    rows = session.execute(
        select(
            OrderVariant.variant,
            OrderVariant.visitor,
            Order.provider,
            Order.currency,
            LedgerEntry,
        )
        .join(Order, Order.id == OrderVariant.order_id)
        .join(LedgerEntry, LedgerEntry.order_id == Order.id)
        .where(OrderVariant.experiment_id == found.id, Order.test == test)
        .order_by(Order.id, LedgerEntry.id)
    )
    for _, group in groupby(rows, key=lambda row: row.LedgerEntry.order_id):
        facts = list(group)
        amount = money.brought(facts[0].provider, [row.LedgerEntry for row in facts])
        if amount is not None:
            ours = facts[0].currency == found.currency
            yield facts[0].variant, facts[0].visitor, amount if ours else 0
