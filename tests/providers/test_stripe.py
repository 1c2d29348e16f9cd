"""Stripe passes the suite of all providers, and does what only Stripe does."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests

from handsel.kit.errors import (
    BadInputError,
    ConfigurationError,
    ConflictError,
)
from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments.base import (
    Evidence,
    Glimpse,
    ProviderUnavailableError,
    RefundRequest,
    UnknownSessionError,
)
from tests.providers.fake_stripe import FakeStripe
from tests.providers.fakes.stripe_bank import DECLINED_CARD, GOOD_CARD
from tests.providers.stripe_driver import StripeDriver, open_stripe
from tests.providers.suite import (
    PRICE,
    Declines,
    Disputes,
    LatePayments,
    Listed,
    Payments,
    Refunds,
    a_purchase,
    begin,
    kinds,
    listed,
    look,
    the_fact,
)


class TestStripe(Payments, Listed, Declines, LatePayments, Refunds, Disputes):
    """The suite of all providers, on Stripe."""

    @pytest.fixture
    def driver(self, stripe_driver: StripeDriver) -> StripeDriver:
        return stripe_driver


def paid(driver: StripeDriver) -> str:
    """Start a session, pay it, and give its name."""
    session = begin(driver)
    driver.pay(session, email="ada@example.org")
    return session


# Starting


def test_the_session_carries_the_purchase_and_its_reference(
    stripe_driver: StripeDriver,
) -> None:
    purchase = a_purchase(stripe_driver, email="ada@example.org")
    stripe_driver.provider.start(purchase, stripe_driver.now)
    session = stripe_driver.fake.bank.latest()
    assert session["client_reference_id"] == purchase.key
    assert session["success_url"] == (
        "http://127.0.0.1:8000/return/here?session={CHECKOUT_SESSION_ID}"
    )
    assert session["cancel_url"] == purchase.cancel_url
    assert session["customer_email"] == "ada@example.org"
    assert session["expires_at"] == int(purchase.expires_at.timestamp())


def test_the_reference_is_found_at_the_charge_as_well(
    stripe_driver: StripeDriver,
) -> None:
    paid(stripe_driver)
    [charge] = stripe_driver.fake.bank.kept["charge"].values()
    purchase = a_purchase(stripe_driver)
    assert charge["metadata"] == {**purchase.reference, "purchase": purchase.key}


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (timedelta(minutes=1), timedelta(minutes=31)),
        (timedelta(hours=5), timedelta(hours=5)),
        (timedelta(days=9), timedelta(hours=23, minutes=59)),
    ],
)
def test_the_end_of_a_session_is_where_stripe_allows_it(
    stripe_driver: StripeDriver, wanted: timedelta, given: timedelta
) -> None:
    now = stripe_driver.now
    stripe_driver.provider.start(
        a_purchase(stripe_driver, expires_at=now + wanted), now
    )
    ending = stripe_driver.fake.bank.latest()["expires_at"]
    assert datetime.fromtimestamp(ending, UTC) == now + given


def test_a_purchase_begun_with_other_details_is_refused(
    stripe_driver: StripeDriver,
) -> None:
    begin(stripe_driver)
    dearer = a_purchase(stripe_driver, price=Money(9900, "EUR"))
    with pytest.raises(ConflictError, match="other details"):
        stripe_driver.provider.start(dearer, stripe_driver.now)


def test_an_answer_that_got_lost_does_not_begin_a_second_session(
    stripe_driver: StripeDriver,
) -> None:
    stripe_driver.fake.faults.lose_next(1)
    session = begin(stripe_driver)
    assert list(stripe_driver.fake.bank.kept["session"]) == [session]
    assert stripe_driver.fake.calls == ["POST /v1/checkout/sessions"] * 2


@pytest.mark.parametrize("minor", [49, 100_000_000])
def test_a_price_stripe_does_not_take_is_the_sellers_business(
    stripe_driver: StripeDriver, minor: int
) -> None:
    purchase = a_purchase(stripe_driver, price=Money(minor, "EUR"))
    with pytest.raises(BadInputError) as refused:
        stripe_driver.provider.start(purchase, stripe_driver.now)
    assert refused.value.field == "price"


def test_an_address_stripe_does_not_take_is_named(stripe_driver: StripeDriver) -> None:
    purchase = a_purchase(stripe_driver, email="ada")
    with pytest.raises(BadInputError) as refused:
        stripe_driver.provider.start(purchase, stripe_driver.now)
    assert refused.value.field == "email"


# Bad days


@pytest.mark.parametrize("status", [429, 500, 503])
def test_when_stripe_fails_nothing_was_charged_and_we_say_so(
    stripe_driver: StripeDriver, status: int
) -> None:
    stripe_driver.fake.faults.fail_next(5, status)
    with pytest.raises(ProviderUnavailableError, match="not charged"):
        begin(stripe_driver)


def test_one_failure_of_stripe_is_not_noticed(stripe_driver: StripeDriver) -> None:
    stripe_driver.fake.faults.fail_next(1, 503)
    assert begin(stripe_driver)


def test_when_stripe_is_away_we_say_so(stripe: FakeStripe) -> None:
    driver = StripeDriver(stripe)
    stripe.stop()
    with pytest.raises(ProviderUnavailableError):
        look(driver, "cs_test_x")


def test_when_stripe_hangs_we_stop_waiting(
    stripe_driver: StripeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begin(stripe_driver)
    stripe_driver.fake.faults.slow(30)
    monkeypatch.setattr("handsel.sales.payments.stripe_api._TIMEOUT", (0.2, 0.2))
    impatient = open_stripe(stripe_driver.fake)
    with pytest.raises(ProviderUnavailableError):
        impatient.look_up(session, stripe_driver.now)


def test_the_list_of_sessions_says_so_too_when_stripe_is_away(
    stripe_driver: StripeDriver,
) -> None:
    stripe_driver.fake.faults.fail_next(5, 500)
    with pytest.raises(ProviderUnavailableError):
        listed(stripe_driver, stripe_driver.now)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_stripe_does_not_accept_is_named(
    stripe_driver: StripeDriver, status: int
) -> None:
    stripe_driver.fake.faults.fail_next(1, status)
    with pytest.raises(ConfigurationError, match=r"stripe\.secret_key"):
        begin(stripe_driver)


def test_no_error_and_no_log_line_shows_a_secret(
    stripe: FakeStripe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = open_stripe(stripe, secret_key="sk_live_" + "verysecret")
    with pytest.raises(ConfigurationError) as refused:
        provider.look_up("cs_test_x", stripe.bank.now)
    seen = caplog.text + str(refused.value) + repr(refused.value.__cause__)
    assert "verysecret" not in seen + repr(provider)
    assert "handsel.payments.stripe" in caplog.text


@pytest.mark.parametrize("missing", ["secret_key", "webhook_secret"])
def test_without_its_secrets_stripe_is_not_opened(
    stripe: FakeStripe, missing: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"stripe\.{missing}"):
        open_stripe(stripe, **{missing: None})  # type: ignore[arg-type]  # either name


def test_the_kind_of_key_says_whether_money_is_real(stripe: FakeStripe) -> None:
    keys = ("sk_test_x", "rk_test_x", "sk_live_x", "rk_live_x")
    assert [open_stripe(stripe, secret_key=key).test for key in keys] == [
        True,
        True,
        False,
        False,
    ]


# Looking up


def test_payment_charge_refund_and_dispute_all_lead_to_the_session(
    stripe_driver: StripeDriver,
) -> None:
    session = paid(stripe_driver)
    refund = stripe_driver.refund(session, Money(500, "EUR"))
    dispute = stripe_driver.open_dispute(session)
    [charge] = stripe_driver.fake.bank.kept["charge"]
    [intent] = stripe_driver.fake.bank.kept["payment_intent"]
    whole = look(stripe_driver, session)
    for name in (intent, charge, refund, dispute):
        assert look(stripe_driver, name) == whole


def test_a_buyer_can_read_the_card_and_the_name_on_the_statement(
    stripe_driver: StripeDriver,
) -> None:
    payment = look(stripe_driver, paid(stripe_driver))
    assert payment.card_last4 == "4242"
    assert payment.statement_text == "FAKE SHOP"


def test_a_card_that_works_after_one_that_did_not_is_one_capture(
    stripe_driver: StripeDriver,
) -> None:
    session = begin(stripe_driver)
    stripe_driver.decline(session)
    stripe_driver.pay(session, email="ada@example.org")
    payment = look(stripe_driver, session)
    assert kinds(payment) == [FactKind.CAPTURE]
    assert payment.state is PaymentState.COMPLETE


def test_a_refund_on_its_way_is_no_fact_until_it_is_there(
    stripe_driver: StripeDriver,
) -> None:
    session = paid(stripe_driver)
    refund = stripe_driver.fake.bank.refund(session, status="pending")
    assert kinds(look(stripe_driver, session)) == [FactKind.CAPTURE]
    stripe_driver.fake.bank.settle_refund(refund, "succeeded")
    assert the_fact(look(stripe_driver, session), FactKind.REFUND).amount == PRICE


@pytest.mark.parametrize("ending", ["failed", "canceled"])
def test_a_refund_that_came_back_tells_both_halves(
    stripe_driver: StripeDriver, ending: str
) -> None:
    session = paid(stripe_driver)
    refund = stripe_driver.fake.bank.refund(session, status="pending")
    stripe_driver.fake.bank.settle_refund(refund, ending)
    assert kinds(look(stripe_driver, session)) == sorted(
        [FactKind.CAPTURE, FactKind.REFUND, FactKind.VOID]
    )


def test_more_refunds_than_stripe_sends_along_are_all_found(
    stripe_driver: StripeDriver,
) -> None:
    session = paid(stripe_driver)
    given = {stripe_driver.refund(session, Money(50, "EUR")) for _ in range(12)}
    facts = look(stripe_driver, session).facts
    assert {fact.object_id for fact in facts if fact.kind is FactKind.REFUND} == given


def test_a_dispute_that_a_refund_prevented_is_settled(
    stripe_driver: StripeDriver,
) -> None:
    session = paid(stripe_driver)
    dispute = stripe_driver.fake.bank.open_dispute(session, warning=True)
    stripe_driver.close_dispute(dispute, "prevented")
    assert the_fact(look(stripe_driver, session), FactKind.DISPUTE_SETTLED)


def test_a_payment_that_came_about_in_another_way_is_unknown(
    stripe_driver: StripeDriver,
) -> None:
    with pytest.raises(UnknownSessionError):
        look(stripe_driver, "pi_fromanotherprogram")


@pytest.mark.parametrize("name", ["cs_test_x/expire", "cs_test_x?a=b", "cs_x\n"])
def test_nothing_but_a_name_gets_into_an_address(
    stripe_driver: StripeDriver, name: str
) -> None:
    with pytest.raises(UnknownSessionError):
        look(stripe_driver, name)
    assert stripe_driver.fake.calls == []


def test_a_subscription_of_another_program_is_none_of_ours(
    stripe_driver: StripeDriver,
) -> None:
    since = stripe_driver.now
    session = paid(stripe_driver)
    subscribe(stripe_driver, session)
    with pytest.raises(UnknownSessionError):
        look(stripe_driver, session)
    assert listed(stripe_driver, since) == []


def subscribe(driver: StripeDriver, session: str) -> None:
    """Make a session, and its events, into one of another program."""
    driver.fake.bank.get("session", session)["mode"] = "subscription"
    for event in driver.fake.bank.events:
        event["data"]["object"]["mode"] = "subscription"


def test_a_paid_session_costs_two_calls_and_an_open_one_only_one(
    stripe_driver: StripeDriver,
) -> None:
    session = begin(stripe_driver)
    assert calls_of(stripe_driver, lambda: look(stripe_driver, session)) == 1
    stripe_driver.pay(session, email="ada@example.org")
    assert calls_of(stripe_driver, lambda: look(stripe_driver, session)) == 2


def test_cancelling_while_the_buyer_pays_lets_the_payment_win(
    stripe_driver: StripeDriver,
) -> None:
    session = begin(stripe_driver)
    bank = stripe_driver.fake.bank
    expire = bank.expire

    def pay_first(name: str) -> dict[str, object]:
        bank.pay(name)
        return expire(name)

    bank.expire = pay_first  # type: ignore[method-assign]  # the buyer is faster
    stripe_driver.provider.cancel(session, stripe_driver.now)
    assert look(stripe_driver, session).state is PaymentState.COMPLETE


def test_a_session_that_stripe_will_not_end_is_an_error(
    stripe_driver: StripeDriver,
) -> None:
    session = begin(stripe_driver)
    stripe_driver.fake.faults.fail_next(1, 400)
    with pytest.raises(ConfigurationError, match="refused"):
        stripe_driver.provider.cancel(session, stripe_driver.now)


# Listing


def calls_of(driver: StripeDriver, action: Callable[[], object]) -> int:
    """Count the calls of Stripe's API that an action takes."""
    before = len(driver.fake.calls)
    action()
    return len(driver.fake.calls) - before


