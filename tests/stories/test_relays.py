"""What Mailgun and Postmark tell the shop by web hook."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from werkzeug.test import TestResponse

from handsel.kit.errors import ConfigurationError
from handsel.models.words import StopReason
from handsel.ops import mailing
from handsel.settings import load_settings
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.stories.buyers import buy, with_settings
from tests.stories.relays import (
    ANN,
    Body,
    Row,
    basic,
    bounced,
    details,
    failed,
    post,
    public_key,
    signed,
    untrue_of,
    why,
)


def test_mailgun_says_that_an_address_is_dead(heard: Shop) -> None:
    answer = post(heard, "mailgun", signed(heard, failed()))

    assert answer.status_code == 200
    assert why(heard) == {StopReason.BOUNCED}
    assert details(heard) == [
        "550 5.1.1 The email account that you tried to reach does not exist."
    ]


STATUS = "delivery-status"
FULL = {"code": 552, "message": "5.2.2 The mailbox is full"}
SPAM = {"code": 550, "message": "5.7.1 No such user, or spam"}
BARE = {"code": 550, "message": "No such user"}


MAILGUNS: list[Row] = [
    (failed(reason="suppress-bounce"), {StopReason.BOUNCED}),
    (failed(**{STATUS: BARE}), {StopReason.BOUNCED}),
    (failed(reason="suppress-complaint"), {StopReason.COMPLAINED}),
    (failed(event="complained"), {StopReason.COMPLAINED}),
    (failed(severity="temporary"), set()),
    (failed(**{STATUS: FULL}), set()),
    (failed(**{STATUS: SPAM}), set()),
    (failed(**{STATUS: None}), set()),
    (failed(reason="old"), set()),
    (failed(event="delivered"), set()),
    (failed(event="something-new"), set()),
    (failed(event=7), set()),
    (failed(recipient="stranger@example.com"), set()),
    (failed(recipient=None), set()),
    (failed(recipient="a\0@b.c"), set()),
    ({}, set()),
]


def test_each_kind_of_mailguns_is_answered_200_and_changes_what_it_should(
    heard: Shop,
) -> None:
    def say(event: Body) -> TestResponse:
        return post(heard, "mailgun", signed(heard, event))

    assert untrue_of(heard, MAILGUNS, say) == []


def test_a_message_counts_once_even_when_the_address_was_lifted(
    heard: Shop, clock: Clock
) -> None:
    message = signed(heard, failed())
    assert post(heard, "mailgun", message).status_code == 200
    mailing.lift(heard, ANN)
    clock.move(hours=8)

    other = message | {"event-data": failed(event="complained")}
    assert post(heard, "mailgun", message).data == b"Recorded before.\n"
    assert post(heard, "mailgun", other).status_code == 200
    assert why(heard) == set()
    clock.move(hours=5)
    assert post(heard, "mailgun", message).status_code == 401


def test_the_main_account_signs_for_a_subaccount(heard: Shop) -> None:
    message = signed(heard, failed())
    signature = message["signature"]
    signature["parent-signature"] = signature["signature"]
    signature["signature"] = "00" * 32

    assert post(heard, "mailgun", message).status_code == 200
    assert why(heard) == {StopReason.BOUNCED}


POSTMARKS: list[Row] = [
    (bounced(), {StopReason.BOUNCED}),
    (bounced("BadEmailAddress"), {StopReason.BOUNCED}),
    (bounced("SpamComplaint", "SpamComplaint"), {StopReason.COMPLAINED}),
    (bounced("SpamComplaint"), {StopReason.COMPLAINED}),
    (bounced("SoftBounce"), set()),
    (bounced("Blocked"), set()),
    (bounced("DMARCPolicy"), set()),
    (bounced(record="Delivery"), set()),
    (bounced(record="SubscriptionChange"), set()),
    ({"RecordType": "Open"}, set()),
]


def test_each_kind_of_postmarks(heard: Shop) -> None:
    def say(body: Body) -> TestResponse:
        return post(heard, "postmark", body, Authorization=basic())

    assert untrue_of(heard, POSTMARKS, say) == []


def test_postmark_counts_once_too(heard: Shop) -> None:
    post(heard, "postmark", bounced(), Authorization=basic(user=""))
    mailing.lift(heard, ANN)
    again = post(heard, "postmark", bounced(), Authorization=basic())
    assert (again.status_code, why(heard)) == (200, set())
    post(heard, "postmark", bounced(number=43), Authorization=basic())
    assert why(heard) == {StopReason.BOUNCED}


def test_a_relay_that_is_not_set_is_unknown_here(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    buy(visitor, email=ANN)
    assert post(shop, "mailgun", signed(shop, failed())).status_code == 404
    assert post(shop, "postmark", bounced(), Authorization=basic()).status_code == 404
    assert post(shop, "ses", {}).status_code == 404
    assert post(shop, "sendgrid", []).status_code == 404
    empty = with_settings(shop, "mail", postmark_secret=SecretStr(""))
    answer = post(empty, "postmark", bounced(), Authorization=basic(""))
    assert answer.status_code == 404
    assert why(shop) == set()


@pytest.mark.parametrize("name", ["MAILGUN_SIGNING_KEY", "POSTMARK_SECRET"])
def test_a_secret_that_can_be_guessed_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"HANDSEL_MAIL__{name}", "secret")
    with pytest.raises(ConfigurationError, match="at least 20 letters") as error:
        load_settings(shop.home)
    assert "secret." not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SES_TOPICS", "bounces", "no ARN of a topic"),
        ("SES_TOPICS", "arn:aws:sns:evil.test/:123456789012:x", "no ARN of a topic"),
        (
            "SES_TOPICS",
            "arn:aws:sns:eu-central-1:123456789012:x:y",
            "no ARN of a topic",
        ),
        (
            "SES_TOPICS",
            "arn:aws-x:sns:eu-central-1:123456789012:x",
            "no ARN of a topic",
        ),
        ("SENDGRID_PUBLIC_KEY", "MFkwEwYHKoZIzj0CAQ", "verification key"),
        ("SENDGRID_PUBLIC_KEY", public_key(ec.SECP384R1), "verification key"),
    ],
)
def test_what_proves_nothing_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"HANDSEL_MAIL__{name}", value)
    with pytest.raises(ConfigurationError, match=words):
        load_settings(shop.home)


@pytest.mark.parametrize(
    "value", ["bounces+x@example.com", "b" * 22 + "@example.com", "bounces", "a@b@c"]
)
def test_a_bounces_address_that_has_no_room_for_a_token_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCES", value)
    with pytest.raises(ConfigurationError, match=r"bounces@example\.com"):
        load_settings(shop.home)
