"""Services tried at the desk: what they say, in words, and in time."""

import socket
from collections.abc import Iterator
from contextlib import closing
from time import monotonic

import pytest
from pydantic import SecretStr
from werkzeug.test import TestResponse

from handsel.ops import trying
from handsel.ops.trying import Word
from handsel.shop import Shop
from tests import make
from tests.ground.till import Till
from tests.ground.visitor import words
from tests.stories.buyers import with_settings
from tests.stories.desks import Seller, hire

sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def press(seller: Seller, chapter: str, service: str) -> TestResponse:
    """Press the button that tries a service."""
    page = seller.get(f"/admin/settings/{chapter}")
    return seller.press(page, f"/admin/settings/{chapter}/try", {"service": service})


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes calls and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_key_of_stripes_is_tried_and_what_it_lacks_is_named(till: Till) -> None:
    seller = hire(till.shop)
    answer = words(press(seller, "payments", "stripe"))
    assert "This is a TEST key: no real money moves." in answer
    assert "Stripe takes the key, and lets it read what selling needs." in answer
    assert "Its web hook was not heard yet" in answer
    assert f"{till.shop.settings.public_url}/webhooks/stripe" in answer
    assert not [each for each in till.stripe.api.calls if each.startswith("POST")]

    till.stripe.api.forbidden = {
        "/v1/refunds": "rak_refund_read",
        "/v1/payouts": "rak_payout_read",
    }
    answer = words(press(seller, "payments", "stripe"))
    assert "The key may not read Refunds." in answer
    assert "It may not read Payouts: the report of payouts lacks them." in answer
    assert "Tried a service" in words(seller.get("/admin/audit"))


@sqlite_alone
def test_a_web_hook_that_was_heard_says_when(till: Till) -> None:
    make.product(till.shop)
    till.far.bank.pay(till.begin(till.visitor()), email="ann@example.com")
    answer = words(press(hire(till.shop), "payments", "stripe"))
    assert "Its web hook was last heard on 2026-11-23" in answer


@sqlite_alone
def test_a_key_that_stripe_does_not_know_and_a_stripe_that_is_away(
    till: Till, silent: str
) -> None:
    def tried(**changes: object) -> list[Word]:
        return trying.tried(with_settings(till.shop, "stripe", **changes), "stripe")

    wrong = tried(secret_key=SecretStr("rk_live_" + "x" * 30))
    assert wrong[0].said == "This is a LIVE key: real money moves."
    assert wrong[1] == Word(
        False,
        "Stripe does not know this key.",
        "Copy it once more from Stripe's dashboard, under Developers, API keys; it may "
        "have been rolled or deleted.",
    )
    away = tried(api_base=silent)
    assert "did not answer as it should" in away[1].said
    assert tried(secret_key=None)[0].said == "There is no stripe.secret_key."


def test_an_app_of_paypals_is_tried(paypal_till: Till) -> None:
    seller = hire(paypal_till.shop)
    answer = words(press(seller, "payments", "paypal"))
    assert "PayPal takes the keys, and lets the app see disputes." in answer
    paypal_till.paypal.api.no_disputes = True
    answer = words(press(seller, "payments", "paypal"))
    assert "the app may not see disputes" in answer
    other = with_settings(paypal_till.shop, "paypal", secret=SecretStr("y" * 30))
    said = trying.tried(other, "paypal")
    assert "PayPal does not know this Client ID with this secret." in said[1].said


@sqlite_alone
def test_who_says_nothing_keeps_nobody_waiting(till: Till, silent: str) -> None:
    slow = with_settings(till.shop, "stripe", api_base=silent)
    began = monotonic()
    found = trying.tried(slow, "stripe", seconds=0.3)
    assert monotonic() - began < 3
    assert found[0].said.startswith("This is a TEST key")
    assert found[1].said == "There was no answer within 0.3 seconds."


def test_database_folders_and_what_is_not_set_up(seller: Seller, shop: Shop) -> None:
    kind = "SQLite" if shop.database.is_sqlite else "PostgreSQL"
    assert f"{kind} reads and writes" in words(press(seller, "server", "database"))
    assert "What was found out" in words(press(seller, "server", "storage"))
    assert "Mails are not sent" in words(press(seller, "mail", "domain"))
    assert "so none is read" in words(press(seller, "mail", "mailbox"))
    assert "Nobody else is told" in words(press(seller, "analytics", "counters"))
    assert "There is no analytics.country" in words(
        press(seller, "analytics", "countries")
    )
    assert press(seller, "mail", "stripe").status_code == 404


@sqlite_alone
def test_who_counts_elsewhere_is_reached_and_told_nothing(
    shop: Shop,
) -> None:
    make.product(shop)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    away = with_settings(
        shop,
        "analytics",
        matomo_url=nobody,
        matomo_site=1,
    )
    [good, bad] = trying.tried(away, "counters")
    assert good.said == "What would be told of each product is as they want it."
    assert bad.said.startswith("Matomo cannot be reached at 127.0.0.1:")


@sqlite_alone
def test_the_doctor_is_asked_at_the_desk(shop: Shop, seller: Seller) -> None:
    page = seller.get("/admin/settings/doctor")
    assert page.status_code == 200
    asked = seller.press(page, "/admin/settings/doctor")
    assert "Everything was looked at just now" in words(asked)
    (shop.home / "secrets" / "keys.json").chmod(0o644)
    asked = seller.press(page, "/admin/settings/doctor")
    assert "Other users of this machine may read" in words(asked)
    assert "H011" in words(asked)


@sqlite_alone
def test_the_first_pages_say_what_to_do_where(seller: Seller, shop: Shop) -> None:
    payments = seller.get("/admin/settings/payments")
    assert f"{shop.settings.public_url}/webhooks/stripe" in payments.text
    assert "payment_intent.payment_failed" in payments.text
    mail = seller.get("/admin/settings/mail")
    assert "_dmarc." in mail.text
    sent = seller.do(mail, "/mails/test")
    assert "A test mail for ada@example.com is out" in words(sent)
    assert "Opening it to the world" in words(seller.get("/admin/settings/shop"))
