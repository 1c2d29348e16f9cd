"""The mail server of the tests does what it is told, as a real one would."""

import smtplib
import ssl
from email.message import EmailMessage

import pytest

from tests.ground.smtp import CERTIFICATE, SmtpServer

TRUST = ssl.create_default_context(cafile=CERTIFICATE)


def test_a_letter_is_kept_as_it_came(smtp_server: SmtpServer) -> None:
    with _connect(smtp_server) as client:
        client.send_message(_letter("ann@example.org"))
    (letter,) = smtp_server.letters
    assert letter.sender == "shop@example.org"
    assert letter.recipients == ("ann@example.org",)
    assert letter.message["Subject"] == "Your bøøk"
    assert letter.message.get_content() == "Here it is.\r\n"
    assert (letter.encrypted, letter.user, letter.connection) == (False, None, 1)


def test_some_recipients_are_refused_and_the_others_served(
    smtp_server: SmtpServer,
) -> None:
    smtp_server.replies["gone@example.org"] = "550 5.1.1 No such user"
    smtp_server.replies["grey@example.org"] = "450 4.2.0 Later"
    with _connect(smtp_server) as client:
        refused = client.send_message(
            _letter("gone@example.org, ann@example.org, grey@example.org")
        )
    assert {name: reply[0] for name, reply in refused.items()} == {
        "gone@example.org": 550,
        "grey@example.org": 450,
    }
    assert smtp_server.letters[0].recipients == ("ann@example.org",)


def test_a_letter_is_refused_after_it_was_read(smtp_server: SmtpServer) -> None:
    smtp_server.reply_to_data = "554 5.7.1 Spam"
    with (
        _connect(smtp_server) as client,
        pytest.raises(smtplib.SMTPDataError, match="Spam"),
    ):
        client.send_message(_letter())
    assert smtp_server.letters == []


def test_after_so_many_letters_it_says_421_and_hangs_up(
    smtp_server: SmtpServer,
) -> None:
    smtp_server.letters_per_connection = 2
    for _ in range(2):
        with _connect(smtp_server) as client:
            for _ in range(2):
                client.send_message(_letter())
            with pytest.raises(smtplib.SMTPSenderRefused) as refused:
                client.send_message(_letter())
            assert refused.value.smtp_code == 421
    assert [letter.connection for letter in smtp_server.letters] == [1, 1, 2, 2]


def test_it_takes_a_letter_and_its_answer_is_lost(smtp_server: SmtpServer) -> None:
    smtp_server.lose_answers = 1
    with pytest.raises(smtplib.SMTPServerDisconnected):
        _connect(smtp_server).send_message(_letter())
    with _connect(smtp_server) as client:
        client.send_message(_letter())
    assert len(smtp_server.letters) == 2


def test_it_goes_down_and_comes_up_at_the_same_port(smtp_server: SmtpServer) -> None:
    left_behind = _connect(smtp_server)
    smtp_server.down()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        left_behind.noop()
    with pytest.raises(ConnectionRefusedError):
        _connect(smtp_server)
    smtp_server.up()
    with _connect(smtp_server) as client:
        client.send_message(_letter())
    assert len(smtp_server.letters) == 1


def test_it_greets_late(smtp_server: SmtpServer) -> None:
    smtp_server.greeting_delay = 5
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        smtplib.SMTP(smtp_server.host, smtp_server.port, timeout=0.05)


def test_starttls_and_a_log_in_can_be_insisted_on() -> None:
    with SmtpServer(security="starttls", users={"shop": "secret"}) as server:
        with _connect(server) as client:
            with pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"):
                client.send_message(_letter())
            client.starttls(context=TRUST)
            with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication"):
                client.send_message(_letter())
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("shop", "wrong")
            client.login("shop", "secret")
            client.send_message(_letter())
        (letter,) = server.letters
    assert (letter.encrypted, letter.user) == (True, "shop")


def test_tls_from_the_start_with_a_log_in() -> None:
    with SmtpServer(security="tls", users={"shop": "secret"}) as server:
        with smtplib.SMTP_SSL("localhost", server.port, context=TRUST) as client:
            client.login("shop", "secret")
            client.send_message(_letter())
        with pytest.raises(ssl.SSLCertVerificationError):
            smtplib.SMTP_SSL(
                "localhost", server.port, context=ssl.create_default_context()
            )
    assert server.letters[0].encrypted
    assert server.connections == 2


def _connect(server: SmtpServer) -> smtplib.SMTP:
    return smtplib.SMTP(server.host, server.port, timeout=10)


def _letter(to: str = "ann@example.org") -> EmailMessage:
    letter = EmailMessage()
    letter["From"] = "shop@example.org"
    letter["To"] = to
    letter["Subject"] = "Your bøøk"
    letter.set_content("Here it is.\n")
    return letter
