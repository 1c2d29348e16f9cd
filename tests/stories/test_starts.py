"""How many payments one visitor may begin without paying, and one browser have open."""

import pytest

from handsel import worker
from handsel.sales import starts
from tests import make
from tests.ground.till import Till, rows
from tests.ground.visitor import form_of, words
from tests.stories.test_brake import ask_for_mail, is_asked, link_in_mail, press

OFFICE = "203.0.113.9"


@pytest.fixture
def market(till: Till) -> Till:
    """A shop with one book, where cards are paid at Stripe."""
    make.product(till.shop)
    return till


def state(market: Till, name: str) -> str:
    """Say how a payment stands at Stripe."""
    return str(market.stripe.bank.get("session", name)["status"])


@pytest.mark.parametrize("address", [OFFICE, "2001:db8:1:2::9"])
def test_after_ten_unpaid_payments_a_mail_is_opened_first(
    market: Till, address: str
) -> None:
    for _ in range(starts.MOST_UNPAID):
        market.begin(market.visitor(address))
    late = market.visitor(address)
    asked = press(late)
    assert is_asked(asked)
    assert "from your network" in words(asked)
    assert press(market.visitor("192.0.2.1")).status_code == 303

    ask_for_mail(late, asked)
    assert late.press(late.get(link_in_mail(market)), "/buy/book").status_code == 303
    market.move(minutes=10)
    assert press(market.visitor(address)).status_code == 303


def test_an_office_whose_people_pay_is_not_asked(market: Till) -> None:
    for _ in range(30):
        name = market.begin(market.visitor(OFFICE))
        market.stripe.bank.pay(name)
    assert press(market.visitor(OFFICE)).status_code == 303


def test_sixty_presses_are_enough_for_anybody(market: Till) -> None:
    tester = market.visitor(OFFICE)
    codes = [tester.post("/buy/book").status_code for _ in range(61)]
    assert codes == [303] * 10 + [200] * 50 + [429]


def test_visits_from_this_machine_are_not_counted(market: Till) -> None:
    for _ in range(12):
        assert press(market.visitor()).status_code == 303


def test_a_fourth_open_payment_ends_the_first(market: Till) -> None:
    buyer = market.visitor()
    names = [market.begin(buyer) for _ in range(4)]
    assert [state(market, each) for each in names] == [
        "expired",
        "open",
        "open",
        "open",
    ]
    ended = market.order(names[0])
    assert ended
    assert ended.status == "expired"
    market.begin(market.visitor())
    assert state(market, names[1]) == "open"


def test_what_is_paid_takes_no_room(market: Till) -> None:
    buyer = market.visitor()
    names = [market.begin(buyer) for _ in range(3)]
    market.stripe.bank.pay(names[0])
    names.append(market.begin(buyer))
    assert [state(market, each) for each in names[1:]] == ["open"] * 3


def test_one_paid_at_that_very_moment_stays_paid(market: Till) -> None:
    market.stripe.hooks.mode = "drop"
    buyer = market.visitor()
    names = [market.begin(buyer) for _ in range(3)]
    market.stripe.bank.pay(names[0])
    market.begin(buyer)
    paid = market.order(names[0])
    assert paid
    assert paid.status == "paid"


def test_when_the_oldest_cannot_be_ended_the_buyer_goes_on(
    market: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = market.visitor()
    names = [market.begin(buyer) for _ in range(3)]
    market.stripe.faults.fail_next(2, 503)
    names.append(market.begin(buyer))
    assert [state(market, each) for each in names] == ["open"] * 4


def test_the_same_form_again_is_the_same_payment(market: Till) -> None:
    buyer = market.visitor(OFFICE)
    shown = buyer.get("/p/book")
    places = {buyer.press(shown, "/buy/book").location for _ in range(12)}
    assert len(places) == 1
    assert rows(market.shop)["starts"] == 1
    assert form_of(buyer.get("/p/book"), "/buy/book")


def test_the_worker_has_nothing_to_do_about_it(market: Till) -> None:
    calls = len(market.stripe.calls)
    worker.turn(market.shop)
    listed = market.stripe.calls[calls:]
    assert not [each for each in listed if each.startswith("POST")]
