"""`handsel mail`: a test mail at once, and what became of the others."""

import json
from pathlib import Path

import pytest
from sqlalchemy import update

from handsel.models import OutboxItem
from handsel.outbound.transports.folder import mail_folder, read_folder
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, real, run
from tests.ground.smtp import SmtpServer
from tests.ops import keeping


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop with two receipts to send."""
    make.product(shop)
    keeping.buy(shop, 2)
    return shop


def _kill(shop: Shop, item: int) -> None:
    with shop.transaction() as session:
        session.execute(
            update(OutboxItem)
            .where(OutboxItem.id == item)
            .values(state="dead", tries=10, last_error="550 no such mailbox")
        )


def test_a_test_mail_goes_at_once_and_says_where(shop: Shop) -> None:
    shown = run(shop, "mail", "test", "me@example.com")
    sent = facts(shop, "mail", "test", "me@example.com")

    mails = read_folder(mail_folder(shop.home))
    assert shown.exit_code == 0, shown.output
    assert "sent to nobody" in shown.stdout
    assert "mail.transport" in shown.stderr
    assert [mail.to for mail in mails] == ["me@example.com"] * 2
    assert "mail works" in mails[0].subject
    assert f"{mails[0].date:%Y-%m-%d}" in mails[0].text
    assert isinstance(sent, dict)
    assert sent["transport"] == "folder"


def test_a_test_mail_to_no_address(shop: Shop) -> None:
    done = real(shop.home, "mail", "test", "me")

    assert done.returncode == 2
    assert read_folder(mail_folder(shop.home)) == []


def test_mails_are_listed_by_state_with_what_went_wrong(sold: Shop) -> None:
    _kill(sold, 1)

    everything = facts(sold, "mail", "list")
    dead = facts(sold, "mail", "list", "--state", "dead")
    newest = facts(sold, "mail", "list", "--most", "1")
    shown = run(sold, "mail", "list", "--state", "dead")

    assert isinstance(everything, list)
    assert [each["order"] for each in everything] == ["H-1002", "H-1001"]
    assert isinstance(dead, list)
    assert [(each["id"], each["last_error"]) for each in dead] == [
        (1, "550 no such mailbox")
    ]
    assert isinstance(newest, list)
    assert len(newest) == 1
    assert "handsel mail retry" in shown.stderr


def test_mails_that_were_given_up_go_again(sold: Shop) -> None:
    _kill(sold, 1)
    _kill(sold, 2)

    one = facts(sold, "mail", "retry", "1")
    rest = facts(sold, "mail", "retry")
    none = run(sold, "mail", "retry")

    assert (one, rest) == ({"retried": 1}, {"retried": 1})
    assert "No mail was given up." in none.stdout
    states = facts(sold, "mail", "list", "--state", "waiting")
    assert isinstance(states, list)
    assert [each["tries"] for each in states] == [0, 0]


def test_a_mail_that_does_not_exist_and_one_that_is_on_its_way(sold: Shop) -> None:
    missing = real(sold.home, "mail", "retry", "99")
    waiting = real(sold.home, "mail", "retry", "1")

    assert missing.returncode == 3
    assert waiting.returncode == 1
    assert "waiting" in waiting.stderr


def test_a_mail_server_that_does_not_answer_says_which_setting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    monkeypatch.setenv("HANDSEL_MAIL__TRANSPORT", "smtp")
    monkeypatch.setenv("HANDSEL_MAIL__HOST", "127.0.0.1")
    monkeypatch.setenv("HANDSEL_MAIL__PORT", str(unused_port))

    done = real(shop.home, "mail", "test", "me@example.com")

    assert done.returncode == 1
    assert f"127.0.0.1:{unused_port}" in done.stderr
    assert "mail." in done.stderr


def test_json_of_no_mails(shop: Shop, tmp_path: Path) -> None:
    assert json.loads(run(shop, "mail", "list", "--json").stdout) == []


@pytest.mark.parametrize("reply", ["450 4.2.0 Greylisted", "550 5.1.1 No such user"])
def test_a_test_mail_that_is_refused_promises_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, reply: str
) -> None:
    with SmtpServer() as server:
        server.replies["me@example.com"] = reply
        monkeypatch.setenv("HANDSEL_MAIL__TRANSPORT", "smtp")
        monkeypatch.setenv("HANDSEL_MAIL__HOST", server.host)
        monkeypatch.setenv("HANDSEL_MAIL__PORT", str(server.port))
        monkeypatch.setenv("HANDSEL_MAIL__SECURITY", "none")

        done = real(shop.home, "mail", "test", "me@example.com")

    assert done.returncode == 1
    assert reply in done.stderr
    (hint,) = done.stderr.splitlines()[1:]
    assert "uyer" in hint  # a test mail is in no list, and does not go again