def test_a_quiet_day_costs_two_calls(stripe_driver: StripeDriver) -> None:
    paid(stripe_driver)
    stripe_driver.pass_time(timedelta(days=2))
    since = stripe_driver.now - timedelta(days=1)
    assert calls_of(stripe_driver, lambda: listed(stripe_driver, since)) == 2


def test_more_sessions_than_one_page_are_all_named(
    stripe_driver: StripeDriver,
) -> None:
    since = stripe_driver.now
    begun = {begin(stripe_driver, f"order-{n}") for n in range(103)}
    assert {glimpse.session_id for glimpse in listed(stripe_driver, since)} == begun


def test_a_session_begun_and_paid_since_then_is_named_once(
    stripe_driver: StripeDriver,
) -> None:
    since = stripe_driver.now
    session = paid(stripe_driver)
    assert listed(stripe_driver, since) == [Glimpse(session, PaymentState.COMPLETE)]


def test_a_new_session_whose_money_never_came_is_listed_as_failed(
    stripe_driver: StripeDriver,
) -> None:
    since = stripe_driver.now
    session = begin(stripe_driver)
    stripe_driver.pay_later(session, email="ada@example.org")
    stripe_driver.settle_later(session, ok=False)
    assert listed(stripe_driver, since) == [Glimpse(session, PaymentState.FAILED)]


