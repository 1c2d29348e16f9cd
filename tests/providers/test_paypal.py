"""PayPal passes the suite of all providers, and does what only PayPal does."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from pydantic import SecretStr

from handsel.kit.errors import BadInputError, ConfigurationError, ConflictError
from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.sales.payments.base import (
    Evidence,
    ForeignPaymentError,
    Glimpse,
    Payment,
    ProviderUnavailableError,
    RefundRequest,
    UnknownSessionError,
)
from handsel.sales.payments.paypal import open_provider
from handsel.settings import PayPalSettings, Settings
from tests.providers.fake_paypal import CLIENT_ID, SECRET, WEBHOOK_ID, FakePayPal
from tests.providers.fakes.paypal_objects import OTHER_MERCHANT
from tests.providers.paypal_driver import PayPalDriver, open_paypal
from tests.providers.suite import (
    PRICE,
    Declines,
    Disputes,
    LatePayments,
    Payments,
    Refunds,
    a_purchase,
    begin,
    kinds,
    listed,
    look,
    the_fact,
)

EURO = {"currency_code": "EUR", "value": "1.00"}


class TestPayPal(Payments, Declines, LatePayments, Refunds, Disputes):
    """The suite of all providers, on PayPal, which has no list of what was begun."""

    @pytest.fixture
    def driver(self, paypal_driver: PayPalDriver) -> PayPalDriver:
        return paypal_driver


def paid(driver: PayPalDriver) -> str:
    """Start an order, pay it, and give its name."""
    session = begin(driver)
    driver.pay(session, email="ada@example.org")
    return session


def approved(driver: PayPalDriver) -> str:
    """Start an order that the buyer approves, and nobody has looked at since."""
    session = begin(driver)
    driver.fake.bank.pay(session, email="ada@example.org")
    return session


def captures(driver: PayPalDriver) -> int:
    """Count how often money was taken."""
    return len(driver.fake.bank.kept["capture"])


def asked(driver: PayPalDriver, part: str) -> list[str]:
    """Give the calls whose method and path contain this."""
    return [call for call in driver.fake.calls if part in call]


# Opening


@pytest.mark.parametrize(
    ("sandbox", "page"),
    [(True, "https://www.sandbox.paypal.com"), (False, "https://www.paypal.com")],
)
def test_live_and_sandbox_have_their_own_pages(sandbox: bool, page: str) -> None:
    paypal = PayPalSettings(
        client_id=CLIENT_ID,
        secret=SecretStr(SECRET),
        webhook_id=WEBHOOK_ID,
        sandbox=sandbox,
    )
    provider = open_provider(Settings(paypal=paypal), Path())
    assert provider.test is sandbox
    assert provider.pages == (page,)


@pytest.mark.parametrize("missing", ["client_id", "secret", "webhook_id"])
def test_without_one_of_the_three_it_does_not_open(
    paypal: FakePayPal, missing: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"paypal\.{missing}"):
        open_paypal(paypal, **{missing: ""})


# Starting


def test_the_order_carries_the_purchase_and_ships_nothing(
    paypal_driver: PayPalDriver,
) -> None:
    purchase = a_purchase(paypal_driver, email="ada@example.org")
    started = paypal_driver.provider.start(purchase, paypal_driver.now)
    order = paypal_driver.fake.bank.latest()
    [unit] = order["purchase_units"]
    assert (unit["amount"]["value"], unit["amount"]["currency_code"]) == (
        "15.00",
        "EUR",
    )
    assert unit["items"][0]["category"] == "DIGITAL_GOODS"
    assert order["payment_source"]["paypal"]["email_address"] == "ada@example.org"
    context = paypal_driver.fake.bank.contexts[order["id"]]
    assert context == {
        "brand_name": "My shop",
        "shipping_preference": "NO_SHIPPING",
        "user_action": "PAY_NOW",
        "return_url": purchase.return_url,
        "cancel_url": purchase.cancel_url,
    }
    assert started.url.endswith(f"/checkoutnow?token={order['id']}")
    assert started.expires_at == purchase.expires_at


def test_paypal_ends_an_order_after_three_hours_and_we_say_so(
    paypal_driver: PayPalDriver,
) -> None:
    long = a_purchase(paypal_driver, expires_at=paypal_driver.now + timedelta(hours=23))
    started = paypal_driver.provider.start(long, paypal_driver.now)
    assert started.expires_at == paypal_driver.now + timedelta(hours=3)
    paypal_driver.pass_time(timedelta(hours=3))
    with pytest.raises(UnknownSessionError):
        look(paypal_driver, started.session_id)


def test_a_purchase_begun_with_other_details_is_refused(
    paypal_driver: PayPalDriver,
) -> None:
    begin(paypal_driver)
    dearer = a_purchase(paypal_driver, price=Money(9900, "EUR"))
    with pytest.raises(ConflictError, match="other details"):
        paypal_driver.provider.start(dearer, paypal_driver.now)


def test_an_answer_that_got_lost_does_not_begin_a_second_order(
    paypal_driver: PayPalDriver,
) -> None:
    paypal_driver.fake.faults.lose_next(1, only="/orders")
    session = begin(paypal_driver)
    assert list(paypal_driver.fake.bank.kept["order"]) == [session]
    assert len(asked(paypal_driver, "POST /v2/checkout/orders")) == 2


@pytest.mark.parametrize(
    "price", [Money(500, "ISK"), Money(150_050, "HUF"), Money(0, "EUR")], ids=str
)
def test_a_price_paypal_does_not_take_is_the_sellers_business(
    paypal_driver: PayPalDriver, price: Money
) -> None:
    purchase = a_purchase(paypal_driver, price=price)
    with pytest.raises(BadInputError) as refused:
        paypal_driver.provider.start(purchase, paypal_driver.now)
    assert refused.value.field == "price"


def test_an_address_paypal_does_not_take_is_named(paypal_driver: PayPalDriver) -> None:
    purchase = a_purchase(paypal_driver, email="ada")
    with pytest.raises(BadInputError) as refused:
        paypal_driver.provider.start(purchase, paypal_driver.now)
    assert refused.value.field == "email"


def test_a_reference_that_is_long_is_given_back_whole_and_can_be_cancelled(
    paypal_driver: PayPalDriver,
) -> None:
    reference = {"shop": "M" * 22, "product": "a" * 60, "coupon": "K" * 40}
    purchase = a_purchase(paypal_driver, reference=reference)
    session = paypal_driver.provider.start(purchase, paypal_driver.now).session_id
    assert look(paypal_driver, session).reference == reference
    paypal_driver.provider.cancel(session, paypal_driver.now)
    payment = look(paypal_driver, session)
    assert (payment.reference, payment.state) == (reference, PaymentState.EXPIRED)


# Taking the money


def test_looking_at_an_approved_order_takes_the_money_once(
    paypal_driver: PayPalDriver,
) -> None:
    session = approved(paypal_driver)
    first, second = look(paypal_driver, session), look(paypal_driver, session)
    assert first == second
    assert (first.state, first.country) == (PaymentState.COMPLETE, "AT")
    assert captures(paypal_driver) == 1
    assert len(asked(paypal_driver, "/capture")) == 1


def test_many_that_look_at_once_take_it_once(paypal_driver: PayPalDriver) -> None:
    session = approved(paypal_driver)
    barrier = Barrier(6)

    def go(_: int) -> Payment:
        barrier.wait(10)
        return look(paypal_driver, session)

    with ThreadPoolExecutor(6) as pool:
        [seen] = {repr(each) for each in pool.map(go, range(6))}
    assert captures(paypal_driver) == 1
    assert "CAPTURE" in seen


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
@pytest.mark.parametrize("how", ["slow", 500, 503])
def test_a_call_that_fails_is_made_again_under_the_same_name(
    paypal_driver: PayPalDriver,
    monkeypatch: pytest.MonkeyPatch,
    how: int | str,
    taken: bool,
) -> None:
    """Nobody knows then whether the money was taken; the next look finds out."""
    monkeypatch.setattr("handsel.sales.payments.paypal_client.SLOW_TIMEOUT", (1, 0.2))
    session = approved(paypal_driver)
    faults = paypal_driver.fake.faults
    if taken:
        faults.lose_next(2, only="/capture", hang=how == "slow")
    elif how == "slow":
        faults.lose_next(1, only="/capture", hang=True)
    else:
        faults.fail_next(2, int(how), only="/capture")
    with pytest.raises(ProviderUnavailableError):
        look(paypal_driver, session)
    faults.fail_next(0)

    payment = look(paypal_driver, session)

    assert kinds(payment) == [FactKind.CAPTURE]
    assert captures(paypal_driver) == 1
    call = f"POST /v2/checkout/orders/{session}/capture"
    names = paypal_driver.fake.api.request_ids.get(call, [])
    assert len(set(names)) == 1


def test_one_failure_of_paypal_is_not_noticed(paypal_driver: PayPalDriver) -> None:
    session = approved(paypal_driver)
    paypal_driver.fake.faults.fail_next(1, 500, only="/capture")
    assert look(paypal_driver, session).state is PaymentState.COMPLETE


def test_a_declined_buyer_may_choose_another_way(paypal_driver: PayPalDriver) -> None:
    session = begin(paypal_driver)
    paypal_driver.decline(session)
    for _ in range(3):
        assert look(paypal_driver, session).state is PaymentState.OPEN
    paypal_driver.pass_time(timedelta(minutes=1))
    paypal_driver.fake.bank.pay(session)
    assert look(paypal_driver, session).state is PaymentState.COMPLETE
    assert captures(paypal_driver) == 1


@pytest.mark.parametrize("status", [400, 403, 422])
def test_when_paypal_refuses_to_take_the_money_the_order_stays_open(
    paypal_driver: PayPalDriver, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    session = approved(paypal_driver)
    faults = paypal_driver.fake.faults
    faults.fail_next(9, status, issue="PAYEE_ACCOUNT_RESTRICTED", only="/capture")
    assert look(paypal_driver, session).state is PaymentState.OPEN
    assert "PAYEE_ACCOUNT_RESTRICTED" in caplog.text
    faults.fail_next(0)
    assert look(paypal_driver, session).state is PaymentState.COMPLETE


def test_when_nobody_knows_we_do_not_say_that_nothing_was_charged(
    paypal_driver: PayPalDriver,
) -> None:
    session = approved(paypal_driver)
    paypal_driver.fake.faults.lose_next(2, only="/capture")
    with pytest.raises(ProviderUnavailableError) as unsure:
        look(paypal_driver, session)
    assert "charged" not in str(unsure.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": EURO},
        {"amount": {"currency_code": "MXN", "value": "15.00"}},
        {"payee": {"merchant_id": OTHER_MERCHANT}},
    ],
    ids=["amount", "currency", "account"],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_money_that_is_not_what_was_agreed_is_not_taken(
    paypal_driver: PayPalDriver, changes: dict[str, Any], restarted: bool
) -> None:
    session = approved(paypal_driver)
    paypal_driver.fake.bank.tamper(session, **changes)
    if restarted:
        paypal_driver.provider = open_paypal(paypal_driver.fake)
    payment = look(paypal_driver, session)
    assert payment.state is PaymentState.FAILED
    assert payment.facts == ()
    assert captures(paypal_driver) == 0


def test_money_that_went_to_another_account_is_doubted(
    paypal_driver: PayPalDriver,
) -> None:
    session = approved(paypal_driver)
    bank = paypal_driver.fake.bank
    bank.tamper(session, payee={"merchant_id": OTHER_MERCHANT})
    bank.capture(session)
    paypal_driver.provider = open_paypal(paypal_driver.fake)
    payment = look(paypal_driver, session)
    assert OTHER_MERCHANT in payment.doubt
    other = begin(paypal_driver, "order-2")
    paypal_driver.pay(other, email="ada@example.org")
    assert look(paypal_driver, other).doubt == ""


def test_what_was_cancelled_is_not_taken_when_it_is_approved_later(
    paypal_driver: PayPalDriver,
) -> None:
    session = begin(paypal_driver)
    paypal_driver.provider.cancel(session, paypal_driver.now)
    paypal_driver.fake.bank.pay(session)
    assert look(paypal_driver, session).state is PaymentState.EXPIRED
    assert captures(paypal_driver) == 0


def test_what_is_approved_too_late_is_not_taken(paypal_driver: PayPalDriver) -> None:
    session = begin(paypal_driver)
    paypal_driver.pass_time(timedelta(hours=1))
    paypal_driver.fake.bank.pay(session)
    assert look(paypal_driver, session).state is PaymentState.EXPIRED
    assert captures(paypal_driver) == 0


def test_cancelling_counts_until_the_money_is_taken(
    paypal_driver: PayPalDriver,
) -> None:
    session = approved(paypal_driver)
    paypal_driver.provider.cancel(session, paypal_driver.now)
    assert look(paypal_driver, session).state is PaymentState.EXPIRED
    other = begin(paypal_driver, "order-2")
    paypal_driver.pay(other, email="ada@example.org")
    paypal_driver.provider.cancel(other, paypal_driver.now)
    assert look(paypal_driver, other).state is PaymentState.COMPLETE


def test_an_order_somebody_else_made_is_foreign(paypal_driver: PayPalDriver) -> None:
    theirs = paypal_driver.fake.bank.make_order(
        {
            "intent": "CAPTURE",
            "purchase_units": [
                {"amount": EURO, "custom_id": "INV-1", "description": "x"}
            ],
        }
    )
    paypal_driver.fake.bank.pay(theirs["id"])
    with pytest.raises(ForeignPaymentError):
        look(paypal_driver, theirs["id"])
    assert captures(paypal_driver) == 0


# Bad days


@pytest.mark.parametrize("status", [429, 500, 503])
def test_when_paypal_fails_nothing_was_charged_and_we_say_so(
    paypal_driver: PayPalDriver, status: int
) -> None:
    paypal_driver.fake.faults.fail_next(5, status)
    with pytest.raises(ProviderUnavailableError, match="not charged"):
        begin(paypal_driver)


def test_when_paypal_is_away_we_say_so(paypal_driver: PayPalDriver) -> None:
    paypal_driver.fake.stop()
    with pytest.raises(ProviderUnavailableError):
        look(paypal_driver, paypal_driver.unknown_session())


def test_when_paypal_hangs_we_stop_waiting(
    paypal_driver: PayPalDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begin(paypal_driver)
    paypal_driver.fake.faults.slow(30)
    monkeypatch.setattr("handsel.sales.payments.paypal_client.TIMEOUT", (0.2, 0.2))
    with pytest.raises(ProviderUnavailableError):
        look(paypal_driver, session)


def test_the_list_of_news_says_so_too_when_paypal_is_away(
    paypal_driver: PayPalDriver,
) -> None:
    paypal_driver.fake.faults.fail_next(5, 500)
    with pytest.raises(ProviderUnavailableError):
        listed(paypal_driver, paypal_driver.now)


def test_a_secret_paypal_does_not_accept_is_named(paypal: FakePayPal) -> None:
    driver = PayPalDriver(paypal)
    driver.provider = open_paypal(paypal, secret="Ewrong" + "x" * 20)
    with pytest.raises(ConfigurationError, match=r"paypal\.secret"):
        begin(driver)


def test_a_token_is_used_again_and_another_fetched_when_it_is_refused(
    paypal_driver: PayPalDriver,
) -> None:
    begin(paypal_driver)
    begin(paypal_driver, "order-2")
    assert len(asked(paypal_driver, "/v1/oauth2/token")) == 1
    paypal_driver.fake.api.tokens.clear()
    begin(paypal_driver, "order-3")
    assert len(asked(paypal_driver, "/v1/oauth2/token")) == 2


def test_a_token_is_renewed_before_it_ends(
    paypal_driver: PayPalDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handsel.sales.payments.paypal_client._RENEW", 99_999)
    begin(paypal_driver)
    look(paypal_driver, begin(paypal_driver, "order-2"))
    assert len(asked(paypal_driver, "/v1/oauth2/token")) == 3


def test_no_error_and_no_log_line_shows_a_secret(
    paypal: FakePayPal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = open_paypal(paypal, secret="Everysecret" + "x" * 20)
    with pytest.raises(ConfigurationError) as refused:
        provider.look_up("5O190127TN364715T", paypal.bank.now)
    driver = PayPalDriver(paypal)
    with pytest.raises(UnknownSessionError):
        look(driver, "5O190127TN364715T")
    seen = caplog.text + str(refused.value) + repr(refused.value.__cause__)
    secrets = ["verysecret", SECRET, *paypal.api.tokens]
    assert not [each for each in secrets if each in seen + repr(provider)]
    assert "handsel.payments.paypal" in caplog.text


# News


def test_a_quiet_day_costs_one_call(paypal_driver: PayPalDriver) -> None:
    for number in range(3):
        session = begin(paypal_driver, f"order-{number}")
        paypal_driver.pay(session, email="ada@example.org")
    before = len(paypal_driver.fake.calls)
    assert len(listed(paypal_driver, paypal_driver.now - timedelta(hours=1))) == 3
    assert len(paypal_driver.fake.calls) == before + 1


def test_many_news_come_in_pages(
    paypal_driver: PayPalDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handsel.sales.payments.paypal_changes._PAGE", 2)
    sessions = set()
    for number in range(4):
        session = begin(paypal_driver, f"order-{number}")
        paypal_driver.pay(session, email="ada@example.org")
        sessions.add(session)
    found = listed(paypal_driver, paypal_driver.now - timedelta(hours=1))
    assert {each.session_id for each in found} == sessions
    assert {each.state for each in found} == {PaymentState.COMPLETE}
    assert len(asked(paypal_driver, "webhooks-events")) == 4


def test_an_approved_order_nobody_looked_at_is_in_the_news(
    paypal_driver: PayPalDriver,
) -> None:
    session = approved(paypal_driver)
    assert listed(paypal_driver, paypal_driver.now) == [
        Glimpse(session, PaymentState.PROCESSING)
    ]


def test_news_older_than_paypal_keeps_are_not_asked_for(
    paypal_driver: PayPalDriver,
) -> None:
    paid(paypal_driver)
    paypal_driver.pass_time(timedelta(days=40))
    assert listed(paypal_driver, paypal_driver.now - timedelta(days=60)) == []


# Money that goes back


def test_what_paypal_takes_back_itself_is_a_refund(paypal_driver: PayPalDriver) -> None:
    session = paid(paypal_driver)
    paypal_driver.fake.bank.refund(session, 500)
    taken = paypal_driver.fake.bank.reverse(session)
    facts = look(paypal_driver, session).facts
    assert [(f.amount.minor) for f in facts if f.object_id == taken] == [1000]


def test_a_refund_on_its_way_is_no_fact_yet(paypal_driver: PayPalDriver) -> None:
    session = paid(paypal_driver)
    paypal_driver.fake.bank.refunded = "PENDING"
    wanted = RefundRequest("one", PRICE)
    name = paypal_driver.provider.refund(session, wanted, paypal_driver.now)
    assert kinds(look(paypal_driver, session)) == [FactKind.CAPTURE]
    paypal_driver.fake.bank.settle_refund(name, "COMPLETED")
    assert the_fact(look(paypal_driver, session), FactKind.REFUND).key == "one"


def test_a_refund_is_found_again_after_paypal_forgot_its_name(
    paypal_driver: PayPalDriver,
) -> None:
    session = paid(paypal_driver)
    wanted = RefundRequest("one", Money(500, "EUR"))
    name = paypal_driver.provider.refund(session, wanted, paypal_driver.now)
    paypal_driver.pass_time(timedelta(days=60))
    assert paypal_driver.provider.refund(session, wanted, paypal_driver.now) == name
    assert len(paypal_driver.fake.bank.kept["refund"]) == 1


def test_the_answer_to_a_refund_gets_lost(paypal_driver: PayPalDriver) -> None:
    session = paid(paypal_driver)
    wanted = RefundRequest("one", Money(500, "EUR"))
    paypal_driver.fake.faults.lose_next(2, only="/refund")
    with pytest.raises(ProviderUnavailableError):
        paypal_driver.provider.refund(session, wanted, paypal_driver.now)
    paypal_driver.provider.refund(session, wanted, paypal_driver.now)
    assert len(paypal_driver.fake.bank.kept["refund"]) == 1


@pytest.mark.parametrize(
    ("issue", "said"),
    [
        ("REFUND_TIME_LIMIT_EXCEEDED", "too old"),
        ("TRANSACTION_DISPUTED", "disputes"),
        ("REFUND_FAILED_INSUFFICIENT_FUNDS", "not enough money"),
        ("REFUND_NOT_ALLOWED", "does not refund"),
    ],
)
def test_why_paypal_does_not_refund_is_said(
    paypal_driver: PayPalDriver, issue: str, said: str
) -> None:
    session = paid(paypal_driver)
    paypal_driver.fake.bank.refusal = issue
    with pytest.raises(ConflictError, match=said):
        paypal_driver.provider.refund(
            session, RefundRequest("k", PRICE), paypal_driver.now
        )


def test_an_odd_refusal_of_a_refund_says_nothing_of_the_money(
    paypal_driver: PayPalDriver,
) -> None:
    session = paid(paypal_driver)
    paypal_driver.fake.bank.refusal = "SOMETHING_NEW"
    with pytest.raises(ConfigurationError, match="SOMETHING_NEW"):
        paypal_driver.provider.refund(
            session, RefundRequest("k", PRICE), paypal_driver.now
        )


def test_a_refund_that_fails_at_once_is_a_conflict(paypal_driver: PayPalDriver) -> None:
    session = paid(paypal_driver)
    paypal_driver.fake.bank.refunded = "FAILED"
    with pytest.raises(ConflictError, match="could not give"):
        paypal_driver.provider.refund(
            session, RefundRequest("k", PRICE), paypal_driver.now
        )


def test_half_a_forint_cannot_go_back(paypal_driver: PayPalDriver) -> None:
    with pytest.raises(BadInputError) as refused:
        paypal_driver.provider.check_refund(Money(150, "HUF"))
    assert refused.value.field == "amount"
    paypal_driver.provider.check_refund(Money(1, "EUR"))


# Disputes


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        ("payout", FactKind.DISPUTE_SETTLED),
        ("partly", FactKind.DISPUTE_SETTLED),
        ("accepted", FactKind.DISPUTE_LOST),
        ("denied", FactKind.DISPUTE_WON),
    ],
)
def test_how_a_dispute_can_end(
    paypal_driver: PayPalDriver, outcome: str, end: FactKind
) -> None:
    session = paid(paypal_driver)
    dispute = paypal_driver.open_dispute(session)
    paypal_driver.fake.bank.close_dispute(dispute, outcome)
    assert the_fact(look(paypal_driver, session), end).object_id == dispute


def test_a_shop_that_may_not_see_disputes_hears_of_its_sales(
    paypal_driver: PayPalDriver, caplog: pytest.LogCaptureFixture
) -> None:
    session = paid(paypal_driver)
    paypal_driver.fake.api.no_disputes = True
    assert kinds(look(paypal_driver, session)) == [FactKind.CAPTURE]
    assert "Customer Disputes" in caplog.text


def evidence(driver: PayPalDriver, lines: int) -> Evidence:
    """Say so much of a purchase."""
    many = "\n".join(f"2026-11-{n:05} book.epub: downloaded" for n in range(lines))
    return Evidence(
        "A book", "ada@example.org", driver.now, many, many, "As a download."
    )


def test_the_answer_to_a_dispute_says_what_is_known(
    paypal_driver: PayPalDriver,
) -> None:
    session = paid(paypal_driver)
    dispute = paypal_driver.open_dispute(session)
    known = evidence(paypal_driver, 3)
    paypal_driver.provider.contest(session, known, paypal_driver.now)
    said = paypal_driver.fake.bank.get("dispute", dispute)["evidences"]
    notes = "\n".join(each["notes"] for each in said)
    assert notes.startswith("A book\nAs a download.\nPaid on 2026-11-02 12:00 UTC")
    assert "ada@example.org" in notes
    assert notes.count("book.epub: downloaded") == 6


def test_a_long_answer_keeps_its_newest_lines(paypal_driver: PayPalDriver) -> None:
    session = paid(paypal_driver)
    dispute = paypal_driver.open_dispute(session)
    known = evidence(paypal_driver, 2000)
    paypal_driver.provider.contest(session, known, paypal_driver.now)
    said = paypal_driver.fake.bank.get("dispute", dispute)["evidences"]
    assert len(said) == 10
    assert said[0]["notes"].startswith("A book")
    assert said[-1]["notes"].endswith("2026-11-01999 book.epub: downloaded")


def test_a_question_of_the_buyers_is_not_answered_like_a_dispute(
    paypal_driver: PayPalDriver,
) -> None:
    session = paid(paypal_driver)
    paypal_driver.fake.bank.open_dispute(session, stage="INQUIRY")
    with pytest.raises(ConflictError, match="Resolution Center"):
        paypal_driver.provider.contest(
            session, evidence(paypal_driver, 1), paypal_driver.now
        )
    assert FactKind.DISPUTE_OPEN in kinds(look(paypal_driver, session))
