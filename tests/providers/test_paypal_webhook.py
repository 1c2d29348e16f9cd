"""Nobody but PayPal is believed, and nothing before its signature."""

import json
from datetime import timedelta
from typing import Any

import pytest

from handsel.kit.errors import TryAgainError
from handsel.sales.payments.base import Notice, PaymentProvider, WebhookRefusedError
from handsel.sales.payments.paypal import LIVE, SANDBOX
from handsel.sales.payments.paypal_certificates import Certificates
from handsel.sales.payments.paypal_webhook import EVENTS
from tests.providers.fakes.bank import Obj
from tests.providers.fakes.hooks import Message
from tests.providers.fakes.paypal_hooks import _ADDRESSES, _FORGERIES, CERT
from tests.providers.paypal_driver import PayPalDriver, open_paypal
from tests.providers.suite import begin, look


def read(provider: PaymentProvider, sent: Message, driver: PayPalDriver) -> Notice:
    """Let the provider read a message."""
    return provider.read_webhook(sent.headers, sent.body, driver.now)


def told(driver: PayPalDriver, event: Obj) -> Notice:
    """Let the provider read what the fake says of an event."""
    return read(driver.provider, driver.fake.hooks.signed(event), driver)


def paid(driver: PayPalDriver) -> str:
    """Start an order, pay it, and give its name."""
    session = begin(driver)
    driver.pay(session, email="ada@example.org")
    return session


def test_every_kind_of_news_leads_to_the_payment_it_is_about(
    paypal_driver: PayPalDriver,
) -> None:
    bank = paypal_driver.fake.bank
    session = paid(paypal_driver)
    late = begin(paypal_driver, "order-2")
    paypal_driver.pay_later(late, email="ada@example.org")
    bank.settle_later(late, ok=False)
    of_late = {late, bank.events[-1]["resource"]["id"]}
    bank.settle_refund(bank.refund(session, 100), "FAILED")
    bank.refunded = "PENDING"
    bank.refund(session, 100)
    bank.refunded = "COMPLETED"
    bank.refund(session, 200)
    dispute = bank.open_dispute(session)
    bank.answer_dispute(dispute, {"evidences": []})
    bank.close_dispute(dispute, "won")
    bank.reverse(session)

    kinds = set()
    for event in bank.events:
        notice = told(paypal_driver, event)
        kinds.add(notice.kind)
        assert notice.event_id == event["id"]
        assert notice.object_id
        about = late if event["resource"].get("id") in of_late else session
        assert look(paypal_driver, notice.object_id).session_id == about
    assert kinds == set(EVENTS) - {
        "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
        "PAYMENT.CAPTURE.DECLINED",
    }


def test_news_of_other_things_are_heard_and_left(paypal_driver: PayPalDriver) -> None:
    paid(paypal_driver)
    [event, *_] = paypal_driver.fake.bank.events
    other = event | {"event_type": "BILLING.PLAN.CREATED"}
    assert told(paypal_driver, other) == Notice(event["id"], other["event_type"], None)


@pytest.mark.parametrize("lie", sorted(_FORGERIES) + sorted(_ADDRESSES))
def test_a_forged_message_is_refused(paypal_driver: PayPalDriver, lie: str) -> None:
    paid(paypal_driver)
    [event, *_] = paypal_driver.fake.bank.events
    forged = paypal_driver.fake.hooks.forgeries(event)[lie]
    with pytest.raises(WebhookRefusedError):
        read(paypal_driver.provider, forged, paypal_driver)


@pytest.mark.parametrize("age", [timedelta(minutes=-5), timedelta(days=4)])
def test_a_message_may_be_as_old_as_paypal_repeats_it(
    paypal_driver: PayPalDriver, age: timedelta
) -> None:
    paid(paypal_driver)
    [event, *_] = paypal_driver.fake.bank.events
    hooks = paypal_driver.fake.hooks
    sent = hooks.message(json.dumps(event).encode(), at=paypal_driver.now - age)
    assert read(paypal_driver.provider, sent, paypal_driver).event_id == event["id"]


def test_the_certificate_is_fetched_once(paypal_driver: PayPalDriver) -> None:
    paid(paypal_driver)
    [event, *_] = paypal_driver.fake.bank.events
    told(paypal_driver, event)
    paypal_driver.fake.stop()
    assert told(paypal_driver, event).event_id == event["id"]


def test_when_paypal_is_away_an_unknown_certificate_comes_again(
    paypal_driver: PayPalDriver,
) -> None:
    paid(paypal_driver)
    [event, *_] = paypal_driver.fake.bank.events
    sent = paypal_driver.fake.hooks.signed(event)
    paypal_driver.fake.stop()
    with pytest.raises(TryAgainError):
        read(paypal_driver.provider, sent, paypal_driver)


@pytest.mark.parametrize(
    ("origin", "other"), [(LIVE, "https://api.sandbox.paypal.com"), (SANDBOX, LIVE)]
)
def test_live_and_sandbox_do_not_believe_each_other(origin: str, other: str) -> None:
    with pytest.raises(WebhookRefusedError, match="not at PayPal"):
        Certificates((origin,)).at(other + CERT)


@pytest.mark.parametrize(
    "resource",
    [
        {"links": [{"rel": "up"}], "supplementary_data": 1},
        {"links": [7], "supplementary_data": {"related_ids": []}},
        {"links": None, "id": ""},
        {"id": 7},
    ],
)
@pytest.mark.parametrize(
    "kind", ["PAYMENT.CAPTURE.REFUNDED", "CUSTOMER.DISPUTE.CREATED"]
)
def test_a_signed_message_with_odd_parts_is_refused_in_words(
    paypal_driver: PayPalDriver, kind: str, resource: Any
) -> None:
    event = {"id": "WH-1", "event_type": kind, "resource": resource}
    with pytest.raises(WebhookRefusedError):
        told(paypal_driver, event)


def test_another_shops_web_hook_is_not_ours(paypal_driver: PayPalDriver) -> None:
    paid(paypal_driver)
    [event, *_] = paypal_driver.fake.bank.events
    sent = paypal_driver.fake.hooks.signed(event)
    other = open_paypal(paypal_driver.fake, webhook_id="9HX00000000000000")
    with pytest.raises(WebhookRefusedError, match=r"paypal\.webhook_id"):
        read(other, sent, paypal_driver)
