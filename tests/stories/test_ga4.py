"""Sales told to Google Analytics by the shop itself, once, as parts of the visit they are of."""

import threading
from collections.abc import Iterator

import pytest

from handsel import worker
from handsel.models import Base, OrderVisit, OutboxItem
from handsel.models.words import OutboxState
from handsel.outbound.transports.folder import read_folder
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import Till
from tests.ground.visitor import words
from tests.ground.waiting import wait_until
from tests.providers.fake_ga4 import ID, SECRET, FakeGa4, telling
from tests.stories.buyers import BUYER, mails, pay, with_settings
from tests.stories.giving_back import give_back
from tests.stories.hits import everything, follow, rows, states, tell
from tests.stories.test_consent import say
from tests.stories.test_coupons import coupon
from tests.stories.visiting import Reader

CLIENT, SESSION = "1234567890.1700000000", "1795435200"
WRITTEN = int(Clock().time.timestamp())
CARRIED = f"/p/book?utm_source=newsletter&ga={CLIENT}&gas={SESSION}&gat={WRITTEN}"
ADDRESS = "203.0.113.7"


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
    reader = Reader(told, address=ADDRESS)
    yield reader
    reader.close()


def carried(reader: Reader, path: str = CARRIED) -> str:
    """Buy, coming from a page of the seller's with Google on it; give the link."""
    paying = reader.press_and_follow(reader.get(path), "/buy/book")
    return pay(reader, paying).request.path


def test_a_purchase_is_told_once_as_part_of_the_visit_it_is_of(
    reader: Reader, google: FakeGa4
) -> None:
    carried(reader)
    for _ in range(3):
        tell(reader)

    [sale] = google.told("purchase")
    assert sale == {
        "name": "purchase",
        "client_id": CLIENT,
        "session_id": SESSION,
        "engagement_time_msec": 1,
        "debug_mode": 1,
        "transaction_id": "H-1001",
        "value": 15.0,
        "currency": "EUR",
        "tax": 0.0,
        "items": [
            {"item_id": "book", "item_name": "The Book", "price": 15.0, "quantity": 1}
        ],
    }
    steps = ["view_item", "begin_checkout", "purchase"]
    assert sorted(each["name"] for each in google.told()) == sorted(steps)
    assert {(each["client_id"], each["session_id"]) for each in google.told()} == {
        (CLIENT, SESSION)
    }


def test_a_refund_is_told_with_the_same_number(
    told: Shop, reader: Reader, google: FakeGa4, clock: Clock
) -> None:
    carried(reader)
    tell(reader)
    give_back(told, "5")
    tell(reader)
    clock.move(days=3)
    give_back(told, "10")
    tell(reader)

    first, last = google.told("refund")
    assert [first["value"], last["value"]] == [5.0, 10.0]
    assert first["transaction_id"] == last["transaction_id"] == "H-1001"
    assert first["client_id"] == last["client_id"] == CLIENT
    assert "items" not in first  # else Google would take back the whole of each
    assert first["session_id"] == SESSION
    assert "session_id" not in last  # a visit of three days ago is over


def test_a_refund_of_everything_has_the_items_with_it(
    told: Shop, reader: Reader, google: FakeGa4
) -> None:
    carried(reader)
    give_back(told)
    tell(reader)

    [sale], [back] = google.told("purchase"), google.told("refund")
    assert back["items"] == sale["items"]
    assert back["value"] == sale["value"]


def test_an_address_that_is_sent_to_others_makes_nobody_the_same_person(
    told: Shop, reader: Reader, google: FakeGa4, clock: Clock
) -> None:
    clock.move(minutes=61)
    carried(reader)
    tell(reader)
    assert google.told() == []

    for _ in range(2):
        friend = Reader(told)
        page = friend.get(say(friend, "yes", CARRIED).headers["Location"])
        pay(friend, friend.press_and_follow(page, "/buy/book"))
        tell(friend)
        friend.close()
    clients = {each["client_id"] for each in google.told("purchase")}
    assert len(clients) == 2
    assert CLIENT not in clients


def test_who_has_said_yes_here_has_one_name_for_script_and_server(
    reader: Reader, google: FakeGa4
) -> None:
    page = reader.get(say(reader, "yes", CARRIED).headers["Location"])
    client = page.get_data(as_text=True).split('data-client="')[1].split('"')[0]
    assert client != CLIENT
    assert f"handsel_counted={client};" in str(page.headers)
    pay(reader, reader.press_and_follow(page, "/buy/book"))
    tell(reader)

    [sale] = google.told("purchase")
    assert sale["client_id"] == client


