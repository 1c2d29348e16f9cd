"""A mailbox of bounces in the hands of a seller: the command, `doctor`, `config check`."""

import os
import pty
from subprocess import CompletedProcess

import pytest

from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, real, run
from tests.cli.test_mail_bounces import _token
from tests.ground import ready
from tests.ground.imap import PASSWORD, USER, Folder, Wire
from tests.ops import keeping
from tests.outbound.reports import report


@pytest.fixture
def mailbox(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """A mailbox that the settings name."""
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCE_MAILBOX", wire.address)
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCE_PASSWORD", PASSWORD)
    return wire


def at_keyboard(shop: Shop, *words: str) -> CompletedProcess[str]:
    """Run the real program where a person types."""
    keyboard, terminal = pty.openpty()
    try:
        return ready.call(*words, "--home", str(shop.home), stdin=terminal)
    finally:
        os.close(keyboard)
        os.close(terminal)


def test_at_a_keyboard_the_mailbox_is_read(
    shop: Shop, folder: Folder, mailbox: Wire
) -> None:
    make.product(shop)
    (sold,) = keeping.buy(shop)
    token = _token(shop, sold["number"], sold["email"])
    raw = report("gmail", to=sold["email"], token=token, at=shop.now())
    folder.put(raw.replace(b"\n", b"\r\n"), shop.now())
    before = folder.content()

    first = at_keyboard(shop, "mail", "bounces")
    again = at_keyboard(shop, "mail", "bounces")

    assert "1 dead addresses" in first.stdout, first.stderr
    assert "1 read before" in again.stdout
    assert folder.content() == before


def test_behind_a_pipe_it_is_still_one_mail(shop: Shop, mailbox: Wire) -> None:
    assert run(shop, "mail", "bounces").stdout == "There was no mail to read.\n"
    assert mailbox.said == []


def test_a_mailbox_that_lets_nobody_in_is_a_sentence(
    shop: Shop, mailbox: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCE_PASSWORD", "wrong-password-1")
    done = at_keyboard(shop, "mail", "bounces")
    found = facts(shop, "doctor")

    assert done.returncode == 1
    assert f"The mailbox of {USER} at localhost" in done.stderr
    assert "mail.bounce_password" in done.stderr
    assert "wrong-password-1" not in done.stdout + done.stderr + str(found)
    assert isinstance(found, dict)
    (finding,) = [each for each in found["findings"] if each["id"] == "H061"]
    assert finding["level"] == "warning"
    assert "mail.bounce_password" in finding["hint"]


def test_the_doctor_says_nothing_of_a_mailbox_that_can_be_read(
    shop: Shop, mailbox: Wire
) -> None:
    found = facts(shop, "doctor")
    assert isinstance(found, dict)
    assert "H061" not in {each["id"] for each in found["findings"]}
    assert len(mailbox.asked("EXAMINE")) == 1


def test_without_a_mailbox_a_keyboard_is_told_so(shop: Shop) -> None:
    done = at_keyboard(shop, "mail", "bounces")
    assert done.returncode == 2
    assert "set mail.bounce_mailbox" in done.stderr


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("imaps://ann:hunter22@mail.example.com/INBOX", "bounce_password_file"),
        ("imaps://ann:hunter22@mail.example.com:99999", "should look like imaps://"),
        ("imaps://ann@mail.example.com:99999", "should look like imaps://"),
        ("imaps://ann@[::1/INBOX", "should look like imaps://"),
        ("ann@mail.example.com", "should look like imaps://"),
        ("pop3://ann@mail.example.com", "should look like imaps://"),
        ("imaps://mail.example.com/INBOX", "should look like imaps://"),
        ("imaps://ann@/INBOX", "should look like imaps://"),
        ("imaps://ann@mail.example.com/a?b", "%3F for ?"),
        ("imaps://ann@mail.example.com/a%0Ab", "%3F for ?"),
        (
            "imaps://ann@mail.example.com/INBOX",
            "mail.bounce_password: the mailbox needs",
        ),
    ],
)
def test_a_mailbox_that_cannot_be_right_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCE_MAILBOX", address)
    done = run(shop, "config", "check")
    assert done.exit_code == 4
    assert words in done.output
    assert "hunter22" not in done.output
    assert done.output.count("mail.bounce") >= 1


def test_the_password_may_be_in_a_file(
    shop: Shop, mailbox: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.home / "secrets" / "bounces").write_text(f"{PASSWORD}\n")
    monkeypatch.delenv("HANDSEL_MAIL__BOUNCE_PASSWORD")
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCE_PASSWORD_FILE", "secrets/bounces")
    assert real(shop.home, "config", "check").returncode == 0
    assert at_keyboard(shop, "mail", "bounces").returncode == 0


def test_the_mailbox_is_read_without_a_keyboard_when_that_is_said(
    shop: Shop, mailbox: Wire
) -> None:
    assert run(shop, "mail", "bounces", "--mailbox").stdout == (
        "There was no mail to read.\n"
    )
    assert mailbox.said != []
    both = run(shop, "mail", "bounces", "--mailbox", "there")
    assert both.exit_code == 2


def test_without_a_mailbox_it_is_said_that_none_is_named(shop: Shop) -> None:
    done = real(shop.home, "mail", "bounces", "--mailbox")
    assert done.returncode == 2
    assert "No mailbox is named" in done.stderr
