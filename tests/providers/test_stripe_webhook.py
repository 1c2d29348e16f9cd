"""Nobody but Stripe is believed, and nothing before its signature."""

import hmac
import json
from typing import Any

import pytest

from handsel.sales.payments.base import (
    Declined,
    Notice,
    PaymentProvider,
    WebhookRefusedError,
)
from handsel.sales.payments.stripe_webhook import (
    DECLINED_EVENT,
    MONEY_EVENTS,
    SESSION_EVENTS,
)
from tests.providers.fake_stripe import WEBHOOK_SECRET
from tests.providers.fakes.bank import Obj
from tests.providers.fakes.hooks import Message
from tests.providers.fakes.stripe_hooks import FORGERIES, message, signature
from tests.providers.fakes.stripe_objects import event
from tests.providers.stripe_driver import NOON, StripeDriver, open_stripe
from tests.providers.suite import a_purchase, begin, look

OTHER_SECRET = "whsec_the_one_before_that"


def read(provider: PaymentProvider, sent: Message) -> Notice:
    """Let the provider read a message."""
    return provider.read_webhook(sent.headers, sent.body, NOON)


def completed(driver: StripeDriver) -> Obj:
    """Give the event of a session just paid."""
    driver.pay(begin(driver), email="ada@example.org")
    return driver.fake.bank.events[-1]


def test_a_true_message_names_the_session_to_look_up(
    stripe_driver: StripeDriver,
) -> None:
    sent = completed(stripe_driver)
    notice = read(stripe_driver.provider, message(sent, WEBHOOK_SECRET, NOON))
    session = stripe_driver.fake.bank.latest()["id"]
    assert notice == Notice(sent["id"], "checkout.session.completed", session)


@pytest.mark.parametrize("lie", sorted(FORGERIES))
def test_a_forged_message_is_refused(stripe_driver: StripeDriver, lie: str) -> None:
    forged = FORGERIES[lie](completed(stripe_driver), WEBHOOK_SECRET, NOON)
    with pytest.raises(WebhookRefusedError) as refused:
        read(stripe_driver.provider, forged)
    assert WEBHOOK_SECRET not in str(refused.value)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_of_difference_are_forgiven_both_ways(
    stripe_driver: StripeDriver, seconds: int
) -> None:
    sent = completed(stripe_driver)
    stripe_driver.fake.bank.advance(seconds)
    good = message(sent, WEBHOOK_SECRET, stripe_driver.now)
    assert read(stripe_driver.provider, good).object_id


def test_one_good_signature_among_several_is_enough(
    stripe_driver: StripeDriver,
) -> None:
    body = json.dumps(completed(stripe_driver)).encode()
    bad = signature(body, OTHER_SECRET, NOON).partition("v1=")[2]
    good = signature(body, WEBHOOK_SECRET, NOON)
    stamp, _, mac = good.partition(",")
    header = f"{stamp},v0={bad},v1={bad},{mac}"
    assert read(stripe_driver.provider, Message({"stripe-signature": header}, body))


@pytest.mark.parametrize("secret", [WEBHOOK_SECRET, OTHER_SECRET])
def test_while_the_secret_changes_both_are_good(
    stripe_driver: StripeDriver, secret: str
) -> None:
    both = open_stripe(
        stripe_driver.fake, webhook_secret=f"{WEBHOOK_SECRET}, {OTHER_SECRET}"
    )
    assert read(both, message(completed(stripe_driver), secret, NOON))


def test_a_comma_too_many_does_not_make_an_empty_secret_good(
    stripe_driver: StripeDriver,
) -> None:
    careless = open_stripe(stripe_driver.fake, webhook_secret=f"{WEBHOOK_SECRET},")
    with pytest.raises(WebhookRefusedError):
        read(careless, message(completed(stripe_driver), "", NOON))


