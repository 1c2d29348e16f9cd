"""Two headlines, many visitors, and what each of them brings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from handsel.analytics import experiments
from handsel.kit.errors import BadInputError, ConflictError
from handsel.models import Experiment, Exposure, OrderVariant
from handsel.ops import experimenting, shelving, stock
from handsel.sales import catalogue
from handsel.shop import Shop
from tests import make
from tests.ground.beside import ON_POSTGRES, beside
from tests.ground.shops import Clock
from tests.ground.visitor import words
from tests.stories.buyers import (
    PAYS_LATER,
    buy,
    download,
    order,
    pay,
    payment_page,
    with_settings,
)
from tests.stories.giving_back import give_back
from tests.stories.test_coupons import coupon
from tests.stories.trying import (
    begin,
    counted,
    figures,
    forget,
    headline,
    one,
    people,
    trial,
)
from tests.stories.visiting import PHONE, Reader

B = "Write the book you would like to read"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000020000000308060000009d74661a"
)


@pytest.fixture
def reader(shop: Shop) -> Iterator[Reader]:
    """Somebody at the door of a shop with one book."""
    make.product(shop)
    reader = Reader(shop)
    yield reader
    reader.close()


def test_two_headlines_are_seen_and_each_visitor_always_sees_the_same(
    shop: Shop, reader: Reader, clock: Clock
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    visitors = [Reader(shop, address=f"192.0.2.{n}", of=reader) for n in range(40)]
    first = [headline(each.get("/p/book")) for each in visitors]
    clock.move(days=30)
    again = [headline(each.get("/p/book?utm_source=x")) for each in visitors]
    afresh = [
        headline(Reader(shop, address=f"192.0.2.{n}").get("/p/book")) for n in (3, 9)
    ]

    assert set(first) == {"The Book", B}
    assert again == first
    assert afresh == [first[3], first[9]]  # of another process, without any cookie
    assert sum(figures(reader, "headline")) == 40
    assert figures(reader, "headline") == [first.count("The Book"), first.count(B)]


def test_nothing_is_kept_in_the_browser_for_what_is_no_price(
    shop: Shop, reader: Reader
) -> None:
    before = _cookies(reader)
    begin(shop, "headline", "a", f"b={B}")
    begin(shop, "button", "a", "b=Read it now")
    visitor = one(shop, "headline", "b", reader)

    assert _cookies(visitor) == before == {"handsel_visitor"}


def _cookies(reader: Reader) -> set[str]:
    answers = [reader.get(path) for path in ("/", "/p/book", "/buy/book")]
    return {
        each.partition("=")[0]
        for answer in answers
        for each in answer.headers.getlist("Set-Cookie")
    }


def test_a_buyer_counts_for_what_they_saw_when_they_pay_the_next_day_and_get_some_back(
    shop: Shop, reader: Reader, clock: Clock
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    for variant, count in (("a", 3), ("b", 2)):
        visitors = people(shop, "headline", variant, reader)
        for visitor in [next(visitors) for _ in range(count)]:
            visitor.get("/p/book")
    buyer = one(shop, "headline", "b", reader)
    later = pay(buyer, payment_page(buyer), number=PAYS_LATER)
    assert later.status_code == 200

    assert counted(reader, "headline") == [(3, 0, 0), (2, 0, 0)]
    clock.move(days=1)
    buyer.get(later.request.full_path)
    assert counted(reader, "headline") == [(3, 0, 0), (2, 1, 1500)]
    give_back(shop, "5")
    assert counted(reader, "headline") == [(3, 0, 0), (2, 1, 1000)]
    experimenting.stop(shop, "headline", None)
    give_back(shop, "10")
    assert counted(reader, "headline") == [(3, 0, 0), (2, 1, 0)]


def test_a_buyer_whose_address_changes_on_the_way_counts_for_what_they_saw(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    at_home = one(shop, "headline", "b", reader)
    page = at_home.get("/p/book")
    on_the_train = one(shop, "headline", "a", reader)
    on_the_train.client._cookies = at_home.client._cookies
    pay(on_the_train, on_the_train.press_and_follow(page, "/buy/book"))

    assert counted(reader, "headline") == [(0, 0, 0), (1, 1, 1500)]


def test_two_purchases_of_one_visitor_are_one_buyer_with_both_amounts(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    buyer = one(shop, "headline", "a", reader)
    for _ in range(2):
        buy(buyer)
        forget(buyer)

    assert counted(reader, "headline") == [(1, 1, 3000), (0, 0, 0)]


QUIET = [
    {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://google.com/)"},
    {"User-Agent": "curl/8.0"},
    {"User-Agent": ""},
    {"DNT": "1"},
    {"Sec-GPC": "1"},
]


@pytest.mark.parametrize("says", QUIET, ids=lambda says: next(iter(says.values()))[:30])
def test_machines_and_those_who_ask_for_it_see_the_page_as_it_is_and_are_not_counted(
    shop: Shop, reader: Reader, says: dict[str, str]
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    begin(shop, "price", "a", "b=19")
    for number in range(12):
        quiet = Reader(shop, address=f"192.0.2.{number}", says=says, of=reader)
        page = quiet.get("/p/book")
        assert headline(page) == "The Book"
        assert "€15.00" in words(page)
        assert "price-" not in str(page.headers.getlist("Set-Cookie"))

    assert figures(reader, "headline") == [0, 0]
    assert figures(reader, "price") == [0, 0]


def test_the_sellers_own_visits_see_the_page_as_it_is_and_are_not_counted(
    shop: Shop,
) -> None:
    make.product(shop)
    changed = with_settings(shop, "analytics", ignore=["203.0.113.0/24"])
    first = Reader(changed)
    begin(changed, "headline", "a", f"b={B}")
    for number in range(12):
        own = Reader(changed, address=f"203.0.113.{number}", of=first)
        assert headline(own.get("/p/book")) == "The Book"

    assert figures(first, "headline") == [0, 0]
    first.close()


def test_a_page_that_is_fetched_in_advance_is_the_one_that_is_seen_and_counts_when_it_is(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    visitor = one(shop, "headline", "b", reader)

    early = visitor.get("/p/book", headers={"Sec-Purpose": "prefetch"})
    visitor.head("/p/book")
    assert headline(early) == B
    assert figures(reader, "headline") == [0, 0]
    visitor.get("/p/book")
    assert figures(reader, "headline") == [0, 1]


def test_a_buyer_who_never_saw_the_page_counts_for_nothing(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    pay(reader, reader.press_and_follow(reader.get("/buy/book"), "/buy/book"))

    assert counted(reader, "headline") == [(0, 0, 0), (0, 0, 0)]


def test_every_part_of_the_page_can_be_tried_at_once_and_what_is_better_shipped(
    shop: Shop, reader: Reader, tmp_path: Path
) -> None:
    cover = make.book_file(tmp_path, "b.png", PNG)
    longer = make.book_file(tmp_path, "b.md", b"A *longer* story.")
    own = '{% extends "product.html" %}{% block assurance %}Thirty days.{% endblock %}'
    make.book_file(shop.home / "templates", "product.b.html", own.encode())
    values = {
        "headline": B,
        "button": "Get <it>",
        "description": str(longer),
        "cover": str(cover),
        "template": "product.b.html",
    }
    looks = {
        "headline": B,
        "button": "Get &lt;it&gt;",
        "description": "A <em>longer</em> story.",
        "cover": 'width="2" height="3"',
        "template": "Thirty days.",
    }
    for part, value in values.items():
        begin(shop, part, "a", f"b={value}")
    visitors = [Reader(shop, address=f"192.0.2.{n}", of=reader) for n in range(60)]
    pages = [each.get("/p/book").get_data(as_text=True) for each in visitors]

    for part, look in looks.items():
        seen = [look in page for page in pages]
        assert figures(reader, part) == [seen.count(False), seen.count(True)], part
        assert 10 < seen.count(True) < 50, part
    [picture] = {page.partition('class="cover" src="')[2][:71] for page in pages} - {""}
    assert reader.get(picture.partition('"')[0]).data == PNG
    with shop.reading() as session:
        assert picture[7:71] in stock.known(session)

    for part in values:
        experimenting.stop(shop, part, "b")
    page = Reader(shop, says={"DNT": "1"}, of=reader).get("/p/book")
    assert [
        look for look in looks.values() if look not in page.get_data(as_text=True)
    ] == []


def test_an_experiment_that_is_stopped_shows_everybody_how_it_was_and_knows_nobody_more(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    buyer = one(shop, "headline", "b", reader)
    page = buyer.get("/p/book")
    secret = trial(shop, "headline").secret
    experimenting.stop(shop, "headline", None)
    pay(buyer, buyer.press_and_follow(page, "/buy/book"))

    assert headline(buyer.get("/p/book")) == "The Book"
    assert counted(reader, "headline") == [(0, 0, 0), (1, 0, 0)]
    with shop.reading() as session:
        assert secret not in repr(session.execute(select(Experiment.__table__)).all())


def test_what_is_tried_stays_as_it_is_until_the_end(shop: Shop, reader: Reader) -> None:
    begin(shop, "headline", "a", f"b={B}")
    begin(shop, "price", "a", "b=19")
    changes: list[dict[str, Any]] = [
        {"name": "Other"},
        {"price": "20"},
        {"family": "f", "edition": "e"},
    ]
    for change in changes:
        with pytest.raises(ConflictError, match="it must stay as it is"):
            shelving.edit_product(shop, "book", **change)
    experimenting.stop(shop, "price", "a")
    for change in ({"price": "15 USD"}, {"also": ["17 USD"]}):
        with pytest.raises(ConflictError, match="currencies must stay"):
            shelving.edit_product(shop, "book", **change)
    shelving.edit_product(shop, "book", limit=3, button="Have it")

    experimenting.stop(shop, "headline", "b")
    with shop.reading() as session:
        product = catalogue.get(session, "book")
    assert (product.name, product.price_minor, product.button) == (B, 1500, "Have it")


def test_a_buyer_who_pays_in_another_currency_is_a_buyer_and_brings_no_amount(
    shop: Shop, reader: Reader
) -> None:
    shelving.edit_product(shop, "book", also=["17 USD"])
    begin(shop, "headline", "a", f"b={B}")
    buyer = one(shop, "headline", "a", reader)
    page = buyer.get("/p/book?currency=USD")
    pay(buyer, buyer.press_and_follow(page, "/buy/book"))

    assert order(shop).currency == "USD"
    assert counted(reader, "headline") == [(1, 1, 0), (0, 0, 0)]


def test_a_draft_is_asked_again_at_its_start_whether_it_can_be_measured(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", f"b={B}", begin=False)
    shelving.edit_product(shop, "book", also=["17 USD"])
    with pytest.raises(BadInputError, match="several currencies"):
        experimenting.start(shop, "headline")
    shelving.edit_product(shop, "book", only_currency=True)
    with shop.transaction() as session:
        catalogue.show(session, "book", published=False)
    with pytest.raises(BadInputError, match="not for sale"):
        experimenting.start(shop, "headline")


@ON_POSTGRES
def test_of_two_that_start_or_are_made_at_one_moment_one_is_told_so(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", f"b={B}", name="first", begin=False)
    begin(shop, "headline", "a", f"b={B}", name="second", begin=False)

    def start_second() -> None:
        with pytest.raises(ConflictError, match="just now"):
            experimenting.start(shop, "second")

    def make_twin() -> None:
        with pytest.raises(ConflictError, match="called third already"):
            begin(shop, "headline", "a", f"b={B}", name="third", begin=False)

    with beside(shop, start_second) as other, shop.transaction() as session:
        found = experiments.get(session, "first")
        experiments.start(
            session, found, shop.now(), planned_visitors=9, visitors_before=0
        )
        other()
    with beside(shop, make_twin) as other, shop.transaction() as session:
        experiments.add(session, _copy(experiments.get(session, "second"), "third"))
        other()


def _copy(found: Experiment, name: str) -> Experiment:
    return Experiment(
        name=name,
        product_id=found.product_id,
        part=found.part,
        decided_by=found.decided_by,
        lift_bp=found.lift_bp,
        currency=found.currency,
        created_at=found.created_at,
    )


BROKEN = [
    "{{ wrong }}",
    "{{ product.price + 1 }}",
    "{{ 1 / 0 }}",
    "{% include 'product.b.html' %}",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_template_that_breaks_keeps_nobody_from_buying_and_its_visitors_are_not_counted(
    shop: Shop, reader: Reader, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    own = (
        f'{{% extends "product.html" %}}{{% block assurance %}}{broken}{{% endblock %}}'
    )
    path = make.book_file(shop.home / "templates", "product.b.html", own.encode())
    begin(shop, "template", "a", f"b={path.name}")
    buyer = one(shop, "template", "b", reader)
    page = buy(buyer)

    assert download(buyer, page).data == make.BOOK
    assert counted(reader, "template") == [(0, 0, 0), (0, 0, 0)]
    assert caplog.text.count("cannot be used") == 1  # however many open the page


def test_a_draft_whose_template_is_gone_does_not_start(
    shop: Shop, reader: Reader
) -> None:
    own = b'{% extends "product.html" %}'
    path = make.book_file(shop.home / "templates", "product.b.html", own)
    begin(shop, "template", "a", f"b={path.name}", begin=False)
    path.unlink()

    with pytest.raises(BadInputError, match=r"no readable templates/product\.b\.html"):
        experimenting.start(shop, "template")


def test_the_usual_words_of_a_button_can_be_tried_against_its_own(
    shop: Shop, reader: Reader
) -> None:
    shelving.edit_product(shop, "book", button="Get it with {provider}")
    begin(shop, "button", "a", "b=")
    pages = [
        one(shop, "button", name, reader).get("/p/book").get_data(as_text=True)
        for name in "ab"
    ]

    assert ["Get it with " in page for page in pages] == [True, False]
    assert ["Buy now" in page for page in pages] == [False, True]
    assert figures(reader, "button") == [1, 1]


def test_a_free_button_names_no_way_to_pay(shop: Shop, reader: Reader) -> None:
    shelving.edit_product(shop, "book", button="Get it with {provider}")
    coupon(shop, "ALL", percent="100")
    page = reader.get("/p/book?coupon=ALL").get_data(as_text=True)

    assert "Get it free" in page
    assert "{provider}" not in page


def test_who_pays_in_another_currency_is_a_buyer_whose_money_is_not_added_up(
    shop: Shop, reader: Reader
) -> None:
    shelving.edit_product(shop, "book", also=["17 USD"])
    begin(shop, "headline", "a", f"b={B}")
    visitor = one(shop, "headline", "a", reader)
    page = visitor.get("/p/book?currency=USD")
    pay(visitor, visitor.press_and_follow(page, "/buy/book"))

    assert order(shop).currency == "USD"
    assert counted(reader, "headline") == [(1, 1, 0), (0, 0, 0)]


def test_who_buys_needs_no_experiments(
    shop: Shop, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    begin(shop, "price", "a", "b=19")
    visitor = one(shop, "price", "b", reader)
    page = visitor.get("/p/book")
    assert "€19.00" in words(page)
    with shop.transaction() as session:
        for name in (
            "order_variants",
            "exposures",
            "experiment_variants",
            "experiments",
        ):
            session.execute(text(f"DROP TABLE {name}"))
    bought = pay(visitor, visitor.press_and_follow(page, "/buy/book"))

    assert download(visitor, bought).data == make.BOOK
    assert "€15.00" in words(bought)
    other = buy(Reader(shop, agent=PHONE, of=reader), email="two@example.com")
    assert download(reader, other).data == make.BOOK
    reader.write()
    said = [
        each.message for each in caplog.records if "nobody sees any" in each.message
    ]
    assert len(said) == 1


def test_who_was_shown_what_is_written_down_once_and_without_a_person(
    shop: Shop, reader: Reader
) -> None:
    begin(shop, "headline", "a", f"b={B}")
    for _ in range(3):
        reader.get("/p/book")
    buy(reader)
    reader.write()

    with shop.reading() as session:
        rows = session.execute(select(Exposure.__table__)).all()
        orders = session.scalar(select(func.count()).select_from(OrderVariant))
    assert len(rows) == 1
    assert orders == 1
    assert "203.0.113" not in repr(rows)


def test_a_shop_that_counts_no_visits_shows_no_experiment(shop: Shop) -> None:
    make.product(shop)
    begin(shop, "headline", "a", f"b={B}")
    quiet = with_settings(shop, "analytics", own=False)
    first = Reader(quiet)
    seen = {
        headline(Reader(quiet, address=f"192.0.2.{n}", of=first).get("/p/book"))
        for n in range(12)
    }

    assert seen == {"The Book"}
