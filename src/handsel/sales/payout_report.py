"""What became of the money: payouts with what they are made up of, and fees by month.

Of each line the ledger says which order it belongs to. What belongs to none, such as
another business's sales on the same account, is counted apart: never hidden, nor guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    Case,
    ColumnElement,
    case,
    extract,
    func,
    select,
)
from sqlalchemy.orm import Session

from handsel.kit.errors import NotFoundError
from handsel.models import BalanceLine, BalanceReading, LedgerEntry, Order, Payout
from handsel.models.database import without_index
from handsel.models.words import FactKind, LineKind
from handsel.sales import payout_lines
from handsel.sales.payout_lines import OF_ORDER, ORDER_ID
from handsel.sales.payouts import LOST

SUMS = ("sales_minor", "given_back_minor", "fees_minor", "other_minor")
"""What a payout is made up of; together they are what is paid out."""

_KEPT_BY_PROVIDERS = ("stripe", "paypal")
"""Who takes a fee; test money costs nothing."""


@dataclass(frozen=True)
class Period:
    """Which money to look at. Days are those of UTC, the last one included."""

    since: date | None = None
    until: date | None = None
    currency: str | None = None

    def payouts(self) -> list[ColumnElement[bool]]:
        """Choose payouts by the day they arrive."""
        chosen = []
        if self.since:
            chosen.append(Payout.arrives_on >= self.since)
        if self.until:
            chosen.append(Payout.arrives_on <= self.until)
        if self.currency:
            chosen.append(Payout.currency == self.currency)
        return chosen

    def moments(self, at: Any, currency: Any) -> list[ColumnElement[bool]]:
        """Choose what happened within the days."""
        chosen = []
        if self.since:
            chosen.append(at >= _midnight(self.since))
        if self.until and self.until < date.max:  # no day comes after that
            chosen.append(at < _midnight(self.until + timedelta(days=1)))
        if self.currency:
            chosen.append(currency == self.currency)
        return chosen


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


_OURS = ORDER_ID.is_not(None) & BalanceLine.kind.in_(
    (LineKind.SALE, LineKind.REFUND, LineKind.DISPUTE)
)
_SALE = BalanceLine.kind == LineKind.SALE


def _if(condition: ColumnElement[bool], amount: Any) -> Case[int]:
    return case((condition, amount), else_=0)


_SUMMED = (
    func.count().label("lines"),
    func.sum(_if(ORDER_ID.is_(None), 1)).label("of_no_order"),
    func.sum(_if(_OURS & _SALE, BalanceLine.amount_minor)).label("sales"),
    func.sum(_if(_OURS & ~_SALE, BalanceLine.amount_minor)).label("given_back"),
    func.sum(_if(_OURS, -BalanceLine.fee_minor)).label("fees"),
    func.sum(_if(~_OURS, BalanceLine.net_minor)).label("other"),
    func.sum(BalanceLine.net_minor).label("net"),
)


def _summed(row: Any) -> dict[str, Any]:
    # PostgreSQL adds big integers up to decimals.
    return {
        "lines": row.lines,
        "lines_of_no_order": int(row.of_no_order),
        "sales_minor": int(row.sales),
        "given_back_minor": int(row.given_back),
        "fees_minor": int(row.fees),
        "other_minor": int(row.other),
        "lines_minor": int(row.net),
    }


def everything(session: Session, period: Period) -> dict[str, Any]:
    """Give all of it: payouts, their totals, what is in none, and how fresh it is."""
    sent = payouts(session, period)
    sold = Order.paid_at.is_not(None)
    money = (Order.price_minor > 0, *period.moments(Order.paid_at, Order.currency))
    pretended = select(func.count()).where(Order.provider == "test", sold, *money)
    by_stripe = select(Order.id).where(Order.provider == "stripe", sold).limit(1)
    read = readings(session)
    unread = not any(each["provider"] == "stripe" for each in read)
    return {
        "payouts": sent,
        "totals": totals(sent),
        "in_no_payout": in_no_payout(session, period),
        "without_fee": without_fee(session, period),
        "test_purchases": session.scalar(pretended) or 0,
        "readings": read,
        "not_read": unread and session.scalar(by_stripe) is not None,
    }


def payouts(session: Session, period: Period) -> list[dict[str, Any]]:
    """Give each payout with what it is made up of, the last to arrive first."""
    rows = session.scalars(
        select(Payout)
        .where(*period.payouts())
        .order_by(Payout.arrives_on.desc(), Payout.id.desc())
    ).all()
    sums = {
        row.payout_id: _summed(row)
        for row in session.execute(
            select(BalanceLine.payout_id, *_SUMMED)
            .outerjoin(LedgerEntry, OF_ORDER)
            .where(
                BalanceLine.payout_id.in_(select(Payout.id).where(*period.payouts()))
            )
            .group_by(BalanceLine.payout_id)
        )
    }
    return [_payout(each, sums.get(each.id)) for each in rows]


def payout(session: Session, object_id: str) -> dict[str, Any]:
    """Give one payout with its lines. Raises NotFoundError."""
    found = session.scalars(
        select(Payout).where(Payout.object_id == object_id).order_by(Payout.id)
    ).first()
    if found is None:
        raise NotFoundError(
            f"There is no payout {object_id}.",
            "`handsel report payouts` shows them all; new ones are read every hour.",
        )
    sums = session.execute(
        select(*_SUMMED)
        .outerjoin(LedgerEntry, OF_ORDER)
        .where(BalanceLine.payout_id == found.id)
    ).one()
    return _payout(found, _summed(sums) if sums.lines else None) | {
        "made_up_of": payout_lines.of_payout(session, found.id)
    }


def _payout(found: Payout, sums: dict[str, Any] | None) -> dict[str, Any]:
    """Say all of a payout; its sums are empty until its lines are read."""
    read = found.lines_read_at is not None
    nothing = dict.fromkeys((*SUMS, "lines_minor"), 0 if read else None)
    sums = sums if read and sums else {"lines": 0, "lines_of_no_order": 0} | nothing
    adds_up = sums["lines_minor"] == found.amount_minor if read else None
    return {
        "id": found.object_id,
        "provider": found.provider,
        "test": found.test,
        "state": str(found.state),
        "failure": found.failure,
        "reverses": found.reverses,
        "created_at": found.created_at.isoformat(),
        "arrives_on": found.arrives_on.isoformat(),
        "currency": found.currency,
        "amount_minor": found.amount_minor,
        "divisible": found.divisible,
        "adds_up": None if found.state in LOST else adds_up,
        **sums,
    }


def in_no_payout(session: Session, period: Period) -> list[dict[str, Any]]:
    """Give by month what is in no payout: PayPal's, and what Stripe has not divided."""
    year, month = _month(session)
    key = (
        *(BalanceLine.provider, BalanceLine.test, BalanceLine.currency),
        *(year, month, BalanceLine.received_currency),
    )
    received = func.sum(BalanceLine.received_minor).label("received")
    rows = session.execute(
        select(*key, received, *_SUMMED)
        .outerjoin(LedgerEntry, OF_ORDER)
        .where(
            BalanceLine.payout_id.is_(None),
            *period.moments(BalanceLine.at, BalanceLine.currency),
        )
        .group_by(*key)
        .order_by(*key)
    )
    return [
        {
            "provider": row.provider,
            "test": row.test,
            "month": f"{row.year:04}-{row.month:02}",
            "currency": row.currency,
            **_summed(row),
            "received_minor": int(row.received) if row.received is not None else None,
            "received_currency": row.received_currency,
        }
        for row in rows
    ]


