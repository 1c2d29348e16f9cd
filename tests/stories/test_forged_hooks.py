"""P21: who only pretends to be a mail relay stops no mails to anybody."""

import json
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from handsel.outbound import relays
from handsel.shop import Shop
from tests.ground.amazon import HOST, TOPIC, Amazon, certificate, other_key
from tests.ground.amazon import signed as amazons
from tests.ground.cases import Say
from tests.stories.relays import (
    PASSWORD,
    Body,
    basic,
    batch,
    bounced,
    event,
    failed,
    post,
    rows,
    seal,
    sendgrids_key,
    ses_bounce,
    signed,
    why,
)


def _with(message: Body, **changed: object) -> Body:
    return message | {"signature": message["signature"] | changed}


def test_forged_messages_of_mailgun_and_postmark_write_nothing(
    heard: Shop, say: Say
) -> None:
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


PLACES = [
    "http://{host}{name}",
    "https://sns.eu-central-1.amazonaws.com.evil.test{name}",
    "https://evil.test/sns.eu-central-1.amazonaws.com{name}",
    "https://{host}@127.0.0.1{name}",
    "https://{host}:secret@127.0.0.1{name}",
    "https://user@{host}{name}",
    "https://127.0.0.1#@{host}{name}",
    "https://127.0.0.1\\@{host}{name}",
    "https://{host}:8443{name}",
    "https://{host}:443{name}",
    "https://{host}./{name}",
    "https://sns.eu-central-1.amazonaws.com.cn{name}",
    "https://sns.us-east-1.amazonaws.com{name}",
    "https://mybucket.s3.amazonaws.com{name}",
    "https://sns-eu-central-1.amazonaws.com{name}",
    "https://sns.eu-central-1.amazonaws.com\n.evil.test{name}",
    "https://{host}/..{name}",
    "https://{host}/x?{name}",
    "https://{host}{name}?x",
    "https://{host}{name}\n",
    "https://{host}/?Action=ConfirmSubscription&x=.pem",
    "https://ѕns.eu-central-1.amazonaws.com{name}",
    "//{host}{name}",
    "file://{host}{name}",
    "{name}",
    "",
]
"""Where a forger would like us to fetch the certificate."""


def ses_forgeries(amazon: Amazon, shop: Shop) -> Iterator[tuple[str, object]]:
    """Give everything that is not to be believed of Amazon, by what is wrong with it."""
    now, told = shop.now(), ses_bounce()
    good = amazon.message(told, at=now)
    foreign = TOPIC.replace("123456789012", "210987654321")
    yield "no signature", {k: v for k, v in good.items() if k != "Signature"}
    yield "an empty signature", good | {"Signature": ""}
    yield "a signature of the wrong kind", good | {"Signature": ["a"]}
    yield "letters beyond ASCII", good | {"Signature": "é" * 344}
    yield "another key", amazons(good, other_key())
    yield "the hash of the other version", good | {"SignatureVersion": "1"}
    yield "a version nobody knows", good | {"SignatureVersion": "3"}
    yield (
        "a foreign topic, truly signed",
        amazon.message(told, at=now, TopicArn=foreign),
    )
    yield "another topic than was signed", good | {"TopicArn": foreign}
    yield "a topic and more", amazon.message(told, at=now, TopicArn=TOPIC + "2")
    yield "another mail than was signed", good | {"Message": json.dumps(told) + " "}
    yield (
        "another time than was signed",
        amazon.message(told, at=now) | {"Timestamp": "2026-11-23T11:59:59.000Z"},
    )
    yield "a subject slipped in", good | {"Subject": "x"}
    yield "words moved from one field to another", _moved(good)
    yield "another type than was signed", good | {"Type": "SubscriptionConfirmation"}
    yield "a type nobody knows", amazon.message(told, at=now, Type="Hello")
    yield "13 hours old", amazon.message(told, at=now.replace(day=22, hour=23))
    yield "from the future", amazon.message(told, at=now.replace(hour=13))
    for stamp in ("", "yesterday", "2026-11-23T12:00:00", "0001-01-01T00:00:00+14:00"):
        yield f"the time {stamp!r}", amazon.message(told, at=now, Timestamp=stamp)
    for place in PLACES:
        address = place.format(host=HOST, name=amazon.name)
        yield f"its certificate at {address!r}", good | {"SigningCertURL": address}
    yield "raw delivery", told
    yield "half of a letter", good | {"Message": "\ud800"}
    yield "no JSON", b"{"
    yield "a list", [good]
    yield "deep", b"[" * 100_000
    yield "a key twice", json.dumps(good).replace("{", '{"Type": "x", ', 1).encode()
    yield "2 MB", b" " * 2_000_000 + json.dumps(good).encode()


def _moved(message: dict[str, str]) -> dict[str, str]:
    moved = message["Message"] + f"\nMessageId\n{message['MessageId']}"
    return message | {"Message": moved, "MessageId": ""}


