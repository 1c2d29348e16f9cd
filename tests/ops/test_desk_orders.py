"""The list of orders: searched as people type, filtered, paged both ways, as CSV."""

import csv
import unicodedata
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, update

from handsel.kit.errors import BadInputError
from handsel.models import Order, OrderVisit, OutboxItem, Source
from handsel.models.words import Device, OrderStatus, OutboxState
from handsel.ops import couponing, giving
from handsel.ops.desk import finding, orders, wanted
from handsel.ops.desk.wanted import ALL, BY_THEMSELVES, Wanted
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ops.keeping import buy, order_of_row, refund


def numbers(shop: Shop, **choice: object) -> list[str]:
    """Give what is found, newest first."""
    with shop.reading() as session:
        page = orders.page(session, Wanted(**choice))  # type: ignore[arg-type]
    return [line.number for line in page.lines]


def change(shop: Shop, number: str, **values: object) -> None:
    """Let an order be otherwise than it was bought."""
    with shop.transaction() as session:
        mine = update(Order).where(Order.id == order_of_row(number))
        session.execute(mine.values(**values))


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop with four orders: H-1001 to H-1003 of readers, H-1004 given to Zoë."""
    make.product(shop)
    make.product(shop, slug="font", name="The Font")
    buy(shop, 3)
    giving.give(shop, "font", "Zoe@Company.example")
    return shop


def test_what_people_type_finds_the_order(sold: Shop) -> None:
    change(sold, "H-1002", card_last4="1003", email="Anna+books@Web.example")

    for typed, found in {
        "H-1002": ["H-1002"],
        "h1002": ["H-1002"],
        " #1002 ": ["H-1002"],
        "H-10 02": ["H-1002"],
        "H‑1002": ["H-1002"],  # with the dash that does not break
        "Ｈ－１００２": ["H-1002"],
        "1003": ["H-1003", "H-1002"],  # the order, and what was paid with that card
        "•••• 1003": ["H-1002"],
        "reader1@example.com": ["H-1001"],
        "READER": ["H-1003", "H-1001"],
        "reader3@ex": ["H-1003"],
        "@web.example": ["H-1002"],
        "company.ex": ["H-1004"],
        "zoe@company.EXAMPLE": ["H-1004"],
        "anna+books": ["H-1002"],
        "eader": [],
        "%": [],
        "_eader1": [],
        "H-1": [],
        "9" * 30: [],
        "'; DROP TABLE orders; --": [],
        "ﷺ🙂\ud800".encode("utf-8", "replace").decode(): [],
    }.items():
        assert numbers(sold, text=wanted.read({"q": typed}).text) == found, typed


def test_each_filter_leaves_what_fits(sold: Shop, clock: Clock) -> None:
    change(sold, "H-1001", country="AT")
    change(sold, "H-1002", status=OrderStatus.STARTED)
    change(sold, "H-1003", status=OrderStatus.NEEDS_REVIEW, test=False)
    today = clock().date()

    assert numbers(sold) == ["H-1004", "H-1003", "H-1001"]
    assert numbers(sold, status=ALL) == ["H-1004", "H-1003", "H-1002", "H-1001"]
    assert numbers(sold, status="started") == ["H-1002"]
    assert numbers(sold, text="reader2@example.com") == ["H-1002"]
    assert numbers(sold, product="font") == ["H-1004"]
    assert numbers(sold, product="no-such") == []
    assert numbers(sold, country="AT") == ["H-1001"]
    assert numbers(sold, test=True) == ["H-1004", "H-1001"]
    assert numbers(sold, test=False) == ["H-1003"]
    assert numbers(sold, attention=True) == ["H-1003"]
    assert numbers(sold, since=today, until=today, product="book")[-1] == "H-1001"
    assert numbers(sold, since=today + timedelta(days=1)) == []
    assert numbers(sold, until=today - timedelta(days=1)) == []


def test_a_mail_that_was_given_up_needs_attention(sold: Shop) -> None:
    with sold.transaction() as session:
        mine = update(OutboxItem).where(OutboxItem.order_id == order_of_row("H-1001"))
        session.execute(mine.values(state=OutboxState.DEAD))

    assert numbers(sold, attention=True) == ["H-1001"]


def test_orders_by_coupon_and_by_where_they_came_from(shop: Shop) -> None:
    make.product(shop)
    buy(shop, 2)
    couponing.make(
        *(shop, "SPRING"),
        percent="20",
        amount=None,
        products=(),
        least=None,
        starts_at=None,
        ends_at=None,
        most_uses=None,
        most_each=None,
    )
    change(shop, "H-1001", coupon_id=1)
    came_from(shop, "H-1001", "news.example")
    came_from(shop, "H-1002", "")

    assert numbers(shop, coupon="SPRING") == ["H-1001"]
    assert numbers(shop, source="News.example") == ["H-1001"]
    assert numbers(shop, source=BY_THEMSELVES) == ["H-1002"]
    assert numbers(shop, source="nowhere") == []


def came_from(shop: Shop, number: str, name: str) -> None:
    """Let the visit of an order have come from somewhere."""
    row, at = order_of_row(number), shop.now()
    words = dict.fromkeys(
        ("medium", "campaign", "term", "content", "referrer", "page"), ""
    )
    with shop.transaction() as session:
        source = {"id": row, "mark": name, "name": name, "first_at": at} | words
        session.execute(insert(Source), source)
        session.add(
            OrderVisit(
                order_id=row,
                visitor=row,
                source_id=row,
                country="",
                device=Device.PHONE,
                at=at,
            )
        )


def test_pages_lead_to_each_other_from_both_sides(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "AT_ONCE", 2)
    make.product(shop)
    buy(shop, 5)

    with shop.reading() as session:
        first = orders.page(session, Wanted())
        second = orders.page(session, Wanted(), after=first.older)
        third = orders.page(session, Wanted(), after=second.older)
        back = orders.page(session, Wanted(), before=third.newer)
        start = orders.page(session, Wanted(), before=back.newer)
        beyond = orders.page(session, Wanted(), after="H-1001")

    assert [each.number for each in first.lines] == ["H-1005", "H-1004"]
    assert (first.newer, first.older) == ("", "H-1004")
    assert [each.number for each in second.lines] == ["H-1003", "H-1002"]
    assert [each.number for each in third.lines] == ["H-1001"]
    assert (third.newer, third.older) == ("H-1001", "")
    assert back == second
    assert start == first
    assert beyond.lines == []


@pytest.mark.parametrize("few", [0, 5_000])
@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"product": "book"},
        {"text": "reader"},
        {"product": "book", "status": "paid"},
    ],
)
def test_whichever_way_leads_there_nothing_is_left_out_or_given_twice(
    shop: Shop,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    choice: dict[str, str],
) -> None:
    monkeypatch.setattr(orders, "AT_ONCE", 2)
    monkeypatch.setattr(orders, "CSV_AT_ONCE", 2)
    monkeypatch.setattr(finding, "FEW", few)
    monkeypatch.setattr(finding, "FIRST_STEP", 1)
    monkeypatch.setattr(finding, "BLOCK", 2)
    make.product(shop)
    for _ in range(3):
        buy(shop, 2)
        clock.move(days=9)
    change(shop, "H-1003", created_at=clock() - timedelta(days=20))  # a wrong clock
    days = {"since": date(2026, 11, 23), "until": clock().date()}

    for chosen in (Wanted(**choice), Wanted(**choice, **days)):  # type: ignore[arg-type]
        down, up = walked(shop, chosen)
        assert sorted(down) == [f"H-100{n}" for n in range(1, 7)]
        assert list(reversed(up)) == down[:-1]
        sheet = csv.DictReader("".join(orders.csv(shop, chosen)).splitlines())
        assert [row["number"] for row in sheet] == down


def walked(shop: Shop, chosen: Wanted) -> tuple[list[str], list[str]]:
    """Turn all pages over, then back to the first; give what stands on them."""
    down: list[str] = []
    with shop.reading() as session:
        page = orders.page(session, chosen)
        down += [line.number for line in page.lines]
        while page.older:
            page = orders.page(session, chosen, after=page.older)
            down += [line.number for line in page.lines]
        up = [line.number for line in reversed(page.lines)][1:]
        while page.newer:
            page = orders.page(session, chosen, before=page.newer)
            up += [line.number for line in reversed(page.lines)]
    return down, up


@pytest.mark.parametrize("at_once", [50, 3])
def test_sums_are_of_one_currency_each_and_tests_stand_apart(
    sold: Shop, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(orders, "AT_ONCE", at_once)
    change(sold, "H-1002", test=False)
    change(sold, "H-1003", test=False, currency="USD")
    refund(sold, "H-1001", 500)

    found = sums(sold)

    told = [
        (each.test, each.orders, str(each.paid), str(each.refunded))
        for each in found.totals
    ]
    assert (found.count, found.more) == (4, False)
    assert told == [
        (False, 1, "15.00 EUR", "0.00 EUR"),
        (False, 1, "15.00 USD", "0.00 USD"),
        (True, 2, "15.00 EUR", "5.00 EUR"),
    ]


def sums(shop: Shop) -> orders.Sums:
    """Count and add up everything, as the list does."""
    with shop.reading() as session:
        shown = orders.page(session, Wanted())
        return orders.sums(session, Wanted(), shown)


def test_of_many_it_is_only_said_that_there_are_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MOST", 2)
    make.product(shop)
    buy(shop, 3)

    found = sums(shop)

    assert (found.count, found.more, list(found.totals)) == (2, True, [])


def test_the_sheet_has_exactly_what_is_filtered_and_no_formula(
    sold: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "CSV_AT_ONCE", 1)
    came_from(sold, "H-1001", "＝HYPERLINK(1)")
    change(sold, "H-1002", email='=cmd|"/c calc"@example.com')

    text = "".join(orders.csv(sold, Wanted(product="book")))
    rows = list(csv.DictReader(text.splitlines()))

    assert [row["number"] for row in rows] == ["H-1003", "H-1002", "H-1001"]
    assert rows[0]["price"] == "15.00"
    assert rows[0]["test"] == "yes"
    cells = [value for row in rows for value in row.values()]
    assert not [
        cell
        for cell in cells
        if unicodedata.normalize("NFKC", cell).startswith(tuple("=+-@\t\r"))
    ]
    assert rows[1]["email"] == '\'=cmd|"/c calc"@example.com'


def test_what_an_address_says_is_read_and_said_again() -> None:
    said = {
        "q": "anna",
        "status": "paid",
        "product": "book",
        "from": "2026-01-01",
        "to": "2026-02-01",
        "source": "news",
        "coupon": "SPRING",
        "country": "AT",
        "test": "none",
        "attention": "1",
    }
    assert wanted.read(said).words() == said
    assert wanted.read({"country": " at "}).country == "AT"
    assert wanted.read({}).words() == {}
    assert wanted.read({"to": "2026-02-01"}).until == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("from", {"from": "yesterday"}),
        ("to", {"from": "2026-02-01", "to": "2026-01-01"}),
        ("status", {"status": "nice"}),
    ],
)
def test_what_cannot_be_meant_is_said_at_its_field(
    field: str, said: dict[str, str]
) -> None:
    with pytest.raises(BadInputError) as error:
        wanted.read(said)
    assert error.value.field == field
