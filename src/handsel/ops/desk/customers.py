"""The people who bought: found, paged, and one of them with all that they had."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from handsel.kit.errors import NotFoundError
from handsel.kit.money import Money
from handsel.kit.signing import Keys
from handsel.models import Campaign, Customer, Order, OutboxItem, Recipient, Release
from handsel.models.words import OrderStatus, OutboxState, StopReason
from handsel.ops.desk import finding
from handsel.outbound import suppressions
from handsel.sales import blocks

AT_ONCE = 50
MOST_MAILS = 100


@dataclass(frozen=True)
class Person:
    """One customer as a list shows it. The address is empty when they were forgotten.

    Args:
        orders: real ones; `tests` are counted apart.
        paid: what they paid and kept, in each currency; test purchases are not in it.
    """

    id: int
    email: str
    since: datetime
    orders: int
    tests: int
    paid: Sequence[Money]
    last_at: datetime | None


@dataclass(frozen=True)
class Page:
    """Some customers, the newest first; numbers of those that pages beside begin at."""

    people: Sequence[Person]
    newer: int = 0
    older: int = 0


@dataclass(frozen=True)
class Mail:
    """One mail to somebody, as it stands now."""

    at: datetime
    topic: str
    state: str
    error: str


@dataclass(frozen=True)
class Look:
    """One customer as their page shows it.

    Args:
        stopped: why they get no updates; empty when they do.
    """

    person: Person
    mails: Sequence[Mail]
    stopped: Sequence[StopReason]
    blocked: bool


def page(session: Session, text: str, *, after: int = 0, before: int = 0) -> Page:
    """Give the customers that came before `after`, or the next ones since `before`."""
    chosen = select(Customer.id).where(_bought(session, text))
    if before:
        query = chosen.where(Customer.id > before).order_by(Customer.id)
        ids = session.scalars(query.limit(AT_ONCE + 1)).all()
        if len(ids) > AT_ONCE:
            kept = ids[AT_ONCE - 1 :: -1]
            return Page(_people(session, kept), newer=kept[0], older=kept[-1])
        after = 0  # fewer than a page are newer: the first page has them
    query = chosen.order_by(Customer.id.desc()).limit(AT_ONCE + 1)
    ids = session.scalars(query.where(Customer.id < after) if after else query).all()
    kept = ids[:AT_ONCE]
    return Page(
        _people(session, kept),
        newer=kept[0] if kept and after else 0,
        older=kept[-1] if len(ids) > AT_ONCE else 0,
    )


def _bought(session: Session, text: str) -> ColumnElement[bool]:
    """Choose who has bought: nobody is left of an address that was corrected."""
    if text:
        return finding.of_buyers(session, text)
    mine = select(Order.id).where(
        Order.customer_id == Customer.id, Order.paid_at.is_not(None)
    )
    return mine.exists()


def _people(session: Session, ids: Sequence[int]) -> Sequence[Person]:
    rows = session.scalars(select(Customer).where(Customer.id.in_(ids)))
    by_id = {row.id: row for row in rows}
    sums = _sums(session, ids)
    return [_person(by_id[number], sums[number]) for number in ids]


@dataclass
class _Sum:
    orders: int
    tests: int
    paid: list[Money]
    last_at: datetime | None


def _sums(session: Session, ids: Sequence[int]) -> dict[int, _Sum]:
    """Add up what each has bought, each currency for itself."""
    found: dict[int, _Sum] = defaultdict(lambda: _Sum(0, 0, [], None))
    real = Order.status != OrderStatus.NEEDS_REVIEW
    kept = func.sum(Order.price_minor - Order.refunded_minor).filter(real)
    key = (Order.customer_id, Order.test, Order.currency)
    rows = session.execute(
        select(*key, func.count(), func.coalesce(kept, 0), func.max(Order.paid_at))
        .where(Order.customer_id.in_(ids), Order.paid_at.is_not(None))
        .group_by(*key)
        .order_by(*key)
    )
    for number, test, currency, count, minor, last_at in rows:
        assert number is not None
        mine = found[number]
        mine.last_at = max(filter(None, (mine.last_at, last_at)), default=None)
        if test:
            mine.tests += count
        else:
            mine.orders += count
            mine.paid += [Money(int(minor), currency)] if minor > 0 else []
    return found


def _person(row: Customer, had: _Sum) -> Person:
    return Person(
        id=row.id,
        email=row.email,
        since=row.created_at,
        orders=had.orders,
        tests=had.tests,
        paid=had.paid,
        last_at=had.last_at,
    )


def look(session: Session, keys: Keys, customer_id: int) -> Look:
    """Give all that is known of one customer. Raises NotFoundError."""
    row = session.get(Customer, customer_id)
    if row is None:
        raise NotFoundError("There is no such customer.")
    (person,) = _people(session, [row.id])
    email = row.email
    return Look(
        person=person,
        mails=_mails(session, row),
        stopped=sorted(suppressions.reasons(session, email)) if email else [],
        blocked=bool(email) and blocks.is_blocked(session, keys, email),
    )


def _mails(session: Session, row: Customer) -> Sequence[Mail]:
    """Give the last mails to a customer: about orders, and to everyone."""
    theirs = select(Order.id).where(Order.customer_id == row.id)
    items = session.scalars(
        select(OutboxItem)
        .where(
            OutboxItem.order_id.in_(theirs),
            OutboxItem.topic.startswith("mail."),
            OutboxItem.recipient != "",
        )
        .order_by(OutboxItem.id.desc())
        .limit(MOST_MAILS)
    )
    found = [
        Mail(
            each.sent_at or each.created_at,
            each.topic.removeprefix("mail."),
            _said(each.state),
            each.last_error or "",
        )
        for each in items
    ]
    return sorted([*found, *_updates(session, row)], key=lambda each: each.at)[::-1]


def _said(state: OutboxState) -> str:
    return "failed" if state is OutboxState.DEAD else str(state)


def _updates(session: Session, row: Customer) -> Sequence[Mail]:
    # By campaign, of which there are few: the recipients of each are in that order.
    rows = session.execute(
        select(Recipient, Campaign.subject, Campaign.created_at, Release.version)
        .join(Campaign, Campaign.id == Recipient.campaign_id)
        .outerjoin(Release, Release.id == Campaign.release_id)
        .where(
            Recipient.campaign_id.in_(select(Campaign.id)),
            Recipient.customer_id == row.id,
        )
    )
    return [
        Mail(
            each.sent_at or created_at,
            f"update: {subject or f'version {version}'}",
            f"{each.state} ({each.reason})" if each.reason else str(each.state),
            each.last_error or "",
        )
        for each, subject, created_at, version in rows
    ]
