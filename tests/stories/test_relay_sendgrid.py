"""What SendGrid tells the shop: many events in one message."""

from werkzeug.test import TestResponse

from handsel.models.words import StopReason
from handsel.ops import mailing
from handsel.shop import Shop
from tests.ground.shops import Clock
from tests.stories.relays import (
    ANN,
    Body,
    Row,
    batch,
    details,
    event,
    post,
    rows,
    seal,
    untrue_of,
    why,
)

DEAD, SPAM = {StopReason.BOUNCED}, {StopReason.COMPLAINED}


def answer(shop: Shop, *events: Body) -> TestResponse:
    """Let SendGrid say something; give our answer."""
    body = batch(*events)
    return post(shop, "sendgrid", body, **seal(shop, body))


def say(shop: Shop, *events: Body) -> int:
    """Let SendGrid say something; give the status of our answer."""
    return answer(shop, *events).status_code


def test_sendgrid_says_among_many_things_that_an_address_is_dead(heard: Shop) -> None:
    before = rows(heard)
    kinds = ("processed", "delivered", "open", "click", "deferred", "unsubscribe")
    others = [event(kind, sg_event_id=kind) for kind in kinds]

    assert say(heard, *others, event(), *others) == 200
    assert why(heard) == DEAD
    assert details(heard) == [
        "5.1.1 550 5.1.1 The email account that you tried to reach does not exist."
    ]
    assert rows(heard) == before + 2


KINDS: list[Row] = [
    (event(status="5.0.0", reason="500 unknown recipient"), DEAD),
    (event(status="", reason="", bounce_classification="Invalid Address"), DEAD),
    (event(type="blocked"), set()),
    (event(type="blocked", bounce_classification="Invalid Address"), set()),
    (event(status="5.2.2", reason="552 5.2.2 Mailbox full"), set()),
    (event(status="5.7.1", reason="550 5.7.1 Blocked"), set()),
    (event(status=7, reason=None), set()),
    (event("dropped", reason="Bounced Address"), DEAD),
    (event("dropped", reason="Invalid"), DEAD),
    (event("dropped", reason="Spam Reporting Address"), SPAM),
    (event("dropped", reason="Unsubscribed Address"), set()),
    (event("dropped", reason="Invalid SMTPAPI header"), set()),
    (event("spamreport"), SPAM),
    (event(email="stranger@example.com"), set()),
    (event(email="a\0@b.c"), set()),
    (event(email=None), set()),
    (event(sg_event_id=None), DEAD),
    (event(sg_event_id="x" * 999), DEAD),
    (event(7), set()),  # type: ignore[arg-type]  # as strangers write it
    ({}, set()),
]


def test_each_kind_of_sendgrids_is_answered_200_and_changes_what_it_should(
    heard: Shop,
) -> None:
    assert untrue_of(heard, KINDS, lambda told: answer(heard, told)) == []


def test_an_event_of_sendgrids_counts_once_in_whichever_message(
    heard: Shop, clock: Clock
) -> None:
    body = batch(event())
    headers = seal(heard, body)
    post(heard, "sendgrid", body, **headers)
    mailing.lift(heard, ANN)
    clock.move(hours=20)

    assert post(heard, "sendgrid", body, **headers).data == b"Recorded before.\n"
    assert say(heard, event(), event(timestamp=1)) == 200
    assert why(heard) == set()
    assert say(heard, event(), event(sg_event_id="another")) == 200
    assert why(heard) == DEAD
    clock.move(hours=7)
    assert post(heard, "sendgrid", body, **headers).status_code == 401


def test_the_largest_message_of_sendgrids_is_taken(heard: Shop) -> None:
    told = [event("delivered", padding="x" * 500) for _ in range(800)]
    body = batch(*told, event())

    assert 650_000 < len(body) < 768_000
    assert post(heard, "sendgrid", body, **seal(heard, body)).status_code == 200
    assert why(heard) == DEAD
