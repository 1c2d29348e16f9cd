"""What every payment provider must do, as tests to inherit.

A provider's test file makes a class that inherits the parts it supports and gives a
`driver`: `Payments` is for all; `Listed`, `Declines`, `LatePayments`, `Refunds` and
`Disputes` for those whose provider has such a thing.

    class TestStripe(Payments, Listed, Declines, LatePayments, Refunds, Disputes):
        @pytest.fixture
        def driver(self) -> Driver: ...
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Protocol

import pytest

from handsel.kit.errors import ConflictError
from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState, RefundReason
from handsel.sales.payments.base import (
    Evidence,
    Fact,
    Glimpse,
    Payment,
    PaymentProvider,
    Purchase,
    RefundRequest,
    UnknownSessionError,
)

PRICE = Money(1500, "EUR")
ENDINGS = {
    "won": FactKind.DISPUTE_WON,
    "lost": FactKind.DISPUTE_LOST,
    "settled": FactKind.DISPUTE_SETTLED,
}


class Driver(Protocol):
    """The hands of buyer, bank and time, on the far side of one provider.

    Every method acts as if it were `now`, and is over when it returns.
    """

    @property
    def provider(self) -> PaymentProvider:
        """The provider under test."""
        ...

    @property
    def now(self) -> datetime:
        """The time on the far side, aware and in UTC."""
        ...

    def pass_time(self, duration: timedelta) -> None:
        """Move `now` on; sessions whose time is over end."""
        ...

    def unknown_session(self) -> str:
        """Give a well-formed name of a session that was never started."""
        ...

    def pay(self, session_id: str, *, email: str) -> None:
        """The buyer types an address, pays, and the money is there at once."""
        ...

    def decline(self, session_id: str) -> None:
        """The buyer tries, the bank says no."""
        ...


class LateDriver(Driver, Protocol):
    """A far side where money may take days to arrive."""

    def pay_later(self, session_id: str, *, email: str) -> None:
        """The buyer finishes; the money is on its way."""
        ...

    def settle_later(self, session_id: str, *, ok: bool) -> None:
        """The money arrives, or never will."""
        ...


class RefundDriver(Driver, Protocol):
    """A far side where the seller can give money back."""

    def refund(self, session_id: str, amount: Money) -> str:
        """Give some of it back at once; the provider's name for the refund."""
        ...

    def fail_refund(self, refund_id: str) -> None:
        """The bank sends that refund back."""
        ...


class DisputeDriver(Driver, Protocol):
    """A far side where the buyer's bank can take money back."""

    def open_dispute(self, session_id: str) -> str:
        """The bank asks for all of it; the provider's name for the dispute."""
        ...

    def close_dispute(self, dispute_id: str, outcome: str) -> None:
        """The bank decides: `won` by the seller, `lost`, or `settled`."""
        ...


def a_purchase(driver: Driver, key: str = "order-1", **changes: object) -> Purchase:
    """Give a purchase of a book for 15 euros that can be paid for one hour."""
    values: dict[str, object] = {
        "key": key,
        "title": "The Analytical Engine",
        "price": PRICE,
        "email": None,
        "return_url": "http://127.0.0.1:8000/return/here",
        "cancel_url": "http://127.0.0.1:8000/p/engine?cancelled=1",
        "expires_at": driver.now + timedelta(hours=1),
        "reference": {"shop": "0123abcd", "product": "engine"},
    }
    return Purchase(**(values | changes))  # type: ignore[arg-type]  # any field


def begin(driver: Driver, key: str = "order-1") -> str:
    """Start a session and give its name."""
    return driver.provider.start(a_purchase(driver, key), driver.now).session_id


def look(driver: Driver, object_id: str) -> Payment:
    """Ask the provider under test, now."""
    return driver.provider.look_up(object_id, driver.now)


def kinds(payment: Payment) -> list[FactKind]:
    """Give the kinds of all facts, sorted: the order of facts means nothing."""
    return sorted(fact.kind for fact in payment.facts)


def the_fact(payment: Payment, kind: FactKind) -> Fact:
    """Give the one fact of a kind."""
    [found] = [fact for fact in payment.facts if fact.kind is kind]
    return found


def listed(driver: Driver, since: datetime) -> list[Glimpse]:
    """Give all that changed since then."""
    return list(driver.provider.sessions_since(since, driver.now))


