"""What Amazon SES tells the shop, by way of a topic of Amazon SNS."""

import pytest
from werkzeug.test import TestResponse

from handsel.models.words import StopReason
from handsel.ops import mailing
from handsel.shop import Shop
from tests.ground.amazon import HOSTS, Amazon
from tests.ground.shops import Clock
from tests.stories.buyers import with_settings
from tests.stories.relays import (
    ANN,
    Body,
    Row,
    details,
    post,
    ses_bounce,
    ses_complaint,
    untrue_of,
    why,
)

DEAD, SPAM = {StopReason.BOUNCED}, {StopReason.COMPLAINED}
FULL = {"status": "5.2.2", "diagnosticCode": "smtp; 552 5.2.2 Mailbox full"}
BLOCKED = {"status": "5.7.1", "diagnosticCode": "smtp; 550 5.7.1 Blocked: spam"}


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("event", [False, True])
def test_ses_says_that_an_address_is_dead(
    heard: Shop, amazon: Amazon, version: str, event: bool
) -> None:
    message = amazon.message(
        ses_bounce(event=event), at=heard.now(), SignatureVersion=version, Subject="é"
    )
    answer = post(heard, "ses", message)

    assert (answer.status_code, answer.data) == (200, b"Recorded.\n")
    assert why(heard) == DEAD
    assert details(heard) == ["550 5.1.1 <ann@example.com>: User unknown"]
    assert amazon.asked == [amazon.name]


KINDS: list[Row] = [
    (ses_bounce(subtype="Suppressed"), DEAD),
    (ses_bounce(subtype="OnAccountSuppressionList", said={}), DEAD),
    (ses_bounce(subtype="General", said={}), DEAD),
    (ses_bounce(subtype="General", said=FULL), set()),
    (ses_bounce(subtype="General", said=BLOCKED), set()),
    (ses_bounce(subtype="NoEmail"), set()),
    (ses_bounce(subtype="UnsubscribedRecipient"), set()),
    (ses_bounce("Transient", "General"), set()),
    (ses_bounce("Transient", "MailboxFull"), set()),
    (ses_bounce("Undetermined", "Undetermined"), set()),
    (ses_complaint("ann@example.com"), SPAM),
    (ses_complaint("ann@example.com", event=True), SPAM),
    (ses_complaint("ann@example.com", complaintFeedbackType=None), SPAM),
    (ses_complaint("ann@example.com", complaintFeedbackType="not-spam"), set()),
    (ses_complaint("ann@example.com", "bob@example.com"), set()),
    (ses_complaint(), set()),
    ({"notificationType": "Delivery"}, set()),
    ({"eventType": "Open"}, set()),
    ({"eventType": "Bounce", "bounce": {"bouncedRecipients": [7]}}, set()),
    ("Successfully validated SNS topic for Amazon SES event publishing.", set()),
    ("[]", set()),
]


def test_each_kind_of_ses_is_answered_200_and_changes_what_it_should(
    heard: Shop, amazon: Amazon
) -> None:
    def say(told: Body | str) -> TestResponse:
        return post(heard, "ses", amazon.message(told, at=heard.now()))

    assert untrue_of(heard, KINDS, say) == []


def test_of_several_recipients_each_is_looked_at(heard: Shop, amazon: Amazon) -> None:
    told = ses_bounce()
    recipients = told["bounce"]["bouncedRecipients"]
    recipients.insert(0, recipients[0] | {"emailAddress": "stranger@example.com"})
    post(heard, "ses", amazon.message(told, at=heard.now()))
    assert why(heard) == DEAD


def test_a_message_of_ses_counts_once_and_a_certificate_is_fetched_once(
    heard: Shop, amazon: Amazon, clock: Clock
) -> None:
    message = amazon.message(ses_bounce(), at=heard.now())
    post(heard, "ses", message)
    mailing.lift(heard, ANN)
    clock.move(hours=8)

    assert post(heard, "ses", message).data == b"Recorded before.\n"
    assert why(heard) == set()
    clock.move(hours=5)
    assert post(heard, "ses", message).status_code == 401
    assert amazon.asked == [amazon.name]


@pytest.mark.parametrize("region", HOSTS)
def test_a_topic_of_any_of_amazons_worlds(
    heard: Shop, amazon: Amazon, region: str
) -> None:
    topic = f"{region}:123456789012:bounces"
    shop = with_settings(heard, "mail", ses_topics=["arn:aws:sns:x:1:y", topic])
    where = f"https://{HOSTS[region]}{amazon.name}"
    message = amazon.message(
        ses_bounce(), at=heard.now(), TopicArn=topic, SigningCertURL=where
    )
    assert post(shop, "ses", message).status_code == 200
    assert why(heard) == DEAD


def test_a_subscription_confirms_itself(heard: Shop, amazon: Amazon) -> None:
    answer = post(heard, "ses", amazon.confirmation(at=heard.now()))
    assert answer.status_code == 200
    assert amazon.asked == [amazon.name, amazon.confirm]


def test_a_subscription_that_was_ended_is_not_begun_anew(
    heard: Shop, amazon: Amazon, caplog: pytest.LogCaptureFixture
) -> None:
    ended = amazon.confirmation(at=heard.now(), Type="UnsubscribeConfirmation")
    assert post(heard, "ses", ended).status_code == 200
    assert amazon.asked == [amazon.name]
    assert "that subscription was ended" in caplog.text


@pytest.mark.parametrize(
    ("status", "ours"), [(500, 503), (503, 503), (404, 401), (302, 401)]
)
def test_a_certificate_that_cannot_be_had(
    heard: Shop, amazon: Amazon, status: int, ours: int
) -> None:
    good = amazon.answers[amazon.name]
    amazon.answers["/elsewhere"] = good
    amazon.answers[amazon.name] = (status, b"/elsewhere")
    message = amazon.message(ses_bounce(), at=heard.now())

    assert post(heard, "ses", message).status_code == ours
    assert why(heard) == set()
    assert "/elsewhere" not in amazon.asked
    amazon.answers[amazon.name] = good
    assert post(heard, "ses", message).status_code == 200


def test_amazon_that_is_slow_or_gone_is_asked_again_when_the_message_comes_again(
    heard: Shop, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    amazon.delay = 30
    message = amazon.message(ses_bounce(), at=heard.now())
    with monkeypatch.context() as hasty:
        hasty.setattr("handsel.outbound.relays.sns.SECONDS", 0.2)
        slow = post(heard, "ses", message)
    amazon.go.set()

    assert (slow.status_code, why(heard)) == (503, set())
    assert post(heard, "ses", message).status_code == 200
    assert why(heard) == DEAD


def test_a_server_that_only_claims_to_be_amazon_is_not_believed(
    heard: Shop, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")  # so that its certificate is nobody's
    message = amazon.message(ses_bounce(), at=heard.now())
    assert post(heard, "ses", message).status_code == 503
    assert (why(heard), amazon.asked) == (set(), [])