@pytest.mark.parametrize(
    ("ok", "state"), [(True, PaymentState.COMPLETE), (False, PaymentState.FAILED)]
)
def test_the_last_word_on_an_older_session_is_what_is_listed(
    stripe_driver: StripeDriver, ok: bool, state: PaymentState
) -> None:
    session = begin(stripe_driver)
    stripe_driver.pass_time(timedelta(minutes=30))
    since = stripe_driver.now
    stripe_driver.pay_later(session, email="ada@example.org")
    stripe_driver.settle_later(session, ok=ok)
    assert listed(stripe_driver, since) == [Glimpse(session, state)]


def test_after_a_very_old_backup_what_was_begun_before_and_paid_after_is_found(
    stripe_driver: StripeDriver,
) -> None:
    session = begin(stripe_driver)
    stripe_driver.pass_time(timedelta(minutes=30))
    since = stripe_driver.now
    stripe_driver.pay(session, email="ada@example.org")
    stripe_driver.pass_time(timedelta(days=40))
    stripe_driver.fake.bank.kept["event"].clear()
    assert Glimpse(session, PaymentState.COMPLETE) in listed(stripe_driver, since)


def test_after_a_very_old_backup_refunds_and_disputes_are_found_without_events(
    stripe_driver: StripeDriver,
) -> None:
    refunded, disputed = (
        begin(stripe_driver, "order-1"),
        begin(stripe_driver, "order-2"),
    )
    for session in (refunded, disputed):
        stripe_driver.pay(session, email="ada@example.org")
    stripe_driver.pass_time(timedelta(days=10))
    since = stripe_driver.now
    stripe_driver.refund(refunded, PRICE)
    stripe_driver.open_dispute(disputed)
    stripe_driver.pass_time(timedelta(days=40))
    stripe_driver.fake.bank.kept["event"].clear()
    assert set(listed(stripe_driver, since)) == {
        Glimpse(refunded, None),
        Glimpse(disputed, None),
    }


