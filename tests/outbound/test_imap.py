"""A mailbox is read by IMAP from a real server: what is looked at, and what is not."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from handsel.outbound import bounces, imap
from handsel.settings.mailboxes import Mailbox, read_mailbox
from tests.ground.imap import PASSWORD, USER, Folder, Wire, parrot
from tests.ground.smtp import CERTIFICATE
from tests.outbound.reports import report

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=29)
TOKEN = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1"
NOTE = b"Subject: Hello\r\nTo: ann@example.com\r\n\r\nA nice book.\r\n"
NOTICE = f"To: bounces+{TOKEN}@example.com\r\n\r\nHi. This is qmail.\r\n".encode()


def read(wire: Wire, seen: imap.Seen | None = None) -> list[bytes]:
    """Everything that may be a bounce."""
    with imap.opened(read_mailbox(wire.address), PASSWORD) as folder:
        return list(folder.candidates(seen or imap.Seen(), SINCE))


def at_server(raw: bytes) -> bytes:
    """A mail as it travels."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def test_only_what_may_be_a_bounce_of_late_is_fetched_and_nothing_is_changed(
    folder: Folder, wire: Wire
) -> None:
    bounce = at_server(report("postfix"))
    folder.put(NOTE, NOW)
    folder.put(bounce, NOW - timedelta(days=27))
    folder.put(at_server(report("exim")), NOW - timedelta(days=40))
    folder.put(NOTICE, NOW)
    before = folder.content()

    assert read(wire) == [bounce, NOTICE]
    assert folder.content() == before
    assert not any(b"Seen" in each for each in before)
    assert wire.asked("SELECT") == []
    assert all("PEEK" in each for each in wire.asked("FETCH"))
    assert len(wire.asked("BODY.PEEK[]")) == 2
    changing = [
        "STORE",
        "COPY",
        "MOVE",
        "EXPUNGE",
        "DELETE",
        "CREATE",
        "RENAME",
        "APPEND",
        "CLOSE",
    ]
    assert [each for word in changing for each in wire.asked(word)] == []


def test_what_was_looked_at_is_not_fetched_again_while_the_process_lives(
    folder: Folder, wire: Wire
) -> None:
    seen = imap.Seen()
    folder.put(at_server(report("postfix")), NOW)
    folder.put(NOTE, NOW)
    assert len(read(wire, seen)) == 1
    wire.said.clear()

    assert read(wire, seen) == []
    assert wire.asked("FETCH") == []
    folder.put(NOTICE, NOW)
    assert read(wire, seen) == [NOTICE]


def test_a_mail_that_could_not_be_recorded_comes_again(
    folder: Folder, wire: Wire
) -> None:
    seen = imap.Seen()
    for system in ("postfix", "exim"):
        folder.put(at_server(report(system)), NOW)
    with imap.opened(read_mailbox(wire.address), PASSWORD) as opened:
        mails = opened.candidates(seen, SINCE)
        first, second = next(mails), next(mails)

    assert first != second
    assert read(wire, seen) == [second]


def test_a_server_that_counts_anew_is_read_anew(folder: Folder, wire: Wire) -> None:
    seen = imap.Seen()
    for _ in range(3):
        folder.put(NOTICE, NOW)
    assert len(read(wire, seen)) == 3
    folder.renew()
    folder.put(NOTICE, NOW)
    assert read(wire, seen) == [NOTICE]


def test_of_a_huge_mail_only_the_beginning_is_fetched(
    folder: Folder, wire: Wire
) -> None:
    huge = NOTICE + b"x" * 3 * bounces.MOST
    folder.put(huge, NOW)
    assert read(wire) == [huge[: bounces.MOST]]


