"""Plausible and Matomo hear of sales from the shop itself, whatever a browser says."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import SecretStr

from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.providers.fakes.serving import Handler, Serving
from tests.stories.buyers import BUYER, buy, with_settings
from tests.stories.giving_back import give_back
from tests.stories.hits import rows, states, tell
from tests.stories.visiting import Reader


class FakeCounter(Serving):
    """Takes whatever comes, and answers as it was told to."""

    def __init__(self) -> None:
        super().__init__(partial(_Handler, self), 0)
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.headers = 202, dict[str, str]()

    def events(self) -> list[dict[str, Any]]:
        """Give what Plausible was told."""
        return [json.loads(body) for _, _, body in self.taken]

    def orders(self) -> list[dict[str, str]]:
        """Give what Matomo was told."""
        return [dict(parse_qsl(body.decode())) for _, _, body in self.taken]


class _Handler(Handler):
    def __init__(self, fake: FakeCounter, *args: Any) -> None:
        self.fake = fake
        super().__init__(*args)

    def answer(self, body: bytes) -> None:
        self.fake.taken.append((self.path, dict(self.headers), body))
        self.send(self.fake.status, b"", self.fake.headers)


@pytest.fixture
def plausible() -> Iterator[FakeCounter]:
    """A Plausible on this machine."""
    with FakeCounter() as fake:
        yield fake


@pytest.fixture
def matomo() -> Iterator[FakeCounter]:
    """A Matomo on this machine."""
    with FakeCounter() as fake:
        yield fake


@pytest.fixture
def reader(shop: Shop, plausible: FakeCounter, matomo: FakeCounter) -> Iterator[Reader]:
    """Somebody at the door of a shop with one book that tells both."""
    make.product(shop)
    told = with_settings(
        shop,
        "analytics",
        plausible_url=plausible.origin,
        plausible_domain="example.com",
        matomo_url=matomo.origin,
        matomo_site=1,
        matomo_token=SecretStr("token-of-matomo"),
        test_hits=True,
    )
    reader = Reader(told)
    yield reader
    reader.close()


def test_a_sale_is_told_with_where_its_visit_came_from(
    reader: Reader, plausible: FakeCounter, matomo: FakeCounter
) -> None:
    reader.get("/p/book?utm_source=News&utm_campaign=spring&ref=letter.example")
    link = buy(reader).request.path
    tell(reader)
    tell(reader)

    [event] = plausible.events()
    assert event["name"] == "Purchase"
    assert event["revenue"] == {"currency": "EUR", "amount": 15.0}
    assert event["props"]["order"] == "H-1001"
    assert event["url"].endswith("/p/book?utm_source=news&utm_campaign=spring")
    assert event["referrer"] == "https://letter.example/"
    [order] = matomo.orders()
    assert (order["ec_id"], order["revenue"]) == ("H-1001", "15.00")
    assert "utm_source=news" in order["url"]

    left = repr([*plausible.taken, *matomo.taken])
    for secret in (link[3:], BUYER["email"], "203.0.113.7", "Chrome/140"):
        assert secret not in left
    assert "token-of-matomo" not in repr([each.payload for each in rows(reader.shop)])


def test_two_visitors_are_two_there_and_one_is_one(
    reader: Reader, plausible: FakeCounter, matomo: FakeCounter
) -> None:
    other = Reader(reader.shop, address="198.51.100.1", of=reader)
    for each in (reader, reader, other):
        buy(each)
    tell(reader)

    addresses = [headers["X-Forwarded-For"] for _, headers, _ in plausible.taken]
    assert all(each.startswith("2001:db8:") for each in addresses)
    assert len(set(addresses)) == 2
    assert len({each["_id"] for each in matomo.orders()}) == 2


def test_who_is_not_counted_is_a_sale_of_an_unknown_visit(
    reader: Reader, plausible: FakeCounter, matomo: FakeCounter
) -> None:
    reader.headers["DNT"] = "1"
    reader.get("/p/book?utm_source=news")
    buy(reader)
    tell(reader)

    [event], [order] = plausible.events(), matomo.orders()
    assert event["url"].endswith("/p/book")
    assert "referrer" not in event
    assert order["_id"] == f"{1:016x}"


def test_a_refund_is_an_event_of_its_own_at_plausible_and_nothing_at_matomo(
    reader: Reader, plausible: FakeCounter, matomo: FakeCounter
) -> None:
    buy(reader)
    tell(reader)
    give_back(reader.shop, "5")
    tell(reader)

    last = plausible.events()[-1]
    assert (last["name"], last["revenue"]["amount"]) == ("Refund", 5.0)
    assert len(matomo.orders()) == 1


def test_one_that_is_away_or_throws_it_away_keeps_nobody_else_from_hearing(
    reader: Reader, plausible: FakeCounter, matomo: FakeCounter, clock: Clock
) -> None:
    plausible.headers = {"X-Plausible-Dropped": "1"}
    matomo.status = 500
    buy(reader)
    tell(reader)

    kept = {each.topic: each for each in rows(reader.shop)}
    assert states(reader.shop) == [("purchase", "dead"), ("purchase", "waiting")]
    assert "thrown it away" in (kept["hit.plausible"].last_error or "")
    assert kept["hit.matomo"].last_error == "Matomo: HTTP 500."

    matomo.status = 204
    clock.move(hours=1)
    tell(reader)
    assert [state for _, state in states(reader.shop)] == ["dead", "sent"]


def test_who_is_told_no_more_leaves_nothing_waiting(
    reader: Reader, plausible: FakeCounter, matomo: FakeCounter, clock: Clock
) -> None:
    matomo.status = 500
    buy(reader)
    tell(reader)
    changed = with_settings(reader.shop, "analytics", matomo_url="", matomo_site=0)
    clock.move(hours=1)
    from handsel import worker

    worker.turn(changed)
    assert {each.topic for each in rows(changed)} == {"hit.plausible"}
