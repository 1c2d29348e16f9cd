"""Writing events down, many at a time, far from any purchase."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from handsel.analytics import agents, experiments, opened, visitors
from handsel.analytics.countries import LookUp
from handsel.analytics.sightings import Arrival, Sighting
from handsel.kit.signing import Keys
from handsel.models import (
    Event,
    EventDay,
    EventMonth,
    Order,
    OrderVisit,
    Product,
    Source,
)
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import Device, EventKind

OF_A_PURCHASE = (EventKind.OPENED, EventKind.DOWNLOADED)
"""What is counted where the purchase was begun, and once for each."""
MOST_SOURCES = 2000
"""New ways to get here in one day; what comes more is somebody who makes them up."""
OTHER = Arrival(source="(other)")


@dataclass(frozen=True)
class Visit:
    """Who did something, and where it is counted."""

    visitor: int | None
    source_id: int
    country: str
    device: Device

    def columns(self) -> dict[str, Any]:
        """Give it as the columns of an event."""
        return {
            "visitor": self.visitor,
            "source_id": self.source_id,
            "country": self.country,
            "device": self.device,
        }


@dataclass(frozen=True)
class Counted:
    """A sighting that became an event, and what of ours it is about."""

    seen: Sighting
    product_id: int | None
    order_id: int | None


def write(
    session: Session, keys: Keys, seen: Sequence[Sighting], look_up: LookUp
) -> list[Counted]:
    """Write down what was seen by people; give what is new of it.

    Machines are left out, and what names no product of ours, or no order. Safe to repeat
    for what belongs to a purchase, which is counted once.
    """
    counted = []
    people = [each for each in seen if agents.device(each.agent)]
    hold_days(session, {each.at.date() for each in people if each.kind})
    products = _products(session, people)
    orders = _orders(session, people)
    for each in people:
        order = orders.get(each.purchase)
        before = orders.get(each.instead)
        of_orders = (order and order.id, before and before.id)
        experiments.write(session, each, *of_orders)
        if each.kind is None:
            continue
        product_id = order.product_id if order else products.get(each.slug)
        if (each.slug and not product_id) or (each.purchase and not order):
            continue
        if each.kind is EventKind.OPENED and order:
            opened.note(session, order.id, each.at)
        if each.kind in OF_A_PURCHASE and order:
            visit = visit_of(session, order.id, each.at)
        else:
            visit = _visit(session, keys, each, look_up)
        if each.kind is EventKind.STARTED and order:
            _keep_visit(session, order.id, visit, each, before)
        if add(session, each.kind, each.at, visit, product_id=product_id, order=order):
            counted.append(Counted(each, product_id, order.id if order else None))
    return counted


def hold_days(session: Session, days: Collection[date]) -> None:
    """Keep others from counting days until this transaction ends, and let them be
    counted anew after it."""
    for day in sorted(days):
        insert_new(session, EventDay, day=day, counted=False, forgotten=False)
        held = update(EventDay).where(EventDay.day == day, ~EventDay.forgotten)
        rows_changed(session, held.values(counted=False))
    for month in sorted({day.replace(day=1) for day in days}):
        insert_new(session, EventMonth, month=month, counted=False, held=0)
        opened = update(EventMonth).where(EventMonth.month == month)
        rows_changed(session, opened.values(counted=False, held=EventMonth.held + 1))


def add(
    session: Session,
    kind: EventKind,
    at: datetime,
    visit: Visit,
    *,
    product_id: int | None,
    order: Any = None,
    once: str | None = None,
    amount_minor: int = 0,
    currency: str = "",
) -> bool:
    """Write one event down; say whether it was new. Its day must be held."""
    return insert_new(
        session,
        Event,
        kind=kind,
        at=at,
        day=at.date(),
        product_id=product_id,
        order_id=order.id if order else None,
        test=bool(order and order.test),
        amount_minor=amount_minor,
        currency=currency,
        once=once or (f"{kind}:{order.id}" if order else None),
        **visit.columns(),
    )


def visit_of(session: Session, order_id: int, now: datetime) -> Visit:
    """Give the visit in which an order was begun; that of nobody when it is not known."""
    found = session.get(OrderVisit, order_id) or _sale_of(session, order_id)
    if found is None:
        source = source_id(session, Arrival(source="(unknown)"), now)
        return Visit(None, source, "", Device.UNKNOWN)
    return Visit(found.visitor, found.source_id, found.country, found.device)


def _sale_of(session: Session, order_id: int) -> Event | None:
    """Give the sale of an order: what is forgotten of its visit, it still has."""
    sale = (Event.order_id == order_id, Event.kind == EventKind.PAID)
    return session.scalars(select(Event).where(*sale)).first()


def source_id(session: Session, arrival: Arrival, now: datetime) -> int:
    """Give the number of a way to get here, a new one if it was never seen."""
    said = astuple(arrival)
    mark = hashlib.sha256("\0".join(said).encode("utf-8", "replace")).hexdigest()
    wanted = select(Source.id).where(Source.mark == mark)
    known = session.scalars(wanted).one_or_none()
    if known is not None:
        return known
    if arrival != OTHER and _too_many(session, now):
        return source_id(session, OTHER, now)
    values = {name: getattr(arrival, name) for name in _NAMES}
    insert_new(session, Source, mark=mark, name=arrival.name, first_at=now, **values)
    return session.scalars(wanted).one()


_NAMES = ("medium", "campaign", "term", "content", "referrer", "page")


def _too_many(session: Session, now: datetime) -> bool:
    since = now - timedelta(days=1)
    count = session.scalar(select(func.count()).where(Source.first_at > since))
    return (count or 0) >= MOST_SOURCES


def _products(session: Session, seen: Sequence[Sighting]) -> Mapping[str, int]:
    slugs = {each.slug for each in seen if each.slug}
    found = select(Product.slug, Product.id).where(Product.slug.in_(slugs))
    return {row.slug: row.id for row in session.execute(found)}


def _orders(session: Session, seen: Sequence[Sighting]) -> Mapping[str, Any]:
    names = {each.purchase for each in seen} | {each.instead for each in seen}
    columns = (Order.public_id, Order.id, Order.product_id, Order.test)
    found = session.execute(select(*columns).where(Order.public_id.in_(names - {""})))
    return {row.public_id: row for row in found}


def _visit(session: Session, keys: Keys, seen: Sighting, look_up: LookUp) -> Visit:
    device = agents.device(seen.agent) or Device.UNKNOWN
    country = seen.country or look_up(seen.address)
    visitor = _number(session, keys, seen)
    source = _source(session, seen.arrival.clean(), visitor, seen.at)
    return Visit(visitor, source, country, device)


def _number(session: Session, keys: Keys, seen: Sighting) -> int:
    """Name a visitor: for a day, or for longer with their consent.

    Who says yes in the middle of a visit stays who they are until the day is over, so
    that nobody is counted twice and it is still known where they came from.
    """
    day = seen.at.date()
    salt = visitors.salt_of(session, day)
    today = visitors.number(keys, salt, seen.address, seen.agent)
    if not seen.token:
        return today
    before = select(Event.id).where(Event.day == day, Event.visitor == today).limit(1)
    if session.scalar(before) is not None:
        return today
    return visitors.number(keys, "kept", seen.token, "")


def _source(session: Session, arrival: Arrival, visitor: int, at: datetime) -> int:
    """Give where a visitor comes from; whoever came from somewhere today still does.

    A page of the seller's own is no source: it only says which button was pressed.
    """
    if arrival.name or arrival.campaign:
        return source_id(session, arrival, at)
    before = _earlier(session, visitor, at.date())
    if before is None:
        return source_id(session, arrival, at)
    if not arrival.page:
        return before
    found = session.get_one(Source, before)
    same = Arrival(
        *(found.name, found.medium, found.campaign, found.term, found.content)
    )
    return source_id(session, replace(same, page=arrival.page), at)


def _earlier(session: Session, visitor: int, day: date) -> int | None:
    return session.scalar(
        select(Event.source_id)
        .join(Source)
        .where(Event.day == day, Event.visitor == visitor, Source.name != "")
        .order_by(Event.id.desc())
        .limit(1)
    )


def _keep_visit(
    session: Session, order_id: int, visit: Visit, seen: Sighting, instead: Any
) -> None:
    """Keep the visit of an order; what goes on from another one has Google's names of it."""
    before = session.get(OrderVisit, instead.id) if instead else None
    at_google = (seen.ga_client or None, seen.ga_session or None)
    if before and not seen.ga_client:
        at_google = (before.ga_client, before.ga_session)
    client, number = at_google
    new = insert_new(
        session,
        OrderVisit,
        order_id=order_id,
        ga_client=client,
        ga_session=number,
        at=seen.at,
        **visit.columns(),
    )
    if new:  # what costs nothing is paid at once, and may be counted before us
        known = update(Event).where(Event.order_id == order_id)
        session.execute(known.values(**visit.columns()))
