"""Somebody whose visit counts, and what is known of it afterwards."""

from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from handsel import worker
from handsel.analytics import money
from handsel.analytics.periods import Period
from handsel.analytics.reports.funnel import funnel
from handsel.analytics.reports.tallies import By, Wanted
from handsel.models import Event, Source
from handsel.shop import Shop
from handsel.web import visits
from tests.ground.visitor import Visitor

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
COMPUTER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)


class Reader(Visitor):
    """A visitor with a browser that people use, at an address of the world."""

    def __init__(
        self,
        shop: Shop,
        *,
        address: str = "203.0.113.7",
        agent: str = COMPUTER,
        says: dict[str, str] | None = None,
        of: Visitor | None = None,
    ) -> None:
        super().__init__(shop, address=address, app=of.app if of else None)
        self.shop = shop
        self.headers = {"User-Agent": agent, **(says or {})}

    def _ask(self, method: str, url: str, **options: Any) -> TestResponse:
        said = self.headers | options.pop("headers", {})
        return super()._ask(method, url, headers=said, **options)

    def tell(self, told: str, *, origin: str = "") -> TestResponse:
        """Tell of an event, as a page of another site does."""
        headers = {"Origin": origin} if origin else {}
        return self._ask("POST", "/e", data=told, headers=headers)

    def close(self) -> None:
        """Go, and let nobody count any more."""
        counts = visits.recorder(self.app)
        if counts:
            counts.close()

    def write(self) -> None:
        """Let what was seen be written down now."""
        counts = visits.recorder(self.app)
        assert counts
        counts.flush()


def seen(reader: Reader) -> list[tuple[str, str, int]]:
    """Give every event: what, from where, and which amount."""
    reader.write()
    settle(reader.shop)
    with reader.shop.reading() as session:
        rows = session.execute(
            select(Event.kind, Source.name, Event.amount_minor)
            .join(Source)
            .order_by(Event.id)
        )
        return [(str(row.kind), row.name, row.amount_minor) for row in rows]


def settle(shop: Shop) -> None:
    """Let the worker do what is due, whatever its gap, and copy what the ledger has."""
    worker.turn(shop)
    with shop.transaction() as session:
        money.follow(session)


def rows(shop: Shop) -> list[Event]:
    """Give every event with all that is kept of it."""
    with shop.reading() as session:
        return list(session.scalars(select(Event).order_by(Event.id)))


def stages(shop: Shop, by: By = By.NOTHING, key: str = "") -> list[int]:
    """Give the counts of the funnel of today: viewed, clicked, started, paid, ..."""
    today = shop.now().date()
    with shop.reading() as session:
        wanted = Wanted(Period(today, today), by, test=True)
        found = funnel(session, wanted)
    (row,) = [each for each in found if each["key"] == key]
    return [stage["count"] for stage in row["stages"]]