def test_many_mails_are_asked_for_in_turns(
    folder: Folder, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BATCH", 2)
    for _ in range(5):
        folder.put(NOTICE, NOW)
    assert len(read(wire)) == 5
    assert len(wire.asked("HEADER.FIELDS")) == 3


def test_a_folder_has_letters_of_any_language(imap_port: int) -> None:
    folder = Folder(imap_port, '"Zur&APw-ck &- \\"mehr\\""')
    try:
        folder.put(NOTICE, NOW)
        with Wire(imap_port, 'Zurück%20&%20"mehr"') as wire:
            assert read(wire) == [NOTICE]
    finally:
        folder.close()


def test_an_empty_folder_is_no_trouble(wire: Wire) -> None:
    assert read(wire) == []


def test_imaps_is_encrypted_and_the_certificate_looked_at(
    imap_port: int, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put(NOTICE, NOW)
    with Wire(imap_port, folder.name, tls=True) as wire:
        with pytest.raises(imap.MailboxError, match="certificate") as refused:
            read(wire)
        assert "SSL_CERT_FILE" in refused.value.hint
        assert wire.said == []
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert read(wire) == [NOTICE]


def mailbox(wire: Wire, **changed: str) -> Mailbox:
    """The same mailbox, read in another way."""
    facts = {"user": USER, "folder": "INBOX", "security": "none"} | changed
    return Mailbox(host="localhost", port=wire.port, **facts)  # type: ignore[arg-type]


@contextmanager
def refused(words: str, hint: str) -> Iterator[None]:
    """What is tried here fails, in these words, and the password is not among them."""
    with pytest.raises(imap.MailboxError) as error:
        yield
    assert words in error.value.message
    assert hint in error.value.hint
    assert PASSWORD not in f"{error.value} {error.value.__cause__}"


def test_starttls_comes_before_any_secret(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = mailbox(wire, security="starttls")
    with refused("certificate", "SSL_CERT_FILE"), imap.opened(where, PASSWORD):
        pass
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with imap.opened(where, PASSWORD):
        pass
    assert wire.asked("AUTHENTICATE") == []


def test_a_server_without_tls_hears_no_secret() -> None:
    with parrot(b"* OK hello\r\n", b"* CAPABILITY IMAP4rev1\r\n") as (port, heard):
        where = Mailbox(USER, "localhost", port, "INBOX", "starttls")
        with (
            refused("TLS not supported", "imaps:// is for port 993"),
            imap.opened(where, PASSWORD),
        ):
            pass
    assert all(b"CAPABILITY" in line for line in heard)


def test_a_server_of_the_older_kind_is_logged_in_to_all_the_same() -> None:
    with parrot(b"* OK hello\r\n", b"* CAPABILITY IMAP4rev1\r\n") as (port, heard):
        where = Mailbox('a "b"', "localhost", port, "INBOX", "none")
        with imap.opened(where, 'c "d"') as opened:
            assert list(opened.candidates(imap.Seen(), SINCE)) == []
        with (
            refused("letters that cannot be sent", "mail.bounce_password"),
            imap.opened(where, "pässword"),
        ):
            pass
    assert b'LOGIN "a \\"b\\"" "c \\"d\\""' in b"".join(heard)


def test_mistakes_are_said_in_words(wire: Wire) -> None:
    with (
        refused("credentials", "mail.bounce_password"),
        imap.opened(mailbox(wire), PASSWORD + "x"),
    ):
        pass
    with (
        refused("does not exist", "the end of mail.bounce_mailbox"),
        imap.opened(mailbox(wire, folder="Nowhere"), PASSWORD),
    ):
        pass
    with (
        refused("SSL", "imaps:// is for port 993"),
        imap.opened(mailbox(wire, security="tls"), PASSWORD),
    ):
        pass


def test_nobody_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        where = Mailbox(USER, "127.0.0.1", closed.getsockname()[1], "INBOX", "tls")
        with refused("refused", "Check host and port"), imap.opened(where, PASSWORD):
            pass
    gone = Mailbox(USER, "mail.invalid", 993, "INBOX", "tls")
    with refused("not known", "no machine of that name"), imap.opened(gone, PASSWORD):
        pass


@pytest.mark.parametrize("word", ["", "EXAMINE", "SEARCH", "FETCH"])
def test_a_server_that_falls_silent_is_left(
    folder: Folder, wire: Wire, word: str
) -> None:
    folder.put(NOTICE, NOW)
    wire.mute = word
    where = read_mailbox(wire.address)
    with (
        refused("timed out", "Check host and port"),
        imap.opened(where, PASSWORD, seconds=0.3) as opened,
    ):
        list(opened.candidates(imap.Seen(), SINCE))


def test_a_server_that_sends_without_end_is_left() -> None:
    with parrot(b"* OK {99999999999}\r\n") as (port, _):
        where = Mailbox(USER, "localhost", port, "INBOX", "none")
        with (
            refused("more than it was asked for", "Check host and port"),
            imap.opened(where, PASSWORD),
        ):
            pass
