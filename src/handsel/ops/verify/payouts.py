"""What is true of payouts: I14."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.models import Payout
from handsel.ops.verify.invariant import Invariant, listed, result
from handsel.sales import payouts


def payouts_add_up(session: Session) -> Invariant:
    """I14: a payout whose lines are read is as much as they are, to the cent."""
    total = session.scalar(
        select(func.count()).where(
            Payout.lines_read_at.is_not(None), Payout.state.not_in(payouts.LOST)
        )
    )
    wrong = [each.object_id for each in payouts.not_adding_up(session)]
    return result(
        "I14",
        f"Each of the {total} payouts is, to the cent, what it is made up of.",
        listed("Payouts that are not", wrong),
    )
