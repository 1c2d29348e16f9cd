"""`handsel webhook`: adding, testing, the log, hearing again, stopping, taking out."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from handsel import worker
from handsel.cli import handsel
from handsel.shop import Shop
from tests.cli.test_coupon import run, told
from tests.ground.shops import Clock
from tests.stories.listening import Listener, is_signed, that_tells

URL = "https://example.com/hooks"


def test_a_web_hook_is_added_listed_and_taken_out(shop: Shop) -> None:
    assert "Nobody is told" in run(shop, "webhook", "list").stdout
    made = told(shop, "webhook", "add", URL)
    assert made["secret"].startswith("whsec_")
    assert made["url"] == URL
    [listed] = told(shop, "webhook", "list")
    assert "secret" not in listed
    assert (listed["state"], listed["with_email"], listed["taken_at"]) == (
        *("active", False),
        None,
    )
    assert URL in run(shop, "webhook", "list").stdout
    assert told(shop, "webhook", "secret", "1")["secret"] == made["secret"]
    renewed = told(shop, "webhook", "secret", "1", "--new")["secret"]
    assert renewed != made["secret"]
    assert told(shop, "webhook", "remove", "1")["removed"]
    assert told(shop, "webhook", "list") == []


def test_a_test_is_told_and_told_again(
    shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSEL_ENV", "test")
    telling = that_tells(shop)

    def send() -> None:
        clock.time = datetime.now(UTC)  # commands go by the machine's
        worker.turn(telling)

    with Listener() as listener:
        secret = told(shop, "webhook", "add", listener.url)["secret"]
        told(shop, "webhook", "test", "1")
        send()
        [sent] = told(shop, "webhook", "log", "1")
        assert (sent["name"], sent["state"], sent["tries"]) == ("test", "sent", 1)
        assert "test" in run(shop, "webhook", "log").stdout
        told(shop, "webhook", "replay", str(sent["id"]))
        send()
        assert listener.names() == ["test", "test"]
        assert all(is_signed(each, secret) for each in listener.messages)

        told(shop, "webhook", "stop", "1")
        told(shop, "webhook", "test", "1")
        send()
        assert len(listener.messages) == 2
        assert told(shop, "webhook", "start", "1")["missed"] == 1
        send()
        assert len(listener.messages) == 3


def test_wrong_words_are_sentences(shop: Shop) -> None:
    told(shop, "webhook", "add", URL)
    for line, code, said in (
        (("add", URL), 1, "told already"),
        (("add", "http://example.com"), 2, "https://"),
        (("add", "https://example.com:25/"), 2, "port"),
        (("test", "9"), 3, "no web hook 9"),
        (("log", "9"), 3, "no web hook 9"),
        (("secret", "9"), 3, "no web hook 9"),
        (("start", "9"), 3, "no web hook 9"),
        (("stop", "9"), 3, "no web hook 9"),
        (("remove", "9"), 3, "no web hook 9"),
        (("replay", "9"), 3, "no message 9"),
    ):
        done = CliRunner().invoke(handsel, ["webhook", *line, "--home", str(shop.home)])
        assert getattr(done.exception, "exit_code", None) == code, line
        assert said in str(done.exception)


def test_twenty_are_enough(shop: Shop) -> None:
    for number in range(20):
        told(shop, "webhook", "add", f"{URL}/{number}")
    done = CliRunner().invoke(
        handsel, ["webhook", "add", f"{URL}/one-more", "--home", str(shop.home)]
    )
    assert "20 are told already" in str(done.exception)
