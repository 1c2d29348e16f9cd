"""What the records tell of payouts: unread, not adding up, or not arrived."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.models import BalanceReading, Payout
from handsel.ops.doctor.findings import Finding, Level
from handsel.sales import payouts

RECENT = timedelta(days=30)
"""How long after it was made a payout that did not arrive is named."""
MOST_NAMED = 5


def look(session: Session, now: datetime) -> Iterator[Finding]:
    """Name what keeps `handsel report payouts` from agreeing with the bank."""
    problems = session.scalars(
        select(BalanceReading.problem).where(BalanceReading.problem.is_not(None))
    )
    for problem in problems:
        yield Finding(
            "H080",
            Level.INFO,
            f"Payouts and fees are not all read: {problem}",
            "Sales do not need them; `handsel report payouts` does, and says no more than "
            "it knows.",
        )
    wrong = [each.object_id for each in payouts.not_adding_up(session)]
    if wrong:
        yield Finding(
            "H081",
            Level.WARNING,
            "Payouts are not what they are made up of: "
            f"{', '.join(wrong[:MOST_NAMED])}.",
            "`handsel report payouts PAYOUT_ID` shows the lines; read them again with "
            "`handsel reconcile --since DATE`.",
        )
    yield from _lost(session, now)


def _lost(session: Session, now: datetime) -> Iterator[Finding]:
    for each in session.scalars(
        select(Payout)
        .where(Payout.state.in_(payouts.LOST), Payout.created_at > now - RECENT)
        .order_by(Payout.id)
        .limit(MOST_NAMED)
    ):
        why = f" ({each.failure})" if each.failure else ""
        yield Finding(
            "H082",
            Level.WARNING,
            f"The payout {each.object_id} of {each.created_at:%Y-%m-%d} did not reach "
            f"your bank{why}.",
            "Its money is in your balance; look at your bank account in the provider's "
            "dashboard.",
        )
