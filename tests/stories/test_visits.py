"""A whole visit, counted: from a link somewhere to a book that is read, and back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from handsel.analytics import counting, recorder
from handsel.analytics.periods import Period
from handsel.analytics.recorder import Recorder
from handsel.analytics.reports.funnel import funnel
from handsel.analytics.reports.sales import sales
from handsel.analytics.reports.tallies import By, Wanted
from handsel.analytics.sightings import Arrival, Sighting
from handsel.models import Base, DaySalt, OrderVisit, Source
from handsel.models.words import Device, EventKind, FactKind
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.stories.buyers import buy, download, with_settings
from tests.stories.giving_back import give_back
from tests.stories.visiting import COMPUTER, PHONE, Reader, rows, seen, settle, stages

NEWSLETTER = "/p/book?utm_source=newsletter&utm_medium=email&utm_campaign=Spring"


@pytest.fixture
def reader(shop: Shop) -> Iterator[Reader]:
    """Somebody at the door of a shop with one book."""
    make.product(shop)
    reader = Reader(shop)
    yield reader
    reader.close()


def test_a_visit_is_one_from_the_newsletter_to_the_refund(
    shop: Shop, reader: Reader
) -> None:
    reader.get(NEWSLETTER)
    page = buy(reader)
    download(reader, page)
    before = seen(reader)
    give_back(shop, "5")

    assert before == [
        ("viewed", "newsletter", 0),
        ("viewed", "newsletter", 0),
        ("clicked", "newsletter", 0),
        ("started", "newsletter", 0),
        ("opened", "newsletter", 0),
        ("downloaded", "newsletter", 0),
        ("paid", "newsletter", 1500),
    ]
    assert seen(reader)[len(before) :] == [("refunded", "newsletter", -500)]
    assert len({each.visitor for each in rows(shop)}) == 1
    assert stages(shop) == [1, 1, 1, 1, 1, 1]


def test_who_asks_not_to_be_counted_is_not_and_the_sale_is(
    shop: Shop, reader: Reader
) -> None:
    for header in ("DNT", "Sec-GPC"):
        quiet = Reader(shop, says={header: "1"}, of=reader)
        quiet.get(NEWSLETTER)
        buy(quiet, email=f"{header}@example.com")

    assert seen(reader) == [("paid", "(unknown)", 1500)] * 2
    assert [each.visitor for each in rows(shop)] == [None, None]
    assert stages(shop)[:4] == [0, 0, 0, 2]


@pytest.mark.parametrize(
    "says",
    [
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://google.com/)"},
        {"User-Agent": "Mozilla/5.0 AppleWebKit/537.36 (compatible; GPTBot/1.0)"},
        {"User-Agent": "curl/8.0"},
        {"User-Agent": ""},
        {"Sec-Purpose": "prefetch;prerender"},
    ],
    ids=lambda says: next(iter(says.values()))[:30],
)
def test_machines_are_no_visitors(
    shop: Shop, reader: Reader, says: dict[str, str]
) -> None:
    Reader(shop, says=says, of=reader).get("/p/book")
    reader.head("/p/book")

    assert seen(reader) == []


def test_the_sellers_own_visits_are_left_out(shop: Shop) -> None:
    make.product(shop)
    changed = with_settings(
        shop, "analytics", ignore=["203.0.113.0/24", "2001:db8::/48"]
    )
    stranger = Reader(changed, address="198.51.100.1")
    for address in ("203.0.113.9", "2001:db8::1"):
        Reader(changed, address=address, of=stranger).get("/p/book")
    stranger.get("/p/book")

    assert len(seen(stranger)) == 1
    stranger.close()


def test_a_seller_who_wants_no_visits_counted_still_has_the_sales(shop: Shop) -> None:
    make.product(shop)
    changed = with_settings(shop, "analytics", own=False)
    buy(Reader(changed))

    settle(shop)
    assert [each.kind for each in rows(shop)] == [EventKind.PAID]


def test_nothing_is_kept_by_which_a_visitor_could_be_found_again(
    shop: Shop, reader: Reader, clock: Clock
) -> None:
    reader.get(f"{NEWSLETTER}&ga=12.34")
    link = buy(reader).request.path
    seen(reader)
    (first,) = {each.visitor for each in rows(shop)}

    everything = _dump(shop, "sources", "events", "order_visits", "day_salts")
    for secret in ("203.0.113", "Mozilla", "Chrome", "reader@", link[3:]):
        assert secret not in everything

    clock.move(days=1)
    reader.get("/p/book")
    assert seen(reader)
    assert rows(shop)[-1].visitor != first
    clock.move(days=2)
    counting.forget(shop.database, clock().date(), 396)
    with shop.reading() as session:
        assert not session.scalar(select(func.count()).select_from(DaySalt))


def _dump(shop: Shop, *tables: str) -> str:
    with shop.reading() as session:
        found = [
            row
            for name in tables
            for row in session.execute(select(Base.metadata.tables[name]))
        ]
    assert found
    return repr(found)


def test_two_people_are_two_and_one_who_comes_twice_is_one(
    shop: Shop, reader: Reader
) -> None:
    for each in (
        reader,
        reader,
        Reader(shop, agent=PHONE, of=reader),
        Reader(shop, address="203.0.113.8", of=reader),
        Reader(shop, address="2001:db8:1:2::1", of=reader),
        Reader(shop, address="2001:db8:1:2:ffff::9", of=reader),  # the same household
    ):
        each.get("/p/book")

    assert len(seen(reader)) == 6
    assert stages(shop)[0] == 4


def test_where_somebody_comes_from_is_what_the_link_says_then_the_site_that_was_left(
    shop: Shop, reader: Reader
) -> None:
    def came(path: str, left: str = "", address: str = "198.51.100.1") -> str:
        other = Reader(shop, address=address, of=reader)
        other.get(path, headers={"Referer": left} if left else {})
        return seen(reader)[-1][1]

    assert came("/p/book", address="198.51.100.9") == ""
    assert came("/p/book", "https://News.example.org/item?id=1") == "news.example.org"
    assert came("/p/book") == "news.example.org"  # and is still the same visit
    assert came("/p/book", shop.settings.shop.url + "/") == "news.example.org"
    assert came("/p/book?utm_source=Ads&ref=x.example") == "ads"
    assert came("/p/book", address="198.51.100.2") == ""
    assert came("/p/book", "http://[broken", address="198.51.100.3") == ""
    assert came("/p/book?utm_source=" + "x" * 999)[:101] == "x" * 100
    assert came("/p/book?utm_source=%D8%B9%D8%B1%D8%A8%D9%8A%01") == "عربي"
    assert came("/p/book?utm_source=%00") == "\ufffd"


def test_nobody_comes_from_a_payment_page(shop: Shop, reader: Reader) -> None:
    changed = with_settings(shop, "shop", url=shop.settings.shop.url)
    provider = changed.providers["test"]
    vars(provider)["pages"] = ("https://checkout.example",)
    reader.get("/p/book?cancelled=1", headers={"Referer": "https://checkout.example/x"})

    assert seen(reader) == [("viewed", "", 0)]


def test_new_ways_to_get_here_cannot_be_made_up_without_end(
    shop: Shop, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handsel.analytics.events.MOST_SOURCES", 3)
    for number in range(6):
        reader.get(f"/p/book?utm_source=s{number}")

    assert [source for _, source, _ in seen(reader)] == [
        *("s0", "s1", "s2", "(other)", "(other)", "(other)"),
    ]


def test_a_phone_and_a_country_are_known(shop: Shop) -> None:
    make.product(shop)
    changed = with_settings(shop, "server", country_header="CF-IPCountry")
    reader = Reader(changed, agent=PHONE, says={"CF-IPCountry": "AT"})
    buy(reader)
    seen(reader)
    reader.close()

    assert {(e.country, e.device) for e in rows(shop)} == {("AT", Device.PHONE)}


def test_a_purchase_is_opened_and_downloaded_once_however_often_it_is(
    shop: Shop, reader: Reader
) -> None:
    page = buy(reader)
    for _ in range(3):
        again = reader.get(page.request.path)
        download(reader, again)
    other = Reader(shop, agent=PHONE, address="198.51.100.7", of=reader)
    other.get(page.request.path)

    kinds = [kind for kind, _, _ in seen(reader)]
    assert (kinds.count("opened"), kinds.count("downloaded")) == (1, 1)


def test_what_is_sold_without_a_visit_is_counted_and_what_is_given_is_not(
    shop: Shop, reader: Reader
) -> None:
    from handsel.ops import giving, simulation

    simulation.buy(shop, "book", "one@example.com", 1)
    giving.give(shop, "book", "two@example.com")

    assert seen(reader) == [("paid", "(unknown)", 1500)]


def test_a_dispute_counts_when_it_is_lost_and_a_failed_refund_is_undone(
    shop: Shop, reader: Reader
) -> None:
    page = buy(reader)
    seen(reader)

    def fact(kind: FactKind, name: str, minor: int) -> list[int]:
        _add_fact(shop, kind, name, minor)
        return [amount for what, _, amount in seen(reader) if what == "refunded"]

    assert page.status_code == 200
    assert fact(FactKind.DISPUTE_OPEN, "d1", 1500) == []
    assert fact(FactKind.REFUND, "r1", 500) == [-500]
    assert fact(FactKind.VOID, "r1", 500) == [-500, 500]
    assert fact(FactKind.DISPUTE_LOST, "d1", 1500) == [-500, 500, -1500]
    assert fact(FactKind.REFUND, "r2", 300) == [
        -500,
        500,
        -1500,
    ]  # no more than was paid
    assert fact(FactKind.DISPUTE_SETTLED, "d1", 0) == [-500, 500, -1500, 1200]


def _add_fact(shop: Shop, kind: FactKind, name: str, minor: int) -> None:
    from handsel.models import LedgerEntry

    with shop.transaction() as session:
        session.add(
            LedgerEntry(
                order_id=1,
                provider="test",
                kind=kind,
                object_id=name,
                amount_minor=minor,
                currency="EUR",
                at=shop.now(),
                recorded_at=shop.now(),
            )
        )


def test_counting_the_ledger_twice_changes_nothing(shop: Shop, reader: Reader) -> None:
    buy(reader)
    once = seen(reader)

    assert seen(reader) == once


def test_a_sale_whose_counts_are_all_gone_still_ends_in_a_file(
    shop: Shop, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    with shop.transaction() as session:
        for name in ("events", "order_visits", "sources", "day_salts", "event_days"):
            session.execute(text(f"DROP TABLE {name}"))
    page = buy(reader)

    assert download(reader, page).data == make.BOOK
    reader.write()
    reader.get("/p/book")
    reader.write()
    said = [each.message for each in caplog.records if "forgotten" in each.message]
    assert len(said) == 1


def test_what_the_database_does_not_take_now_is_written_down_later(
    shop: Shop, reader: Reader
) -> None:
    away = ["once"]

    def look_up(_address: str) -> str:
        if away:
            raise OperationalError("INSERT", None, Exception(away.pop()))
        return "AT"

    counts = Recorder(shop.database, shop.keys, look_up)
    counts.note(
        Sighting(
            EventKind.VIEWED, shop.now(), slug="book", agent=COMPUTER, address="::1"
        )
    )
    counts.flush()
    counts.close()

    assert not away
    assert [each.country for each in rows(shop)] == ["AT"]


def test_a_page_of_the_sellers_tells_what_happens_there(
    shop: Shop, reader: Reader
) -> None:
    for kind in ("viewed", "clicked", "read"):
        told = f'{{"v":1,"kind":"{kind}","product":"book","page":"ada.example/b"}}'
        answer = reader.tell(told, origin=shop.settings.public_url)
        assert (answer.status_code, answer.data) == (204, b"")
    seen(reader)

    with shop.reading() as session:
        pages = set(session.scalars(select(Source.page)))
    assert pages == {"ada.example/b"}
    assert [each.kind for each in rows(shop)] == ["viewed", "clicked", "read"]


UNTOLD = [
    ("", 422),
    ("[]", 422),
    ('{"kind":"paid","product":"book"}', 422),
    ('{"kind":"viewed"}', 422),
    ('{"kind":["viewed"],"product":"book"}', 422),
    ('{"kind":"viewed","product":7}', 422),
    ("{" * 5000, 413),
    ('{"kind":"viewed","product":"never"}', 204),
]


def test_what_cannot_be_counted_is_said_and_not_counted(
    shop: Shop, reader: Reader
) -> None:
    own = shop.settings.public_url
    answers = [reader.tell(told, origin=own).status_code for told, _ in UNTOLD]

    assert answers == [status for _, status in UNTOLD]
    assert seen(reader) == []


def test_other_sites_tell_nothing(reader: Reader) -> None:
    told = '{"kind":"viewed","product":"book"}'
    for origin in ("https://evil.example", "null", ""):
        assert reader.tell(told, origin=origin).status_code == 403
    assert seen(reader) == []


def test_the_visit_of_a_buyer_who_is_moved_to_another_page_goes_along(
    shop: Shop, reader: Reader
) -> None:
    reader.get(NEWSLETTER)
    buy(reader)
    seen(reader)

    with shop.reading() as session:
        kept = session.scalars(select(OrderVisit)).one()
        source = session.get_one(Source, kept.source_id)
    assert (source.name, source.medium, source.campaign) == (
        *("newsletter", "email"),
        "spring",
    )


def test_a_day_counts_the_same_before_and_after_it_is_counted(
    shop: Shop, reader: Reader, clock: Clock
) -> None:
    reader.get("/p/book")
    reader.get(NEWSLETTER)
    buy(reader)
    Reader(shop, agent=PHONE, address="198.51.100.7", of=reader).get("/p/book")
    seen(reader)
    live = _everything(shop, clock)
    clock.move(days=1)
    assert counting.count(shop.database, clock().date()) == 1
    assert counting.count(shop.database, clock().date()) == 0
    clock.move(days=-1)

    assert _everything(shop, clock) == live
    assert live["source"] == [("", [1, 0, 0, 0, 0, 0]), ("newsletter", [1] * 5 + [0])]
    assert live["nothing"] == [("", [2, 1, 1, 1, 1, 0])]

    give_back(shop, "5")  # what comes later is counted as well
    settle(shop)
    clock.move(days=1)
    assert counting.count(shop.database, clock().date()) == 1


def _everything(shop: Shop, clock: Clock) -> dict[str, list[tuple[str, list[int]]]]:
    today = clock().date()
    found = {}
    for by in By:
        with shop.reading() as session:
            told = funnel(session, Wanted(Period(today, today), by, test=True))
        found[str(by)] = sorted(
            (row["key"], [stage["count"] for stage in row["stages"]]) for row in told
        )
    return found


def test_a_day_on_which_nothing_was_after_all_is_counted(
    shop: Shop, reader: Reader, clock: Clock
) -> None:
    reader.tell('{"kind":"viewed","product":"never"}', origin=shop.settings.public_url)
    assert seen(reader) == []
    clock.move(days=1)

    assert counting.count(shop.database, clock().date()) == 1


def test_one_visit_that_is_refused_takes_no_others_along(
    shop: Shop, reader: Reader
) -> None:
    at = shop.now()
    counts = Recorder(shop.database, shop.keys, lambda _: "AT")
    for slug in ("book", "\udc00", "b\0ok", "book"):
        counts.note(Sighting(EventKind.VIEWED, at, slug=slug, agent=COMPUTER))
    counts.note(
        Sighting(
            EventKind.VIEWED,
            at,
            slug="book",
            agent=COMPUTER,
            arrival=Arrival(source="İ" * 100),
        )
    )
    counts.close()

    assert [each.kind for each in rows(shop)] == [EventKind.VIEWED] * 3


def test_an_address_that_does_what_nobody_does_is_not_counted_for_it(
    shop: Shop, reader: Reader
) -> None:
    for _ in range(recorder.MOST_A_MINUTE + 5):
        reader.get("/p/book")

    assert len(seen(reader)) == recorder.MOST_A_MINUTE


def test_a_sale_and_its_refund_count_for_the_same_source(
    shop: Shop, reader: Reader
) -> None:
    reader.get("/p/book?utm_source=aaa")
    reader.get("/p/book?utm_source=bbb")
    buy(reader)
    seen(reader)
    give_back(shop, "15")
    settle(shop)
    today = shop.now().date()
    with shop.reading() as session:
        wanted = Wanted(Period(today, today), By.SOURCE, test=True)
        found = {row["key"]: row["net_minor"] for row in sales(session, wanted)}

    assert found == {"bbb": 0}


def test_what_is_older_than_it_is_kept_is_forgotten_and_its_counts_stay(
    shop: Shop, reader: Reader, clock: Clock
) -> None:
    buy(reader)
    seen(reader)
    day = clock()
    clock.move(days=30)
    counting.count(shop.database, clock().date())
    counting.forget(shop.database, clock().date(), 29)
    (sale,) = rows(shop)
    assert (sale.kind, sale.visitor) == (EventKind.PAID, None)
    with shop.reading() as session:
        assert not session.scalar(select(func.count()).select_from(OrderVisit))
    give_back(shop, "5")
    settle(shop)
    assert [each.amount_minor for each in rows(shop)] == [1500, -500]
    give_back(shop, "3")
    settle(shop)
    assert [each.amount_minor for each in rows(shop)] == [1500, -500, -300]
    counting.count(shop.database, (clock() + timedelta(days=1)).date())
    clock.time = day

    assert stages(shop)[:4] == [1, 1, 1, 1]
