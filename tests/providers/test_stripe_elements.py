"""Sessions that are paid on a page of the shop's own are sessions like any other."""

import pytest
import requests
import stripe as sdk
from stripe.checkout import Session
from stripe.params.checkout import SessionCreateParams

from handsel.sales.payments.base import (
    ForeignPaymentError,
    ProviderUnavailableError,
    UnknownSessionError,
)
from tests.providers.fake_stripe import PUBLISHABLE_KEY, SECRET_KEY, FakeStripe
from tests.providers.stripe_driver import StripeDriver
from tests.providers.suite import (
    Declines,
    Disputes,
    LatePayments,
    Payments,
    Refunds,
    a_purchase,
    begin,
)
from tests.providers.test_fake_stripe import check_fields

ADA = "ada@example.org"


class TestStripeOnOurPage(Payments, Declines, LatePayments, Refunds, Disputes):
    """The suite of all providers, on Stripe's fields in a page of ours."""

    @pytest.fixture
    def driver(self, own_driver: StripeDriver) -> StripeDriver:
        return own_driver


def test_the_address_is_ours_and_the_session_comes_back_to_us(
    own_driver: StripeDriver,
) -> None:
    purchase = a_purchase(own_driver, email=ADA)
    started = own_driver.provider.start(purchase, own_driver.now)
    session = own_driver.fake.bank.latest()
    assert started.url == f"http://127.0.0.1:8000/pay/{session['id']}"
    assert (session["ui_mode"], session["url"]) == ("elements", None)
    assert (session["success_url"], session["cancel_url"]) == (None, None)
    assert session["return_url"] == (
        "http://127.0.0.1:8000/return/here?session={CHECKOUT_SESSION_ID}"
    )


def test_a_purchase_that_cannot_be_paid_here_is_begun_on_stripes_page(
    own_driver: StripeDriver,
) -> None:
    here = own_driver.provider.start(a_purchase(own_driver), own_driver.now)
    wanted = a_purchase(own_driver, hosted=True)
    there = own_driver.provider.start(wanted, own_driver.now)
    assert there.session_id != here.session_id
    assert there.url.startswith(own_driver.fake.origin)
    assert own_driver.provider.fields(there.session_id) is None


def test_a_browser_is_told_what_it_needs_and_no_more(own_driver: StripeDriver) -> None:
    nobody, ada = begin(own_driver, "order-1"), ""
    found = own_driver.provider.fields(nobody)
    ada = own_driver.provider.start(
        a_purchase(own_driver, "order-2", email=ADA), own_driver.now
    ).session_id
    known = own_driver.provider.fields(ada)
    assert found
    assert found.publishable_key == PUBLISHABLE_KEY
    assert found.client_secret.startswith(f"{nobody}_secret_")
    assert found.email is None
    assert known
    assert known.email == ADA


def test_what_is_over_cannot_be_shown(own_driver: StripeDriver) -> None:
    paid, ended = begin(own_driver, "order-1"), begin(own_driver, "order-2")
    own_driver.pay(paid, email=ADA)
    own_driver.provider.cancel(ended, own_driver.now)
    assert own_driver.provider.fields(paid) is None
    assert own_driver.provider.fields(ended) is None


def test_what_nobody_knows_and_what_is_not_ours_is_refused(
    own_driver: StripeDriver,
) -> None:
    for name in ("cs_test_none", "../x", "pi_1"):
        with pytest.raises(UnknownSessionError):
            own_driver.provider.fields(name)
    name = begin(own_driver)
    own_driver.fake.bank.get("session", name)["mode"] = "subscription"
    with pytest.raises(ForeignPaymentError):
        own_driver.provider.fields(name)


def test_stripe_away_is_said(own_driver: StripeDriver) -> None:
    name = begin(own_driver)
    own_driver.fake.faults.fail_next(2, 503)
    with pytest.raises(ProviderUnavailableError):
        own_driver.provider.fields(name)


# The fake


def test_the_session_of_a_browser_has_only_fields_that_stripes_have(
    own_driver: StripeDriver,
) -> None:
    begin(own_driver)
    check_fields(Session, own_driver.fake.bank.latest())


@pytest.mark.parametrize(
    ("mode", "wrong"),
    [
        ("elements", {"success_url": "https://shop.example/"}),
        ("elements", {"cancel_url": "https://shop.example/"}),
        ("elements", {"return_url": ""}),
        ("hosted_page", {"return_url": "https://shop.example/"}),
        ("hosted_page", {"success_url": ""}),
        ("custom", {}),
    ],
)
def test_the_fake_refuses_what_stripe_refuses(
    stripe: FakeStripe, mode: str, wrong: dict[str, str]
) -> None:
    client = sdk.StripeClient(SECRET_KEY, base_addresses={"api": stripe.origin})
    back = "return_url" if mode == "elements" else "success_url"
    right: SessionCreateParams = {
        "mode": "payment",
        "ui_mode": mode,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": 1500,
                    "product_data": {"name": "A book"},
                },
            }
        ],
        back: "https://shop.example/",  # type: ignore[misc]  # one of two names
    }
    if mode != "custom":
        client.v1.checkout.sessions.create(right)
    with pytest.raises(sdk.InvalidRequestError):
        client.v1.checkout.sessions.create({**right, **wrong})  # type: ignore[arg-type]  # wrong on purpose


def test_a_browser_needs_both_keys_of_a_session(own_driver: StripeDriver) -> None:
    name = begin(own_driver)
    fields = own_driver.provider.fields(name)
    assert fields
    url = f"{own_driver.fake.origin}/v1/payment_pages/{name}/init"
    good = {"key": PUBLISHABLE_KEY, "client_secret": fields.client_secret}
    answers = [
        requests.post(url, good | wrong, timeout=5).status_code
        for wrong in ({}, {"key": SECRET_KEY}, {"client_secret": "x"})
    ]
    assert answers == [200, 401, 404]
