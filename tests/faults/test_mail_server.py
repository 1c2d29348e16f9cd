"""P19: a mail server in every bad mood; no mail is lost, and each mood has its words.

What the outbox makes of temporary and permanent is tested with the outbox; here, that
each fault is told apart, that the next mail still goes, and that repeats are the same.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTPAuthenticationError
from typing import Any, Literal

import pytest

from handsel.kit.errors import ConfigurationError
from handsel.outbound.compose import Sender, compose, seal
from handsel.outbound.transports import smtp
from handsel.outbound.transports.base import PermanentMailError, TemporaryMailError
from handsel.outbound.transports.smtp import SmtpTransport
from handsel.settings import Settings
from tests.ground.loopback import forgive
from tests.ground.smtp import CERTIFICATE, SmtpServer

ADA = "ada@example.org"
SECRET = "correct horse battery"


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the test's certificate, the way a seller would trust their own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@pytest.fixture(params=[False, True], ids=["step-by-step", "pipelining"])
def smtp_server(request: pytest.FixtureRequest) -> Iterator[SmtpServer]:
    """A mail server of either kind."""
    with SmtpServer(pipelining=request.param) as server:
        yield server


def test_one_bad_recipient_never_blocks_the_others(smtp_server: SmtpServer) -> None:
    smtp_server.replies["gone@example.org"] = "550 5.1.1 No such user"
    smtp_server.replies["grey@example.org"] = "450 4.2.0 Greylisted"
    with _to(smtp_server).connect() as carrier:
        with pytest.raises(PermanentMailError, match=r"550 5\.1\.1 No such user"):
            carrier.send(seal(_mail(1), "gone@example.org"))
        with pytest.raises(TemporaryMailError, match=r"450 4\.2\.0 Greylisted"):
            carrier.send(seal(_mail(2), "grey@example.org"))
        carrier.send(seal(_mail(3), ADA))
    assert [letter.recipients for letter in smtp_server.letters] == [(ADA,)]
    assert smtp_server.connections == 1


def test_grey_today_is_taken_tomorrow(smtp_server: SmtpServer) -> None:
    smtp_server.replies[ADA] = "451 4.7.1 Greylisted, come again"
    with _to(smtp_server).connect() as carrier:
        with pytest.raises(TemporaryMailError):
            carrier.send(seal(_mail(1), ADA))
        smtp_server.replies.clear()
        carrier.send(seal(_mail(1), ADA))
    assert len(smtp_server.letters) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("554 5.7.1 Looks like spam", PermanentMailError),
        ("552 5.3.4 Too big", PermanentMailError),
        ("452 4.3.1 Disk full", TemporaryMailError),
        ("550 5.4.5 Daily user sending limit exceeded", TemporaryMailError),
        ("530 5.7.0 Authentication required", TemporaryMailError),
    ],
)
def test_a_mail_refused_after_it_was_read(
    smtp_server: SmtpServer, reply: str, kind: type[Exception]
) -> None:
    smtp_server.reply_to_data = reply
    with _to(smtp_server).connect() as carrier:
        with pytest.raises(kind, match=reply):
            carrier.send(seal(_mail(1), ADA))
        smtp_server.reply_to_data = None
        carrier.send(seal(_mail(2), ADA))
    assert smtp_server.connections == 1


def test_a_server_that_wants_few_mails_at_a_time_gets_them_all(
    smtp_server: SmtpServer,
) -> None:
    smtp_server.letters_per_connection = 3
    with _to(smtp_server).connect() as carrier:
        for number in range(10):
            carrier.send(seal(_mail(number), ADA))
    assert [letter.connection for letter in smtp_server.letters] == [
        *(1, 1, 1, 2, 2, 2, 3, 3, 3, 4)
    ]


def test_a_server_that_wants_none_is_asked_twice_and_no_more(
    smtp_server: SmtpServer,
) -> None:
    smtp_server.letters_per_connection = 0
    with (
        _to(smtp_server).connect() as carrier,
        pytest.raises(TemporaryMailError, match="421"),
    ):
        carrier.send(seal(_mail(1), ADA))
    assert smtp_server.connections == 2


def test_a_lost_answer_is_doubt_and_the_repeat_is_the_same_mail(
    smtp_server: SmtpServer,
) -> None:
    smtp_server.lose_answers = 1
    with _to(smtp_server).connect() as carrier:
        with pytest.raises(TemporaryMailError):
            carrier.send(seal(_mail(1), ADA))
        assert len(smtp_server.letters) == 1, "it must not be repeated in secret"
        carrier.send(seal(_mail(1), ADA))
    assert [letter.message["Message-ID"] for letter in smtp_server.letters] == [
        "<1@example.com>",
        "<1@example.com>",
    ]


def test_a_server_that_is_away_for_a_while(smtp_server: SmtpServer) -> None:
    transport = _to(smtp_server)
    with transport.connect() as carrier:
        carrier.send(seal(_mail(1), ADA))
        smtp_server.down()
        for _ in range(2):
            with pytest.raises(TemporaryMailError, match="refused"):
                carrier.send(seal(_mail(2), ADA))
        smtp_server.up()
        carrier.send(seal(_mail(2), ADA))
    assert len(smtp_server.letters) == 2


def test_nobody_listens(smtp_server: SmtpServer) -> None:
    smtp_server.down()
    error = _cannot_connect(_to(smtp_server))
    assert "refused" in error.message
    assert "mail.port" in error.hint


def test_a_slow_greeting_is_waited_for(smtp_server: SmtpServer) -> None:
    smtp_server.greeting_delay = 0.3
    with _to(smtp_server, connect_seconds=0.2).connect() as carrier:
        carrier.send(seal(_mail(1), ADA))
    assert len(smtp_server.letters) == 1


def test_a_greeting_that_never_comes_ends_in_time(smtp_server: SmtpServer) -> None:
    smtp_server.greeting_delay = 60
    began = time.monotonic()
    error = _cannot_connect(_to(smtp_server, mail_seconds=0.2))
    assert time.monotonic() - began < 5
    assert "timed out" in error.message
    assert "mail.security" in error.hint


def test_an_answer_that_never_comes_ends_in_time() -> None:
    with _mute_after(b"mail") as port:
        began = time.monotonic()
        transport = SmtpTransport("127.0.0.1", port, "none", mail_seconds=0.3)
        with (
            transport.connect() as carrier,
            pytest.raises(TemporaryMailError, match="timed out"),
        ):
            carrier.send(seal(_mail(1), ADA))
        assert time.monotonic() - began < 5


def test_a_text_asked_for_though_nobody_may_get_it_is_an_empty_one() -> None:
    heard: list[bytes] = []
    with _asks_for_every_text(heard) as port:
        transport = SmtpTransport("127.0.0.1", port, "none")
        with (
            transport.connect() as carrier,
            pytest.raises(PermanentMailError, match="550 nobody"),
        ):
            carrier.send(seal(_mail(1), ADA))
    assert heard == [b".\r\n"]


@pytest.mark.parametrize(
    "said", [b"554 5.3.2 Closed\r\n", b"SSH-2.0-OpenSSH\r\n", b"x" * 100_000, b""]
)
def test_whoever_answers_is_not_a_mail_server(said: bytes) -> None:
    with _says(said) as port:
        error = _cannot_connect(SmtpTransport("127.0.0.1", port, "none"))
    assert f"127.0.0.1:{port}" in error.message
    assert len(error.message) < 400


@pytest.mark.parametrize("host", ["mail.shop.invalid", "mail..example", "ü" * 70])
def test_a_name_that_nobody_has(host: str) -> None:
    error = _cannot_connect(SmtpTransport(host, 587, "starttls"))
    assert error.hint.startswith("Check mail.host")
    assert forgive() == 0


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_and_logged_in(
    security: Literal["starttls", "tls"],
) -> None:
    with SmtpServer(security=security, users={"shop": SECRET}) as server:
        transport = _to(server, security=security, user="shop", password=SECRET)
        with transport.connect() as carrier:
            carrier.send(seal(_mail(1), ADA))
    (letter,) = server.letters
    assert (letter.encrypted, letter.user) == (True, "shop")
    assert letter.sender == "books@example.com"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_unknown_certificate_stops_the_mail(
    security: Literal["starttls", "tls"],
) -> None:
    with SmtpServer(security=security) as server:
        error = _cannot_connect(_to(server, security=security))
    assert "CERTIFICATE_VERIFY_FAILED" in error.message
    assert "mail.host" in error.hint
    assert server.letters == []


def test_a_server_without_starttls_is_not_used_in_the_clear(
    smtp_server: SmtpServer,
) -> None:
    transport = _to(smtp_server, security="starttls", user="shop", password=SECRET)
    error = _cannot_connect(transport)
    assert "STARTTLS" in error.message
    assert "mail.security" in error.hint


def test_tls_to_a_port_that_speaks_plainly(smtp_server: SmtpServer) -> None:
    assert "mail.port" in _cannot_connect(_to(smtp_server, security="tls")).hint


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_named_and_never_shown() -> None:
    with SmtpServer(security="starttls", users={"shop": "another"}) as server:
        error = _cannot_connect(
            _to(server, security="starttls", user="shop", password=SECRET)
        )
    assert "535" in error.message
    assert "mail.password" in error.hint
    assert SECRET not in str(error)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("user", "word"), [("shop", "pässword"), ("shöp", SECRET)])
def test_a_log_in_that_cannot_be_sent_says_which_settings(user: str, word: str) -> None:
    with SmtpServer(security="starttls", users={"shop": SECRET}) as server:
        error = _cannot_connect(
            _to(server, security="starttls", user=user, password=word)
        )
    assert "mail.password" in error.message
    assert word not in str(error)


def test_a_log_in_that_the_server_does_not_know(smtp_server: SmtpServer) -> None:
    error = _cannot_connect(_to(smtp_server, user="shop", password=SECRET))
    assert "mail." in error.hint


def test_a_server_that_wants_a_log_in_we_do_not_give() -> None:
    # A wrong setting of the seller must not lose the buyer's mail.
    with SmtpServer(users={"shop": SECRET}) as server:
        with (
            _to(server).connect() as carrier,
            pytest.raises(TemporaryMailError, match="530") as caught,
        ):
            carrier.send(seal(_mail(1), ADA))
        assert "mail.user" in caught.value.hint


def test_a_server_that_repeats_our_password_is_not_quoted() -> None:
    transport = SmtpTransport("mail.example", 587, "none", "shop", SECRET)
    for said in (SECRET, "AHNob3AAY29ycmVjdCBob3JzZSBiYXR0ZXJ5"):
        words = transport.words(
            SMTPAuthenticationError(535, f"You sent {said}, which is wrong.")
        )
        assert words == "535 You sent ***, which is wrong"
    assert SECRET not in repr(transport)


def test_it_says_hello_with_the_name_of_the_shop(tmp_path: Path) -> None:
    for url, hello in [
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("http://127.0.0.1:8000", "[127.0.0.1]"),
    ]:
        mail = {"host": "mail.example", "password": SECRET}
        settings = Settings.model_validate({"shop": {"url": url}, "mail": mail})
        transport = smtp.open_transport(settings, tmp_path)
        assert (transport.hello, transport.password) == (hello, SECRET)


def test_no_mail_server_named_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"mail\.host"):
        smtp.open_transport(Settings(), tmp_path)


def _to(server: SmtpServer, **changed: Any) -> SmtpTransport:
    return replace(SmtpTransport(server.host, server.port, "none"), **changed)


def _cannot_connect(transport: SmtpTransport) -> TemporaryMailError:
    with pytest.raises(TemporaryMailError) as caught, transport.connect():
        pass
    return caught.value


def _mail(number: int) -> EmailMessage:
    return compose(
        sender=Sender("Ada's Books", "books@example.com"),
        to=ADA,
        subject=f"Your copy (order H-{number})",
        text="Here it is.\n",
        message_id=f"<{number}@example.com>",
        date=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )


@contextmanager
def _says(greeting: bytes) -> Iterator[int]:
    """Greet each caller so and hang up; give the port."""
    with _listening(lambda caller: caller.sendall(greeting)) as port:
        yield port


@contextmanager
def _mute_after(command: bytes) -> Iterator[int]:
    """Answer 250 to everything until `command`, then keep quiet; give the port."""

    def talk(caller: socket.socket) -> None:
        caller.sendall(b"220 here\r\n")
        while (said := caller.recv(4096)) and not said.startswith(command):
            caller.sendall(b"250 fine\r\n")
        while caller.recv(4096):
            pass

    with _listening(talk) as port:
        yield port


@contextmanager
def _asks_for_every_text(heard: list[bytes]) -> Iterator[int]:
    """Refuse every recipient, and ask for the text all the same; give the port."""

    def talk(caller: socket.socket) -> None:
        lines = caller.makefile("rb")
        caller.sendall(b"220 here\r\n")
        for line in lines:
            if line.startswith(b"ehlo"):
                caller.sendall(b"250-here\r\n250 PIPELINING\r\n")
            elif line.startswith(b"RCPT"):
                caller.sendall(b"550 nobody\r\n")
            elif line.startswith(b"DATA"):
                caller.sendall(b"354 go\r\n")
                heard.append(lines.readline())
                caller.sendall(b"554 no valid recipients\r\n")
            else:
                caller.sendall(b"250 fine\r\n")

    with _listening(talk) as port:
        yield port


@contextmanager
def _listening(talk: Any) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                talk(caller)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()