class Payments:
    """Starting, paying, not paying, looking, listing."""

    def test_the_provider_says_who_it_is(self, driver: Driver) -> None:
        assert driver.provider.name.isidentifier()
        assert driver.provider.label
        assert driver.provider.test is True
        assert all("//" in page for page in driver.provider.pages)

    def test_a_started_session_is_open_and_knows_what_it_is_for(
        self, driver: Driver
    ) -> None:
        purchase = a_purchase(driver)
        started = driver.provider.start(purchase, driver.now)
        payment = look(driver, started.session_id)
        assert started.url
        assert payment.session_id == started.session_id
        assert payment.state is PaymentState.OPEN
        assert payment.price == PRICE
        assert payment.test is True
        assert payment.facts == ()
        assert dict(payment.reference) == dict(purchase.reference)

    def test_an_address_given_by_the_shop_is_kept(self, driver: Driver) -> None:
        purchase = a_purchase(driver, email="ada@example.org")
        started = driver.provider.start(purchase, driver.now)
        driver.pay(started.session_id, email="ada@example.org")
        assert look(driver, started.session_id).email == "ada@example.org"

    def test_starting_again_with_the_same_key_gives_the_same_session(
        self, driver: Driver
    ) -> None:
        purchase = a_purchase(driver)
        first = driver.provider.start(purchase, driver.now)
        driver.pass_time(timedelta(seconds=5))
        assert driver.provider.start(purchase, driver.now) == first

    def test_another_key_gives_another_session(self, driver: Driver) -> None:
        assert begin(driver, "order-1") != begin(driver, "order-2")

    def test_a_session_nobody_started_is_unknown(self, driver: Driver) -> None:
        with pytest.raises(UnknownSessionError):
            look(driver, driver.unknown_session())

    @pytest.mark.parametrize(
        "nonsense",
        ["", "x", "../orders", "a/b?c=d", "é", "\x00", "x' OR 1=1 --", "x" * 9000],
    )
    def test_nonsense_is_an_unknown_session_too(
        self, driver: Driver, nonsense: str
    ) -> None:
        with pytest.raises(UnknownSessionError):
            look(driver, nonsense)

    def test_what_is_paid_was_captured_once_however_often_we_look(
        self, driver: Driver
    ) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        paid = look(driver, session)
        driver.pass_time(timedelta(days=2))
        assert paid.state is PaymentState.COMPLETE
        assert paid.email == "ada@example.org"
        assert kinds(paid) == [FactKind.CAPTURE]
        assert paid.facts[0].amount == PRICE
        assert paid.facts[0].at.utcoffset() == timedelta(0)
        assert look(driver, session) == paid

    def test_two_payments_are_two_captures(self, driver: Driver) -> None:
        names = set()
        for key in ("order-1", "order-2"):
            session = begin(driver, key)
            driver.pay(session, email="ada@example.org")
            names.add(the_fact(look(driver, session), FactKind.CAPTURE).object_id)
        assert len(names) == 2

    def test_a_declined_card_moves_no_money(self, driver: Driver) -> None:
        session = begin(driver)
        driver.decline(session)
        payment = look(driver, session)
        assert payment.facts == ()
        assert payment.state in (PaymentState.OPEN, PaymentState.FAILED)

    def test_a_session_whose_time_is_over_has_expired(self, driver: Driver) -> None:
        session = begin(driver)
        driver.pass_time(timedelta(hours=2))
        payment = look(driver, session)
        assert payment.state is PaymentState.EXPIRED
        assert payment.facts == ()

    def test_a_cancelled_session_has_expired_and_can_be_cancelled_again(
        self, driver: Driver
    ) -> None:
        session = begin(driver)
        driver.provider.cancel(session, driver.now)
        driver.provider.cancel(session, driver.now)
        assert look(driver, session).state is PaymentState.EXPIRED

    def test_cancelling_what_is_paid_changes_nothing(self, driver: Driver) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        paid = look(driver, session)
        driver.provider.cancel(session, driver.now)
        assert look(driver, session) == paid

    def test_cancelling_what_nobody_started_says_so(self, driver: Driver) -> None:
        with pytest.raises(UnknownSessionError):
            driver.provider.cancel(driver.unknown_session(), driver.now)

    def test_sessions_since_names_what_was_paid_and_how_it_stands(
        self, driver: Driver
    ) -> None:
        start = driver.now
        begin(driver, "order-1")
        paid = begin(driver, "order-2")
        driver.pay(paid, email="ada@example.org")
        found = [each for each in listed(driver, start) if each.session_id == paid]
        assert found == [Glimpse(paid, PaymentState.COMPLETE)]

    def test_sessions_since_names_what_was_begun_before_and_paid_after(
        self, driver: Driver
    ) -> None:
        session = begin(driver)
        driver.pass_time(timedelta(minutes=30))
        since = driver.now
        driver.pay(session, email="ada@example.org")
        assert session in [glimpse.session_id for glimpse in listed(driver, since)]

    def test_sessions_since_leaves_out_what_did_not_change(
        self, driver: Driver
    ) -> None:
        driver.pay(begin(driver), email="ada@example.org")
        driver.pass_time(timedelta(days=3))
        assert listed(driver, driver.now - timedelta(hours=1)) == []