def test_forged_messages_of_ses_write_nothing_and_lead_us_nowhere(
    heard: Shop, amazon: Amazon, say: Say
) -> None:
    before = rows(heard)
    forged = dict(ses_forgeries(amazon, heard))
    answers = {name: post(heard, "ses", it).status_code for name, it in forged.items()}

    say("P21", forged_of_ses=len(answers), statuses=sorted(set(answers.values())))
    assert {n: it for n, it in answers.items() if it not in (401, 413)} == {}
    assert rows(heard) == before
    assert set(amazon.asked) == {amazon.name}
    assert post(heard, "ses", amazon.message(ses_bounce(), at=heard.now())).data == (
        b"Recorded.\n"
    )


@pytest.mark.parametrize("years", [0, 100])
def test_a_certificate_that_has_run_out_or_is_of_another_kind_proves_nothing(
    heard: Shop, amazon: Amazon, years: int
) -> None:
    content = certificate(sendgrids_key() if years else None, years=years)
    amazon.answers[amazon.name] = (200, content)
    message = amazon.message(ses_bounce(), at=heard.now())
    assert post(heard, "ses", message).status_code == 401
    assert why(heard) == set()


@pytest.mark.parametrize(
    "content", [b"", b"x" * 100_000, b"-----BEGIN CERTIFICATE-----"]
)
def test_what_is_no_certificate_proves_nothing(
    heard: Shop, amazon: Amazon, content: bytes
) -> None:
    amazon.answers[amazon.name] = (200, content)
    message = amazon.message(ses_bounce(), at=heard.now())
    assert post(heard, "ses", message).status_code == 401
    assert why(heard) == set()


def test_a_subscription_is_confirmed_only_for_a_topic_of_ours(
    heard: Shop, amazon: Amazon
) -> None:
    now = heard.now()
    good = amazon.confirmation(at=now)
    foreign = TOPIC.replace("123456789012", "210987654321")
    forged = [
        amazon.confirmation(at=now, TopicArn=foreign),
        amazon.confirmation(at=now, Token="x&TopicArn=other"),
        amazons(good, other_key()),
        good | {"SubscribeURL": f"https://{HOST}{amazon.confirm}&x=1"},
        good | {"Token": "another"},
        good | {"SigningCertURL": "https://evil.test/a.pem"},
    ]
    answers = {post(heard, "ses", each).status_code for each in forged}

    assert answers == {401}
    assert set(amazon.asked) == {amazon.name}


def test_a_subscription_is_confirmed_at_amazon_whatever_the_message_says(
    heard: Shop, amazon: Amazon
) -> None:
    """Even a signed address is not gone to: any other host would fail this test."""
    places = [place.format(host=HOST, name="/evil") for place in PLACES]
    for place in places:
        message = amazon.confirmation(at=heard.now(), SubscribeURL=place)
        assert post(heard, "ses", message).status_code == 200

    assert amazon.asked == [amazon.name] + [amazon.confirm] * len(places)


def sendgrid_forgeries(shop: Shop) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Give everything that is not to be believed of SendGrid: name, body, headers."""
    body = batch(event())
    good = seal(shop, body)
    signature, stamp = good
    other = ec.generate_private_key(ec.SECP256R1())
    now = good[stamp]
    yield "no signature", body, {stamp: now}
    yield "no time", body, {signature: good[signature]}
    yield "nothing", body, {}
    yield "an empty signature", body, good | {signature: ""}
    yield "no base64", body, good | {signature: "~~~~"}
    yield "letters beyond ASCII", body, good | {signature: "é" * 96}
    yield "no DER", body, good | {signature: "AAAA"}
    yield "another key", body, seal(shop, body, key=other)
    yield (
        "a key of another kind",
        body,
        seal(shop, body, key=sendgrids_key(ec.SECP384R1)),
    )
    yield "another body", batch(event(email="ann@example.com ")), good
    yield "a body without its last line end", body.strip(), good
    yield "another time", body, good | {stamp: str(int(now) + 1)}
    yield (
        "a digit moved from time to body",
        now[-1:].encode() + body,
        good | {stamp: now[:-1]},
    )
    yield "a digit moved, truly signed", b"1" + body, seal(shop, b"1" + body)
    yield "27 hours old", body, seal(shop, body, ago=27 * 3600)
    yield "from the future", body, seal(shop, body, ago=-400)
    for wrong in ("", "-1790000000", " 1790000000", "1e9", "١٧٩٠٠٠٠٠٠٠", "99999999999"):
        yield f"the time {wrong!r}", body, seal(shop, body, stamp=wrong or "0")
    for raw in (
        b"[",
        b"{}",
        b"[7]",
        b"[[]]",
        b"[" * 9_999,
        b'[{"a":1,"a":2}]',
        b"\xff",
    ):
        yield f"signed, but {raw[:20]!r}", raw, seal(shop, raw)
    huge = b" " * relays.LARGEST + body
    yield "huge", huge, seal(shop, huge)


def test_forged_messages_of_sendgrid_write_nothing(heard: Shop, say: Say) -> None:
    before = rows(heard)
    forged = list(sendgrid_forgeries(heard))
    answers = {
        name: post(heard, "sendgrid", body, **headers).status_code
        for name, body, headers in forged
    }

    say("P21", forged_of_sendgrid=len(forged), statuses=sorted(set(answers.values())))
    assert len(answers) == len(forged)
    assert {n: it for n, it in answers.items() if it not in (401, 413)} == {}
    assert rows(heard) == before
    body = batch(event())
    assert post(heard, "sendgrid", body, **seal(heard, body)).status_code == 200
