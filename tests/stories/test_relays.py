"""What mail relays tell the shop by web hook, and who only pretends to be one."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from handsel.kit.errors import ConfigurationError
from handsel.models import Inbox, Suppression
from handsel.models.words import StopReason
from handsel.ops import mailing
from handsel.outbound import suppressions
from handsel.settings import load_settings
from handsel.shop import Shop
from tests import make
from tests.ground.cases import Say
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.stories.buyers import buy, with_settings

KEY = "key-of-mailgun-0123456789"
PASSWORD = "a-password-of-our-own-42"
ANN = "Ann@example.com"
Body = dict[str, Any]


@pytest.fixture
def heard(shop: Shop, visitor: Visitor) -> Shop:
    """A shop that has sold to Ann, and listens to both relays."""
    make.product(shop)
    buy(visitor, email=ANN)
    return with_settings(
        shop,
        "mail",
        mailgun_signing_key=SecretStr(KEY),
        postmark_secret=SecretStr(PASSWORD),
    )


def failed(**changed: object) -> Body:
    """Mailgun's event of a mail that was refused for good."""
    return {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "recipient": "ann@example.com",
        "delivery-status": {
            "code": 550,
            "enhanced-code": "5.1.1",
            "message": "5.1.1 The email account that you tried to reach does not exist.",
            "description": "",
        },
        "message": {"headers": {"message-id": "1@example.com"}},
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
    } | changed


def signed(
    shop: Shop, event: Body, *, key: str = KEY, token: str = "", **at: int
) -> Body:
    """A whole message of Mailgun's; `ago` seconds old."""
    stamp = str(int(shop.now().timestamp()) - at.get("ago", 0))
    token = token or hashlib.sha256(json.dumps(event).encode()).hexdigest()[:50]
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), "sha256")
    return {
        "signature": {
            "timestamp": stamp,
            "token": token,
            "signature": signature.hexdigest(),
        },
        "event-data": event,
    }


def post(shop: Shop, relay: str, body: object, **headers: str) -> TestResponse:
    """Send a message to the shop's door."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Visitor(shop).client.post(
        f"/webhooks/{relay}", data=raw, headers=headers, buffered=True
    )


def basic(password: str = PASSWORD, user: str = "handsel") -> str:
    """What an address with a name and a password in it makes of them."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def why(shop: Shop) -> set[StopReason]:
    """Why Ann gets no mails to everyone."""
    with shop.reading() as session:
        return suppressions.reasons(session, ANN)


def details(shop: Shop) -> list[str]:
    """What the servers said."""
    with shop.reading() as session:
        return [each.detail for each in suppressions.newest(session)]


def rows(shop: Shop) -> int:
    """How much was written down."""
    with shop.reading() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Inbox, Suppression)
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


@pytest.mark.parametrize(
    ("event", "stopped"),
    [
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
    ],
)
def test_each_kind_of_mailguns_is_answered_200_and_changes_what_it_should(
    heard: Shop, event: Body, stopped: set[StopReason]
) -> None:
    assert post(heard, "mailgun", signed(heard, event)).status_code == 200
    assert why(heard) == stopped
    assert len(details(heard)) == len(stopped)


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


def bounced(kind: str = "HardBounce", record: str = "Bounce", number: int = 42) -> Body:
    """Postmark's message about a mail."""
    return {
        "RecordType": record,
        "ID": number,
        "Type": kind,
        "TypeCode": 1,
        "Email": "ann@example.com",
        "Description": "The server was unable to deliver your message.",
        "Details": "smtp;550 5.1.1 User unknown",
        "BouncedAt": "2026-11-23T12:00:00Z",
    }


@pytest.mark.parametrize(
    ("body", "stopped"),
    [
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
    ],
)
def test_each_kind_of_postmarks(
    heard: Shop, body: Body, stopped: set[StopReason]
) -> None:
    answer = post(heard, "postmark", body, Authorization=basic())
    assert answer.status_code == 200
    assert why(heard) == stopped


def test_postmark_counts_once_too(heard: Shop) -> None:
    post(heard, "postmark", bounced(), Authorization=basic(user=""))
    mailing.lift(heard, ANN)
    again = post(heard, "postmark", bounced(), Authorization=basic())
    assert (again.status_code, why(heard)) == (200, set())
    post(heard, "postmark", bounced(number=43), Authorization=basic())
    assert why(heard) == {StopReason.BOUNCED}


def _with(message: Body, **changed: object) -> Body:
    return message | {"signature": message["signature"] | changed}


def test_forged_messages_are_refused_and_write_nothing(heard: Shop, say: Say) -> None:
    good = signed(heard, failed())
    stamp = good["signature"]["timestamp"]
    token = good["signature"]["token"]
    whole = json.dumps(good)
    mailgun: dict[str, object] = {
        "another key": signed(heard, failed(), key="x" * 30),
        "no signature": {"event-data": failed()},
        "an empty signature": _with(good, signature=""),
        "a signature of the wrong kind": _with(good, signature=["a"]),
        "another token": _with(good, token="b" * 50),
        "another time": _with(good, timestamp=str(int(stamp) + 1)),
        "a digit moved from time to token": _with(
            good, timestamp=stamp[:-1], token=stamp[-1] + token
        ),
        "letters beyond ASCII": _with(good, signature="é" * 64),
        "13 hours old": signed(heard, failed(), ago=13 * 3600),
        "from the future": signed(heard, failed(), ago=-400),
        "no JSON": b"{",
        "a list": b"[]",
        "deep": b"[" * 100_000,
        "not UTF-8": b'{"a": "\xff"}',
        "a key twice": f'{{"signature": {{}}, {whole[1:]}'.encode(),
        "1 MB": b" " * 1_000_000 + whole.encode(),
    }
    postmark = {
        "no password": "",
        "a wrong one": basic("x" * 24),
        "only its beginning": basic(PASSWORD[:-1]),
        "the password as the name": basic("", PASSWORD),
        "no base64": "Basic ~~~~",
        "another scheme": basic().replace("Basic", "Bearer"),
        "letters beyond ASCII": basic("é" * 24),
    }
    before = rows(heard)
    answers = [post(heard, "mailgun", body).status_code for body in mailgun.values()]
    answers += [
        post(heard, "postmark", bounced(), Authorization=given).status_code
        for given in postmark.values()
    ]
    say("P21", forged_hooks=len(answers), statuses=sorted(set(answers)))
    assert {status for status in answers if not 400 <= status < 500} == set()
    assert set(answers) == {401, 413}
    assert rows(heard) == before
    assert post(heard, "mailgun", good).status_code == 200


def test_a_relay_that_is_not_set_is_unknown_here(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    buy(visitor, email=ANN)
    assert post(shop, "mailgun", signed(shop, failed())).status_code == 404
    assert post(shop, "postmark", bounced(), Authorization=basic()).status_code == 404
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
    "value", ["bounces+x@example.com", "b" * 22 + "@example.com", "bounces", "a@b@c"]
)
def test_a_bounces_address_that_has_no_room_for_a_token_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCES", value)
    with pytest.raises(ConfigurationError, match=r"bounces@example\.com"):
        load_settings(shop.home)