class Listed:
    """A list of what was begun, for a provider that has one."""

    def test_sessions_since_names_what_was_begun_and_how_it_stands(
        self, driver: Driver
    ) -> None:
        start = driver.now
        waiting, paid = begin(driver, "order-1"), begin(driver, "order-2")
        driver.pay(paid, email="ada@example.org")
        found = listed(driver, start)
        assert Glimpse(waiting, PaymentState.OPEN) in found
        assert Glimpse(paid, PaymentState.COMPLETE) in found
        assert {glimpse.session_id for glimpse in found} == {waiting, paid}


class Declines:
    """Telling of cards that were declined."""

    def test_a_declined_card_is_told_with_one_name_whoever_asks(
        self, driver: Driver
    ) -> None:
        session = begin(driver)
        assert look(driver, session).declined == ()
        driver.decline(session)
        [first] = look(driver, session).declined
        [again] = look(driver, session).declined
        assert first.object_id == again.object_id
        assert abs(first.at - driver.now) < timedelta(seconds=1)

    def test_declined_cards_of_two_sessions_have_two_names(
        self, driver: Driver
    ) -> None:
        names = set()
        for key in ("order-1", "order-2"):
            session = begin(driver, key)
            driver.decline(session)
            [declined] = look(driver, session).declined
            names.add(declined.object_id)
        assert len(names) == 2


class LatePayments:
    """Money that is on its way for a while."""

    def test_money_on_its_way_is_no_capture_yet(self, driver: LateDriver) -> None:
        session = begin(driver)
        driver.pay_later(session, email="ada@example.org")
        payment = look(driver, session)
        assert payment.state is PaymentState.PROCESSING
        assert payment.facts == ()
        assert Glimpse(session, PaymentState.PROCESSING) in listed(
            driver, driver.now - timedelta(hours=1)
        )

    def test_money_that_arrives_late_is_captured_and_listed(
        self, driver: LateDriver
    ) -> None:
        session = begin(driver)
        driver.pay_later(session, email="ada@example.org")
        driver.pass_time(timedelta(days=3))
        since = driver.now
        driver.settle_later(session, ok=True)
        payment = look(driver, session)
        assert payment.state is PaymentState.COMPLETE
        assert kinds(payment) == [FactKind.CAPTURE]
        assert session in [glimpse.session_id for glimpse in listed(driver, since)]

    def test_money_that_never_arrives_is_a_failure(self, driver: LateDriver) -> None:
        session = begin(driver)
        driver.pay_later(session, email="ada@example.org")
        driver.pass_time(timedelta(days=3))
        since = driver.now
        driver.settle_later(session, ok=False)
        payment = look(driver, session)
        assert payment.state is PaymentState.FAILED
        assert payment.facts == ()
        assert session in [glimpse.session_id for glimpse in listed(driver, since)]