def test_money_that_is_not_from_a_payment_page_is_passed_over(
    stripe_driver: StripeDriver,
) -> None:
    session = paid(stripe_driver)
    stripe_driver.pass_time(timedelta(days=3))
    since = stripe_driver.now
    stripe_driver.refund(session, PRICE)
    del stripe_driver.fake.bank.kept["session"][session]
    assert listed(stripe_driver, since) == []


# The page


def test_a_buyer_without_a_browser_can_pay_at_the_page(
    stripe_driver: StripeDriver,
) -> None:
    started = stripe_driver.provider.start(
        a_purchase(stripe_driver, email="ada@example.org"), stripe_driver.now
    )
    page = requests.get(started.url, timeout=5)
    assert 'value="ada@example.org"' in page.text
    form = {"email": "bo@example.org", "expiry": "12 / 34", "cvc": "123"}
    said_no = requests.post(started.url, form | {"number": DECLINED_CARD}, timeout=5)
    assert (said_no.status_code, "declined" in said_no.text) == (402, True)
    said_yes = requests.post(
        started.url, form | {"number": GOOD_CARD}, timeout=5, allow_redirects=False
    )
    assert said_yes.headers["location"] == (
        f"http://127.0.0.1:8000/return/here?session={started.session_id}"
    )
    assert look(stripe_driver, started.session_id).email == "bo@example.org"
    assert requests.get(started.url, timeout=5).status_code == 410


