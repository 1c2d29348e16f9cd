"""Who gets a mail to everyone who bought, and why others do not.

Each address gets one mail, whatever its case and however often it bought: buyers are
counted by customer, and a customer is one address. The mail carries the link of their
newest purchase that opens its files.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from handsel.kit.errors import BadInputError, NotFoundError
from handsel.models import (
    Campaign,
    Customer,
    Entitlement,
    Order,
    Recipient,
    Release,
    Suppression,
)
from handsel.models.base import UtcDateTime
from handsel.models.words import OrderStatus, RecipientState, StopReason
from handsel.outbound.leases import AT_ONCE

HAS_IT = "has it already"
_CONDITION = re.compile(r"(since|below|country):(.+)")


@dataclass(frozen=True)
class Audience:
    """Whose purchases count. None means anybody's.

    Args:
        since: who bought then or later.
        below: the id of a release: who bought only before it came out.
        country: two letters: who paid by a card or account from there.
        having: the id of a release: who bought it has what the mail is about.
    """

    product_id: int
    since: datetime | None = None
    below: int | None = None
    country: str | None = None
    having: int | None = None


@dataclass(frozen=True)
class Reach:
    """Whom a mail would reach; counts of addresses.

    Args:
        left_out: how many get none, for each reason.
        erased_orders: purchases whose buyers were erased; nobody knows how many they
            were.
        others: buyers for whom the conditions do not hold; counted where nobody would
            get the mail, so that it can be said why.
    """

    recipients: int
    left_out: dict[str, int]
    erased_orders: int
    others: int = 0

    @property
    def unsold(self) -> bool:
        """Whether nobody has bought it at all."""
        return not (
            self.recipients or self.left_out or self.erased_orders or self.others
        )


def read(
    session: Session,
    product_id: int,
    conditions: Sequence[str],
    release_id: int | None = None,
) -> Audience:
    """Understand what was typed: `since:2026-01-31`, `below:1.2`; all must hold.

    Raises BadInputError, NotFoundError for a version that never was.
    """
    said: dict[str, str] = {}
    for condition in conditions:
        found = _CONDITION.fullmatch(condition.strip())
        if not found or found[1] in said:
            raise BadInputError(
                f"{condition!r} does not say who gets the mail.",
                "Write --to since:2026-01-31, --to below:1.2 or --to country:DE, each "
                "once; several must all hold.",
            )
        said[found[1]] = found[2].strip()
    return Audience(
        product_id,
        since=_day(said["since"]) if "since" in said else None,
        below=_release(session, product_id, said["below"]) if "below" in said else None,
        country=_country(said["country"]) if "country" in said else None,
        having=release_id,
    )


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise BadInputError(
            f"{text!r} is not a day.", "Write it like since:2026-01-31."
        ) from None


def _country(text: str) -> str:
    if not re.fullmatch("[A-Za-z]{2}", text):
        raise BadInputError(
            f"{text!r} is not a country.", "Write its two letters, as country:DE."
        )
    return text.upper()


def _release(session: Session, product_id: int, version: str) -> int:
    found = session.scalar(
        select(Release.id).where(
            Release.product_id == product_id, Release.version == version
        )
    )
    if found is None:
        raise NotFoundError(
            f"There was no version {version} of this product.",
            "`handsel product show SLUG` says which there were.",
        )
    return found


def freeze(session: Session, campaign: Campaign, wanted: Audience) -> None:
    """Write down everyone the mail concerns, with the reason of those who get none.

    One statement, so that it is of one moment and quick: 100,000 in about a second.
    """
    asked = buyers(wanted).subquery()
    columns = ("campaign_id", "customer_id", "order_id", "reason", "state")
    session.execute(
        insert(Recipient).from_select(
            [*columns, "tries", "next_at"],
            select(
                literal(campaign.id),
                asked.c.customer_id,
                asked.c.order_id,
                asked.c.reason,
                case(
                    (asked.c.reason.is_(None), RecipientState.WAITING.value),
                    else_=RecipientState.SKIPPED.value,
                ),
                literal(0),
                literal(AT_ONCE, UtcDateTime()),
            ),
        )
    )


def reach(session: Session, wanted: Audience) -> Reach:
    """Say how many would get the mail, and how many not for each reason."""
    found = _counts(session, wanted)
    recipients = found.pop(None, 0)
    left_out = {str(why): number for why, number in sorted(found.items())}
    erased = session.scalar(_nameless(wanted)) or 0
    others = 0
    if not recipients and _fits(wanted):
        everyone = Audience(wanted.product_id, having=wanted.having)
        others = sum(_counts(session, everyone).values()) - sum(left_out.values())
    return Reach(recipients, left_out, erased, others)


def _counts(session: Session, wanted: Audience) -> dict[str | None, int]:
    """Count the buyers for each reason why not; None: those who get it."""
    asked = buyers(wanted).subquery()
    counted = select(asked.c.reason, func.count()).group_by(asked.c.reason)
    return dict(session.execute(counted).all())


def buyers(
    wanted: Audience, *, among: tuple[int, int] | None = None
) -> Select[tuple[int, int, str | None]]:
    """One row for each customer: the purchase to link to, and why not, if not.

    All their purchases of the product count for whether they get it; one that fits the
    conditions is enough for being asked about.

    Args:
        among: only customers whose id is larger than the first, and no larger than the
            second.
    """
    opens = func.max(case((Entitlement.access, Order.id)))
    newest = func.max(case((Entitlement.access, Entitlement.release_id)))
    reason = case(
        *((_stopped(word), word.value) for word in StopReason),
        (opens.is_(None), func.max(_closed())),
        *([(newest >= wanted.having, HAS_IT)] if wanted.having else []),
        else_=None,
    )
    return (
        select(
            Order.customer_id.label("customer_id"),
            func.coalesce(opens, func.max(Order.id)).label("order_id"),
            reason.label("reason"),
        )
        .join(Entitlement, Entitlement.order_id == Order.id)
        .join(Customer, Customer.id == Order.customer_id)
        .where(
            _of_product(wanted),
            Order.email.is_not(None),
            *_among(among),
        )
        .group_by(Order.customer_id, Customer.email_key)
        .having(*_fits(wanted))
    )


def _among(ids: tuple[int, int] | None) -> list[ColumnElement[bool]]:
    if ids is None:
        return []
    return [Order.customer_id > ids[0], Order.customer_id <= ids[1]]


def _of_product(wanted: Audience) -> ColumnElement[bool]:
    """Choose the purchases: test purchases only while there is no real one."""
    real, opened = aliased(Order), aliased(Entitlement)
    sold = exists().where(
        opened.product_id == wanted.product_id,
        real.id == opened.order_id,
        real.test.is_(False),
    )
    return and_(
        Entitlement.product_id == wanted.product_id, or_(Order.test.is_(False), ~sold)
    )


def _fits(wanted: Audience) -> list[ColumnElement[bool]]:
    """Say what must hold of somebody's purchases together."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.since:
        conditions.append(func.max(Order.paid_at) >= wanted.since)
    if wanted.below:
        conditions.append(func.max(Entitlement.release_id) < wanted.below)
    if wanted.country:
        from_there = case((Order.country == wanted.country, 1), else_=0)
        conditions.append(func.max(from_there) == 1)
    return conditions


def _stopped(reason: StopReason) -> ColumnElement[bool]:
    return exists().where(
        Suppression.email_key == Customer.email_key, Suppression.reason == reason
    )


def _closed() -> ColumnElement[str]:
    """Say in a word or two why a purchase does not open its files."""
    words = {
        OrderStatus.REFUNDED: "refunded",
        OrderStatus.DISPUTED: "disputed",
        OrderStatus.NEEDS_REVIEW: "held back",
    }
    return case(*((Order.status == s, w) for s, w in words.items()), else_="closed")


def _nameless(wanted: Audience) -> Select[int]:
    return (
        select(func.count())
        .select_from(Order)
        .join(Entitlement, Entitlement.order_id == Order.id)
        .where(_of_product(wanted), Order.email.is_(None))
    )