def test_a_coupon_is_told_with_what_it_took_off(
    told: Shop, reader: Reader, google: FakeGa4
) -> None:
    coupon(told)
    carried(reader, f"{CARRIED}&coupon=SPRING")
    tell(reader)

    for each in google.told("purchase") + google.told("begin_checkout"):
        assert each["coupon"] == "SPRING"
        assert each["value"] == each["items"][0]["price"]
        assert each["items"][0]["discount"] == 15.0 - each["value"]


def test_with_consent_and_a_blocked_script_the_sale_is_told_all_the_same(
    reader: Reader, google: FakeGa4
) -> None:
    back = say(reader, "yes").headers["Location"]
    page = reader.get(back)
    client = page.get_data(as_text=True).split('data-client="')[1].split('"')[0]
    pay(reader, reader.press_and_follow(page, "/buy/book"))
    tell(reader)

    [sale] = google.told("purchase")
    assert sale["client_id"] == client
    assert sale["session_id"] == str(int(reader.shop.now().timestamp()))
    assert {each["client_id"] for each in google.told()} == {client}
    assert {each["session_id"] for each in google.told()} == {sale["session_id"]}


@pytest.mark.parametrize("why", ["not asked", "said no", "DNT", "Sec-GPC"])
def test_without_consent_google_hears_nothing_of_it(
    told: Shop, reader: Reader, google: FakeGa4, why: str
) -> None:
    if why == "said no":
        say(reader, "no")
    if why in ("DNT", "Sec-GPC"):
        say(reader, "yes")
        reader.headers[why] = "1"
    carried(reader, "/p/book")
    tell(reader)

    assert google.raw == []
    assert rows(told) == []


def test_a_no_here_counts_more_than_a_yes_on_a_page_of_the_sellers(
    reader: Reader, google: FakeGa4, told: Shop
) -> None:
    say(reader, "no")
    carried(reader)
    tell(reader)

    assert google.raw == []
    assert CLIENT not in everything(told, OrderVisit.__table__)


def test_test_purchases_are_not_told_unless_that_is_wanted(
    told: Shop, google: FakeGa4
) -> None:
    shop = with_settings(told, "analytics", test_hits=False)
    reader = Reader(shop)
    carried(reader)
    tell(reader)
    reader.close()

    assert google.raw == []
    assert rows(shop) == []


def test_when_google_is_away_it_is_tried_again_and_told_once(
    told: Shop, reader: Reader, google: FakeGa4, clock: Clock
) -> None:
    google.statuses = [500, 503, 429]
    carried(reader)
    tell(reader)
    # One try a round: who is away is not asked for each.
    assert len(google.raw) == 1
    assert {state for _, state in states(told)} == {"waiting"}
    assert {each.last_error for each in rows(told)} == {"Google Analytics: HTTP 500."}

    for _ in range(3):
        clock.move(hours=1)
        tell(reader)

    assert {state for _, state in states(told)} == {"sent"}
    assert len(google.told("purchase")) == 1


def test_what_google_refuses_is_given_up_at_once_and_can_be_retried(
    told: Shop, reader: Reader, google: FakeGa4
) -> None:
    carried(reader)
    google.statuses = [403] * 3
    tell(reader)
    assert {state for _, state in states(told)} == {"dead"}
    assert "refused it: HTTP 403" in (rows(told)[0].last_error or "")

    from handsel.ops import mailing

    assert mailing.retry(told, None) == 0
    assert mailing.retry(told, None, "hit") == 3
    tell(reader)
    assert len(google.told("purchase")) == 1


def test_nobody_at_the_other_end_costs_nobody_anything(
    told: Shop, reader: Reader, google: FakeGa4, clock: Clock
) -> None:
    google.stop()
    carried(reader)
    reader.write()
    follow(told)
    for _ in range(12):
        worker.turn(told)
        clock.move(hours=20)

    assert len(read_folder(told.home / "mail")) == 1
    assert rows(told) == []  # three days old, and worth nothing any more


def test_what_is_too_old_is_not_told(
    told: Shop, reader: Reader, google: FakeGa4, clock: Clock
) -> None:
    carried(reader)
    reader.write()
    clock.move(hours=73)
    follow(told)
    worker.turn(told)

    assert google.told("purchase") == []
    assert rows(told) == []


