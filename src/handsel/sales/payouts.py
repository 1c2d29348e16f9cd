"""What was read of the seller's money at a provider, and how far: payouts and lines.

Everything may be noted any number of times, in any order, by several at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from handsel.models import BalanceLine, BalanceReading, Order, Payout
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import PayoutState
from handsel.sales.payments.lines import Line, PayoutFacts

FURTHER = {
    PayoutState.PENDING: 0,
    PayoutState.IN_TRANSIT: 1,
    PayoutState.PAID: 2,
    PayoutState.FAILED: 3,
    PayoutState.CANCELED: 3,
}
LOST = (PayoutState.FAILED, PayoutState.CANCELED)
"""What never arrived: the money is in the balance again, and in a later payout."""


@dataclass(frozen=True)
class Progress:
    """How far a balance has been read; None means not at all."""

    payouts_until: datetime | None
    lines_until: datetime | None


def first_sale(session: Session, provider: str, *, test: bool) -> datetime | None:
    """Say when the shop first sold by a provider; before that nothing is of interest."""
    return session.scalar(
        select(func.min(Order.created_at)).where(
            Order.provider == provider,
            Order.test.is_(test),
            Order.paid_at.is_not(None),
        )
    )


def progress(session: Session, provider: str, *, test: bool) -> Progress:
    """Say how far a balance has been read."""
    row = session.get(BalanceReading, (provider, test))
    return Progress(row.payouts_until, row.lines_until) if row else Progress(None, None)


def payouts_read(
    session: Session, provider: str, test: bool, until: datetime, now: datetime
) -> None:
    """Note that every payout made before `until` has been read."""
    _move(session, provider, test, "payouts_until", until, now)


def lines_read(
    session: Session, provider: str, test: bool, until: datetime, now: datetime
) -> None:
    """Note that every line from before `until` has been read."""
    _move(session, provider, test, "lines_until", until, now)


def _move(
    session: Session,
    provider: str,
    test: bool,
    name: str,
    until: datetime,
    now: datetime,
) -> None:
    """Move a mark on: another reader may have been further, but none beyond now."""
    insert_new(session, BalanceReading, provider=provider, test=test)
    mark = getattr(BalanceReading, name)
    rows_changed(
        session,
        update(BalanceReading)
        .where(_of(provider, test), or_(mark.is_(None), mark < until, mark > now))
        .values({mark: until}),
    )


def went(
    session: Session,
    provider: str,
    test: bool,
    problem: str,
    now: datetime,
    *,
    whole: bool,
) -> bool:
    """Note how a reading went; say whether the problem is news.

    `whole`: whether it came to its end, as far as there was no problem.
    """
    insert_new(session, BalanceReading, provider=provider, test=test)
    said: dict[str, object] = {"problem": problem or None}
    if whole and not problem:
        said["read_at"] = now
    before = session.scalar(select(BalanceReading.problem).where(_of(provider, test)))
    rows_changed(
        session, update(BalanceReading).where(_of(provider, test)).values(**said)
    )
    return bool(problem) and problem != before


def _of(provider: str, test: bool) -> ColumnElement[bool]:
    return (BalanceReading.provider == provider) & BalanceReading.test.is_(test)


def note_payout(
    session: Session, provider: str, test: bool, payout: PayoutFacts
) -> None:
    """Write a payout down, or how far it has come; an older answer changes nothing."""
    insert_new(
        session,
        Payout,
        provider=provider,
        object_id=payout.object_id,
        test=test,
        amount_minor=payout.amount.minor,
        currency=payout.amount.currency,
        state=payout.state,
        reverses=payout.reverses or None,
        created_at=payout.created_at,
        arrives_on=payout.arrives_on,
        divisible=payout.divisible,
        settled=payout.settled,
        failure=payout.failure or None,
    )
    earlier = [each for each in FURTHER if FURTHER[each] <= FURTHER[payout.state]]
    mine = (Payout.provider == provider) & (Payout.object_id == payout.object_id)
    rows_changed(
        session,
        update(Payout)
        .where(mine, Payout.state.in_(earlier))
        .values(
            state=payout.state,
            failure=payout.failure or None,
            arrives_on=payout.arrives_on,
        ),
    )
    if payout.settled:
        rows_changed(
            session,
            update(Payout).where(mine, Payout.settled.is_(False)).values(settled=True),
        )


def to_divide(
    session: Session, provider: str, *, test: bool, since: datetime | None
) -> Sequence[tuple[int, str]]:
    """Give the payouts whose lines are to be read: rows, and the provider's names.

    `since`: also those made since then whose lines have been read before.
    """
    unread = Payout.lines_read_at.is_(None)
    rows = session.execute(
        select(Payout.id, Payout.object_id)
        .where(
            Payout.provider == provider,
            Payout.test.is_(test),
            Payout.divisible,
            Payout.settled,
            Payout.state.not_in(LOST),
            or_(unread, Payout.created_at >= since) if since else unread,
        )
        .order_by(Payout.created_at)
    )
    return [(row.id, row.object_id) for row in rows]


def divided(session: Session, payout_id: int, now: datetime) -> None:
    """Note that all lines of a payout have been read."""
    rows_changed(
        session,
        update(Payout).where(Payout.id == payout_id).values(lines_read_at=now),
    )


def note_lines(
    session: Session,
    provider: str,
    test: bool,
    lines: Iterable[Line],
    payout_id: int | None = None,
) -> None:
    """Write down what changed a balance; `payout_id`: the payout it is in, if known."""
    for line in lines:
        new = insert_new(session, BalanceLine, **_row(provider, test, line, payout_id))
        if not new and payout_id is not None:
            rows_changed(
                session,
                update(BalanceLine)
                .where(
                    BalanceLine.provider == provider,
                    BalanceLine.object_id == line.object_id,
                )
                .values(payout_id=payout_id),
            )


def _row(
    provider: str, test: bool, line: Line, payout_id: int | None
) -> dict[str, object]:
    paid, received = line.paid, line.received
    return {
        "provider": provider,
        "object_id": line.object_id,
        "test": test,
        "kind": line.kind,
        "word": line.word,
        "note": line.note or None,
        "payment": line.payment,
        "payout_id": payout_id,
        "amount_minor": line.amount.minor,
        "fee_minor": line.fee.minor,
        "net_minor": line.net.minor,
        "currency": line.amount.currency,
        "paid_minor": paid.minor if paid else None,
        "paid_currency": paid.currency if paid else None,
        "received_minor": received.minor if received else None,
        "received_currency": received.currency if received else None,
        "rate": line.rate[:32] or None,
        "at": line.at,
    }


def not_adding_up(session: Session) -> Sequence[Payout]:
    """Find payouts whose lines are all read, and are not as much as the payout."""
    net = (
        select(func.coalesce(func.sum(BalanceLine.net_minor), 0))
        .where(BalanceLine.payout_id == Payout.id)
        .scalar_subquery()
    )
    foreign = (
        select(BalanceLine.id)
        .where(
            BalanceLine.payout_id == Payout.id, BalanceLine.currency != Payout.currency
        )
        .exists()
    )
    return session.scalars(
        select(Payout)
        .where(
            Payout.lines_read_at.is_not(None),
            Payout.state.not_in(LOST),
            or_(net != Payout.amount_minor, foreign),
        )
        .order_by(Payout.id)
    ).all()
