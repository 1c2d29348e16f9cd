"""Sales told to Google Analytics by the shop itself, once, as parts of the visit they are of."""

from collections.abc import Iterator

import pytest

from handsel import worker
from handsel.ops import measuring
from handsel.shop import Shop
from tests import make
from tests.providers.fake_ga4 import FakeGa4, telling
from tests.stories.buyers import pay
from tests.stories.giving_back import give_back
from tests.stories.visiting import Reader

CLIENT, SESSION = "1234567890.1700000000", "1795435200"
CARRIED = f"/p/book?utm_source=newsletter&ga={CLIENT}&gas={SESSION}"


@pytest.fixture
def google() -> Iterator[FakeGa4]:
    """A Google that counts."""
    with FakeGa4() as fake:
        yield fake
        assert fake.wrong == []


@pytest.fixture
def told(shop: Shop, google: FakeGa4) -> Shop:
    """A shop with one book that tells Google."""
    make.product(shop)
    return telling(shop, google)


@pytest.fixture
def reader(told: Shop) -> Iterator[Reader]:
    """Somebody at its door."""
    reader = Reader(told)
    yield reader
    reader.close()


def tell(reader: Reader) -> None:
    """Let what was seen and sold be written down and told."""
    reader.write()
    with reader.shop.transaction() as session:
        measuring.follow_money(session, reader.shop.settings, reader.shop.now())
    worker.turn(reader.shop)


def carried(reader: Reader, **typed: str) -> str:
    """Buy, coming from a page of the seller's with Google on it; give the link."""
    page = reader.get(CARRIED)
    paying = reader.press_and_follow(page, "/buy/book")
    return pay(reader, paying, **typed).request.path


def test_a_purchase_is_told_once_as_part_of_the_visit_it_is_of(
    reader: Reader, google: FakeGa4
) -> None:
    link = carried(reader)
    for _ in range(3):
        tell(reader)

    [sale] = google.told("purchase")
    assert sale["client_id"] == CLIENT
    assert sale["session_id"] == SESSION
    assert sale["transaction_id"] == "H-1001"
    assert (sale["value"], sale["currency"]) == (15.0, "EUR")
    [item] = sale["items"]
    assert item == {
        "item_id": "book",
        "item_name": "The Book",
        "price": 15.0,
        "quantity": 1,
    }
    assert [each["name"] for each in google.told()] == [
        *("view_item", "begin_checkout", "purchase"),
    ]
    assert {each["client_id"] for each in google.told()} == {CLIENT}
    assert link[3:] not in "".join(google.raw)


def test_a_refund_is_told_with_the_same_number(
    told: Shop, reader: Reader, google: FakeGa4
) -> None:
    carried(reader)
    tell(reader)
    for amount in ("5", "10"):
        give_back(told, amount)
        tell(reader)

    parts = google.told("refund")
    assert [each["value"] for each in parts] == [5.0, 10.0]
    assert {each["transaction_id"] for each in parts} == {"H-1001"}
    assert {each["client_id"] for each in parts} == {CLIENT}