def test_visits_that_are_made_up_keep_no_sale_waiting(
    told: Shop, reader: Reader, google: FakeGa4, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handsel.outbound.hits.MOST_WAITING", 5)
    google.statuses = [500]
    for _ in range(5):
        reader.get(CARRIED)
    reader.write()
    carried(reader)
    tell(reader)

    names = [name for name, _ in states(told)]
    assert names == ["view_item"] * 5 + ["purchase"]


def test_a_receipt_does_not_wait_for_google(
    told: Shop, reader: Reader, google: FakeGa4
) -> None:
    google.hang()
    stop = threading.Event()
    running = threading.Thread(target=worker.run, args=(told, stop))
    running.start()
    try:
        carried(reader)
        reader.write()
        wait_until(lambda: google.waiting)
        paying = reader.press_and_follow(reader.get("/p/book"), "/buy/book")
        pay(reader, paying, email="second@example.com")
        wait_until(lambda: len(read_folder(told.home / "mail")) == 2)
        assert google.waiting
    finally:
        google.let_go()
        stop.set()
        running.join()


def test_the_page_of_a_purchase_tells_of_its_mail_and_of_nothing_else(
    told: Shop, reader: Reader, google: FakeGa4
) -> None:
    google.statuses = [403] * 3
    link = carried(reader)
    tell(reader)

    assert {state for _, state in states(told)} == {"dead"}
    assert "could not be delivered" not in words(reader.get(link))
    assert {str(each.state) for each in _mails(told)} == {"sent"}


def _mails(shop: Shop) -> list[OutboxItem]:
    from handsel.outbound import outbox

    with shop.reading() as session:
        return list(outbox.newest(session))


def test_nothing_by_which_a_buyer_could_be_found_leaves_the_shop(
    told: Shop,
    reader: Reader,
    google: FakeGa4,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    link = carried(reader)
    tell(reader)
    give_back(told, "5")
    tell(reader)
    assert google.told("refund")

    left = "".join(google.raw)
    kept = repr([each.payload for each in rows(told)])
    counted = everything(
        told,
        *(Base.metadata.tables[name] for name in ("events", "sources", "order_visits")),
    )
    for where in (left, kept, counted, caplog.text):
        assert link[3:] not in where
    for secret in (BUYER["email"], "reader@", ADDRESS, "Mozilla/5.0 (X11"):
        assert secret not in left
        assert secret not in kept
        assert secret not in counted
    assert SECRET not in kept
    assert mails(told)


def test_the_secret_of_the_stream_is_in_no_log(
    told: Shop, reader: Reader, google: FakeGa4, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    google.stop()
    carried(reader)
    tell(reader)

    assert SECRET not in caplog.text
    assert SECRET not in repr([each.last_error for each in rows(told)])
    assert {each.last_error for each in rows(told)} == {
        "Google Analytics: ConnectionError."
    }


@pytest.mark.usefixtures("pays_here")
def test_who_goes_on_to_stripes_page_is_still_the_same_visit(
    google_of_the_till: FakeGa4, till: Till
) -> None:
    make.product(till.shop)
    reader = Reader(till.shop, of=till.visitor())
    paying = reader.press_and_follow(reader.get(CARRIED), "/buy/book")
    away = reader.press(paying, "/hosted").headers["Location"]
    reader.write()
    till.stripe.bank.pay(till.far.named(away))
    till.come_back(reader, till.far.named(away))
    tell(reader)
    reader.close()

    [sale] = google_of_the_till.told("purchase")
    assert (sale["client_id"], sale["session_id"]) == (CLIENT, SESSION)
    assert sale["transaction_id"] == "H-1002"


@pytest.fixture
def google_of_the_till(
    stripe_home: object, google: FakeGa4, monkeypatch: pytest.MonkeyPatch
) -> FakeGa4:
    """Let shops opened from now on tell this Google; to be asked for before `till`."""
    for name, value in (
        ("GA4_ID", ID),
        ("GA4_SECRET", SECRET),
        ("GA4_BASE", google.origin),
        ("TEST_HITS", "true"),
    ):
        monkeypatch.setenv(f"HANDSEL_ANALYTICS__{name}", value)
    return google


def test_however_many_tell_of_a_payment_google_hears_of_it_once(
    google_of_the_till: FakeGa4, till: Till
) -> None:
    make.product(till.shop)
    reader = Reader(till.shop, of=till.visitor())
    away = reader.press(reader.get(CARRIED), "/buy/book").headers["Location"]
    name = till.far.named(away)
    till.stripe.bank.pay(name)
    for _ in range(2):
        till.come_back(reader, name)
        till.far.hooks.deliver(times=2)
        till.reconcile()
        tell(reader)
    reader.close()

    [sale] = google_of_the_till.told("purchase")
    assert (sale["client_id"], sale["transaction_id"]) == (CLIENT, "H-1001")
    assert {each.state for each in rows(till.shop)} == {OutboxState.SENT}