def test_the_bank_reads_the_newest_lines_when_there_are_too_many(
    stripe_driver: StripeDriver,
) -> None:
    session = paid(stripe_driver)
    dispute = stripe_driver.open_dispute(session)
    lines = "\n".join(f"line {number}" for number in range(5000))
    said = Evidence("A book", "", stripe_driver.now, lines, lines, "The terms.")

    stripe_driver.provider.contest(session, said, stripe_driver.now)

    kept = stripe_driver.fake.bank.get("dispute", dispute)["evidence"]
    log, other = kept["access_activity_log"], kept["uncategorized_text"]
    assert len(log) <= 20_000
    assert len(other) <= 20_000
    assert log.startswith("line ")
    assert log.endswith("\nline 4999")
    assert other.startswith("The terms.\nline ")
    assert other.endswith("\nline 4999")
    assert "customer_email_address" not in kept


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_refund_is_told_what_it_must_write(
    stripe_driver: StripeDriver, status: int
) -> None:
    session = paid(stripe_driver)
    stripe_driver.fake.faults.fail_next(1, status)
    wanted = RefundRequest("one", Money(500, "EUR"))
    with pytest.raises(ConfigurationError, match="Refunds and Disputes, and read"):
        stripe_driver.provider.refund(session, wanted, stripe_driver.now)


def test_stripe_finds_its_refund_by_our_key_when_it_has_forgotten_its_own(
    stripe_driver: StripeDriver,
) -> None:
    session = paid(stripe_driver)
    wanted = RefundRequest("one", Money(500, "EUR"))
    name = stripe_driver.provider.refund(session, wanted, stripe_driver.now)
    stripe_driver.pass_time(timedelta(days=3))
    assert stripe_driver.provider.refund(session, wanted, stripe_driver.now) == name
    assert len(stripe_driver.fake.bank.kept["refund"]) == 1


def test_the_same_key_with_other_words_is_no_refusal(
    stripe_driver: StripeDriver,
) -> None:
    session = paid(stripe_driver)
    wanted = RefundRequest("one", Money(500, "EUR"))
    stripe_driver.provider.refund(session, wanted, stripe_driver.now)
    for refund in stripe_driver.fake.bank.kept["refund"].values():
        refund["metadata"] = {}
    other = RefundRequest("one", Money(600, "EUR"))
    with pytest.raises(ProviderUnavailableError):
        stripe_driver.provider.refund(session, other, stripe_driver.now)