class Refunds:
    """Money that goes back."""

    def test_refunds_are_facts_of_their_own(self, driver: RefundDriver) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        first = driver.refund(session, Money(500, "EUR"))
        second = driver.refund(session, Money(1000, "EUR"))
        payment = look(driver, session)
        refunds = {
            fact.object_id: fact.amount
            for fact in payment.facts
            if fact.kind is FactKind.REFUND
        }
        assert refunds == {first: Money(500, "EUR"), second: Money(1000, "EUR")}
        assert the_fact(payment, FactKind.CAPTURE).amount == PRICE
        assert payment.state is PaymentState.COMPLETE
        assert look(driver, session) == payment

    def test_the_shop_can_give_money_back_once_for_each_key(
        self, driver: RefundDriver
    ) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        part = RefundRequest("one", Money(500, "EUR"), RefundReason.DUPLICATE)
        first = driver.provider.refund(session, part, driver.now)
        driver.pass_time(timedelta(minutes=5))
        assert driver.provider.refund(session, part, driver.now) == first
        assert the_fact(look(driver, session), FactKind.REFUND).key == "one"
        rest = RefundRequest("two", Money(1000, "EUR"))
        second = driver.provider.refund(session, rest, driver.now)
        assert {
            fact.object_id: fact.amount.minor
            for fact in look(driver, session).facts
            if fact.kind is FactKind.REFUND
        } == {first: 500, second: 1000}

    def test_the_same_key_from_several_at_once_is_one_refund(
        self, driver: RefundDriver
    ) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        barrier = Barrier(4)

        def refund(wanted: RefundRequest) -> str:
            barrier.wait(10)
            return driver.provider.refund(session, wanted, driver.now)

        names = []
        with ThreadPoolExecutor(4) as pool:
            for key in ("1", "2", "3", "4", "5"):
                wanted = RefundRequest(key, Money(100, "EUR"))
                [name] = set(pool.map(refund, [wanted] * 4))
                names.append(name)
        facts = look(driver, session).facts
        gone = {fact.object_id for fact in facts if fact.kind is FactKind.REFUND}
        assert gone == set(names)

    def test_the_shop_cannot_give_back_more_than_is_there(
        self, driver: RefundDriver
    ) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        for key, minor in (("much", 1501), ("all", 1500), ("more", 1)):
            wanted = RefundRequest(key, Money(minor, "EUR"))
            if key == "all":
                driver.provider.refund(session, wanted, driver.now)
                continue
            with pytest.raises(ConflictError):
                driver.provider.refund(session, wanted, driver.now)
        assert the_fact(look(driver, session), FactKind.REFUND).amount == PRICE

    def test_what_was_never_paid_cannot_go_back(self, driver: RefundDriver) -> None:
        wanted = RefundRequest("none", PRICE)
        with pytest.raises(ConflictError):
            driver.provider.refund(begin(driver), wanted, driver.now)
        with pytest.raises(UnknownSessionError):
            driver.provider.refund(driver.unknown_session(), wanted, driver.now)

    def test_a_refund_that_comes_back_is_void(self, driver: RefundDriver) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        refund = driver.refund(session, PRICE)
        driver.fail_refund(refund)
        void = the_fact(look(driver, session), FactKind.VOID)
        assert (void.object_id, void.amount) == (refund, PRICE)

    def test_a_late_refund_is_listed_whatever_we_know(
        self, driver: RefundDriver
    ) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        driver.pass_time(timedelta(days=20))
        since = driver.now
        driver.refund(session, PRICE)
        assert Glimpse(session, None) in listed(driver, since)


class Disputes:
    """Money that the buyer's bank takes back."""

    def test_an_open_dispute_is_a_fact(self, driver: DisputeDriver) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        dispute = driver.open_dispute(session)
        opened = the_fact(look(driver, session), FactKind.DISPUTE_OPEN)
        assert (opened.object_id, opened.amount) == (dispute, PRICE)

    @pytest.mark.parametrize("outcome", sorted(ENDINGS))
    def test_its_end_is_a_fact_beside_its_beginning(
        self, driver: DisputeDriver, outcome: str
    ) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        dispute = driver.open_dispute(session)
        driver.close_dispute(dispute, outcome)
        payment = look(driver, session)
        assert the_fact(payment, FactKind.DISPUTE_OPEN).object_id == dispute
        assert the_fact(payment, ENDINGS[outcome]).object_id == dispute
        assert len(payment.facts) == 3
        assert look(driver, session) == payment

    def test_an_open_dispute_is_answered_and_a_closed_one_cannot_be(
        self, driver: DisputeDriver
    ) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        said = Evidence("A book", "ada@example.org", driver.now, "1", "2", "3")
        with pytest.raises(ConflictError):
            driver.provider.contest(session, said, driver.now)
        dispute = driver.open_dispute(session)
        assert driver.provider.contest(session, said, driver.now) == dispute
        with pytest.raises(ConflictError):
            driver.provider.contest(session, said, driver.now)
        driver.close_dispute(dispute, "lost")
        with pytest.raises(ConflictError):
            driver.provider.contest(session, said, driver.now)
        with pytest.raises(UnknownSessionError):
            driver.provider.contest(driver.unknown_session(), said, driver.now)

    def test_a_late_end_is_listed_whatever_we_know(self, driver: DisputeDriver) -> None:
        session = begin(driver)
        driver.pay(session, email="ada@example.org")
        dispute = driver.open_dispute(session)
        driver.pass_time(timedelta(days=60))
        since = driver.now
        driver.close_dispute(dispute, "won")
        assert Glimpse(session, None) in listed(driver, since)