def _month(session: Session) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Give year and month of a line in UTC, on both databases."""
    at: Any = BalanceLine.at
    if session.get_bind().dialect.name == "postgresql":
        at = func.timezone("UTC", at)
    return extract("year", at).label("year"), extract("month", at).label("month")


def totals(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add payouts up, each currency for itself: those that arrived, and those that will.

    Those that failed are in no sum: their money is in a later payout.
    """
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for each in found:
        if each["state"] in LOST:
            continue
        arrived = each["state"] == "paid"
        key = (each["provider"], each["test"], each["currency"], not arrived)
        total = sums.setdefault(
            key,
            {
                "provider": each["provider"],
                "test": each["test"],
                "currency": each["currency"],
                "arrived": arrived,
                "payouts": 0,
                "not_divided_minor": 0,
                **dict.fromkeys((*SUMS, "amount_minor"), 0),
            },
        )
        total["payouts"] += 1
        total["amount_minor"] += each["amount_minor"]
        if each["lines_minor"] is None:
            total["not_divided_minor"] += each["amount_minor"]
        for name in SUMS:
            total[name] += each[name] or 0
    return [sums[key] for key in sorted(sums)]


def without_fee(session: Session, period: Period) -> list[dict[str, Any]]:
    """Count the payments of which nobody knows yet what they cost."""
    known = select(BalanceLine.id).where(
        BalanceLine.provider == LedgerEntry.provider,
        BalanceLine.payment == LedgerEntry.object_id,
    )
    provider = without_index(LedgerEntry.provider)
    rows = session.execute(
        select(provider.label("provider"), Order.test, func.count().label("payments"))
        .join(Order, Order.id == LedgerEntry.order_id)
        .where(
            LedgerEntry.kind == FactKind.CAPTURE,
            provider.in_(_KEPT_BY_PROVIDERS),
            ~known.exists(),
            *period.moments(LedgerEntry.at, LedgerEntry.currency),
        )
        .group_by(provider, Order.test)
        .order_by(provider, Order.test)
    )
    return [dict(row._mapping) for row in rows]


def readings(session: Session) -> list[dict[str, Any]]:
    """Say how fresh all of it is, and what could not be read."""
    rows = session.scalars(
        select(BalanceReading).order_by(BalanceReading.provider, BalanceReading.test)
    )
    return [
        {
            "provider": row.provider,
            "test": row.test,
            "read_at": row.read_at.isoformat() if row.read_at else None,
            "problem": row.problem,
        }
        for row in rows
    ]