def test_signatures_are_compared_in_constant_time(
    stripe_driver: StripeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[Any, Any]] = []
    compare = hmac.compare_digest

    def watched(ours: Any, theirs: Any) -> bool:
        compared.append((ours, theirs))
        return compare(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    body = json.dumps(completed(stripe_driver)).encode()
    good = signature(body, WEBHOOK_SECRET, NOON)
    read(
        stripe_driver.provider,
        Message({"stripe-signature": f"{good},v1=zz,v1=yy"}, body),
    )
    assert len(compared) == 3


def test_what_we_do_not_follow_is_read_and_names_nothing(
    stripe_driver: StripeDriver,
) -> None:
    other = event("customer.created", {"id": "cus_1"}, created=0)
    notice = read(stripe_driver.provider, message(other, WEBHOOK_SECRET, NOON))
    assert (notice.kind, notice.object_id) == ("customer.created", None)


def test_a_subscription_of_another_program_names_nothing(
    stripe_driver: StripeDriver,
) -> None:
    sent = completed(stripe_driver)
    sent["data"]["object"]["mode"] = "subscription"
    notice = read(stripe_driver.provider, message(sent, WEBHOOK_SECRET, NOON))
    assert notice.object_id is None


def test_every_event_the_bank_sends_leads_to_the_session(
    stripe_driver: StripeDriver,
) -> None:
    bank = stripe_driver.fake.bank
    late = begin(stripe_driver, "late")
    bank.pay_later(late)
    bank.settle_later(late, ok=True)
    refund = bank.refund(late, 500, status="pending")
    bank.settle_refund(refund, "failed")
    bank.refund(late, 700)
    bank.close_dispute(bank.open_dispute(late), "won")
    failed = begin(stripe_driver, "failed")
    bank.pay_later(failed)
    bank.settle_later(failed, ok=False)
    expired = begin(stripe_driver, "expired")
    bank.expire(expired)
    followed = set()
    for sent in bank.events:
        notice = read(stripe_driver.provider, message(sent, WEBHOOK_SECRET, NOON))
        if notice.object_id:
            followed.add(notice.kind)
            payment = look(stripe_driver, notice.object_id)
            assert payment.session_id in (late, failed, expired)
    assert followed == {*SESSION_EVENTS, *MONEY_EVENTS} - {"charge.dispute.updated"}


def declined(driver: StripeDriver) -> Obj:
    """Give the event of a card just declined."""
    driver.decline(begin(driver))
    return driver.fake.bank.events[-1]


def told(driver: StripeDriver, sent: Obj) -> Notice:
    """Let the provider read an event of Stripe's."""
    return read(driver.provider, message(sent, WEBHOOK_SECRET, NOON))


def test_a_declined_card_is_told_without_a_look(stripe_driver: StripeDriver) -> None:
    sent = declined(stripe_driver)
    notice = told(stripe_driver, sent)
    [seen] = look(stripe_driver, stripe_driver.fake.bank.latest()["id"]).declined
    purchase = a_purchase(stripe_driver)
    expected = Declined(seen.object_id, NOON, dict(purchase.reference), purchase.key)
    assert notice == Notice(sent["id"], DECLINED_EVENT, None, expected)


def test_whom_the_bank_does_not_believe_is_known_by_the_message(
    stripe_driver: StripeDriver,
) -> None:
    sent = declined(stripe_driver)
    odd: list[Obj] = [
        {"last_payment_error": {"code": "authentication_failed"}},
        {"last_payment_error": None, "metadata": None},
        {"metadata": {}},
    ]
    for payment in odd:
        sent["data"]["object"] |= payment
        notice = told(stripe_driver, sent)
        assert notice.declined
        assert notice.declined.object_id == sent["id"]
    assert notice.declined == Declined(sent["id"], NOON)


@pytest.mark.parametrize("time", [None, "now", -1, 1 << 40])
def test_a_declined_card_without_a_time_is_refused(
    stripe_driver: StripeDriver, time: object
) -> None:
    sent = declined(stripe_driver) | {"created": time}
    with pytest.raises(WebhookRefusedError):
        told(stripe_driver, sent)
