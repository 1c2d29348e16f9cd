"""Visits: what was looked at, pressed, paid; where it came from; the counts of each day.

Nobody is named. A visitor is a number that is made anew every day from a secret of that
day, which is forgotten the day after: then nobody, we included, can tell who it was, or
whether somebody came again.

No row of these is needed to sell, and none is ever written in the transaction of a
purchase. Orders and products are named without a foreign key, so that nothing that is
done with them ever waits for what is only counted.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.words import CountedBy, Device, EventKind

ROW = BigInteger().with_variant(Integer, "sqlite")
"""A number that never runs out; SQLite gives numbers by itself only to this type."""


class Source(Base):
    """One way to get here. What a link does not say is empty; `name` is what counts.

    `name` is `utm_source`, else the site that was left for us; empty for those who came
    by themselves. `page` is the seller's page whose button was pressed: host and path.
    """

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(String(64), unique=True)
    """A hash of all that follows: longer than what a database likes to index."""
    name: Mapped[str] = mapped_column(String(100), index=True)
    medium: Mapped[str] = mapped_column(String(100))
    campaign: Mapped[str] = mapped_column(String(100))
    term: Mapped[str] = mapped_column(String(100))
    content: Mapped[str] = mapped_column(String(100))
    referrer: Mapped[str] = mapped_column(String(100))
    page: Mapped[str] = mapped_column(String(200))
    first_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Event(Base):
    """One thing somebody did. `visitor` is empty for those who ask not to be counted.

    `once` names what can only happen once: the first opening of a purchase, a fact of the
    ledger.
    """

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_day_visitor", "day", "visitor"),)

    id: Mapped[int] = mapped_column(ROW, primary_key=True)
    kind: Mapped[EventKind] = mapped_column(one_of(EventKind))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    day: Mapped[date]
    """Of `at`, in UTC."""
    visitor: Mapped[int | None] = mapped_column(BigInteger)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    country: Mapped[str] = mapped_column(String(2))
    """Two letters (ISO 3166-1), or nothing."""
    device: Mapped[Device] = mapped_column(one_of(Device))
    product_id: Mapped[int | None]
    order_id: Mapped[int | None] = mapped_column(index=True)
    test: Mapped[bool]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    """What was paid, negative for what went back; 0 for all that is no money."""
    currency: Mapped[str] = mapped_column(String(3))
    once: Mapped[str | None] = mapped_column(String(40), unique=True)


class OrderVisit(Base):
    """The visit in which an order was begun: where its sale is counted.

    `ga_client` and `ga_session` are Google's names for it, if a page had one with consent.
    """

    __tablename__ = "order_visits"
    __table_args__ = (Index("ix_order_visits_source", "source_id", "order_id"),)

    order_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    visitor: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    country: Mapped[str] = mapped_column(String(2))
    device: Mapped[Device] = mapped_column(one_of(Device))
    ga_client: Mapped[str | None] = mapped_column(
        String(64), info={"personal": "erase"}
    )
    ga_session: Mapped[str | None] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class DaySalt(Base):
    """The secret that names the visitors of one day; gone the day after."""

    __tablename__ = "day_salts"

    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))


class DayCount(Base):
    """How often one kind of event was on a day: what reports add up.

    `product_id` 0 is all products together, where nobody is counted twice. `times` is
    events, `visitors` different visitors.
    """

    __tablename__ = "day_counts"

    day: Mapped[date] = mapped_column(primary_key=True)
    counted_by: Mapped[CountedBy] = mapped_column(one_of(CountedBy), primary_key=True)
    product_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(100), primary_key=True)
    kind: Mapped[EventKind] = mapped_column(one_of(EventKind), primary_key=True)
    test: Mapped[bool] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    times: Mapped[int]
    visitors: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class MonthCount(Base):
    """The counts of the days of a month, added up: columns as those of DayCount."""

    __tablename__ = "month_counts"

    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    counted_by: Mapped[CountedBy] = mapped_column(one_of(CountedBy), primary_key=True)
    product_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(100), primary_key=True)
    kind: Mapped[EventKind] = mapped_column(one_of(EventKind), primary_key=True)
    test: Mapped[bool] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    times: Mapped[int]
    visitors: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class EventMonth(Base):
    """A month with events. Who writes events of it holds its row, after those of days."""

    __tablename__ = "event_months"

    month: Mapped[date] = mapped_column(primary_key=True)
    counted: Mapped[bool]
    """Whether its counts are those of all its days."""
    held: Mapped[int] = mapped_column(default=0)
    """How often one of its days was opened: whoever adds them up sees that it was."""


class DayTax(Base):
    """What tax was in the papers of a day, less that of credit notes."""

    __tablename__ = "day_taxes"

    day: Mapped[date] = mapped_column(primary_key=True)
    test: Mapped[bool] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    papers: Mapped[int]
    tax_minor: Mapped[int] = mapped_column(BigInteger)


class EventDay(Base):
    """A day with events. Who writes events of it, or counts them, holds its row."""

    __tablename__ = "event_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    counted: Mapped[bool]
    """Whether its counts are those of all its events."""
    forgotten: Mapped[bool] = mapped_column(default=False)
    """Whether its events are gone: then its counts stay as they are."""


class CountedFact(Base):
    """A fact of the ledger that the counts know of."""

    __tablename__ = "counted_facts"

    ledger_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
