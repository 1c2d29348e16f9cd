"""Mail by SMTP: one connection for many mails, and every failure with its name.

A wrong setting is never the buyer's fault: what the seller can mend is temporary, and
says which setting to look at. Only what the server says for good about one recipient or
one mail is permanent.
"""

import base64
import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Literal
from urllib.parse import urlsplit

from handsel.kit.errors import ConfigurationError
from handsel.outbound.addresses import wire_address, wire_domain
from handsel.outbound.transports.base import (
    DeferredMailError,
    Envelope,
    PermanentMailError,
    TemporaryMailError,
)
from handsel.outbound.transports.refusals import (
    is_about_one,
    is_about_us,
    is_for_good,
    reply,
    what_to_check,
)
from handsel.settings import Settings, is_loopback

_FIRST_DOT = re.compile(rb"(?m)^\.")


def open_transport(settings: Settings, home: Path) -> "SmtpTransport":
    """Take the mail server from the settings. Raises ConfigurationError without one."""
    mail = settings.mail
    if not mail.host:
        raise ConfigurationError(
            "The smtp transport does not know its mail server.",
            "Set mail.host in handsel.toml.",
        )
    return SmtpTransport(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        user=mail.user,
        password=mail.password.get_secret_value() if mail.password else "",
        hello=_hello(urlsplit(settings.shop.url).hostname or ""),
    )


def _hello(host: str) -> str:
    """Say who we are: the shop's host, or an address literal (RFC 5321, 4.1.3)."""
    return "[127.0.0.1]" if is_loopback(host) else wire_domain(host) or "[127.0.0.1]"


@dataclass(frozen=True)
class SmtpTransport:
    """One mail server. Certificates are checked; SSL_CERT_FILE can name others."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str = ""
    password: str = field(default="", repr=False)
    hello: str = "[127.0.0.1]"
    connect_seconds: float = 10
    mail_seconds: float = 30
    """For one mail, or for greeting, TLS and log-in together."""

    name = "smtp"

    @contextmanager
    def connect(self) -> Iterator["SmtpCarrier"]:
        """Open a connection and log in.

        Raises TemporaryMailError, which names the setting to look at.
        """
        carrier = SmtpCarrier(self)
        try:
            yield carrier
        finally:
            carrier.close()

    def open(self) -> "_Client":
        """Open a connection and log in, for one carrier. Raises TemporaryMailError."""
        try:
            client = self._dial()
        except (OSError, UnicodeError) as error:  # smtplib's errors are OSErrors too
            raise self._cannot_open(error) from error
        try:
            self._introduce(client)
        except OSError as error:
            client.close()
            raise self._cannot_open(error) from error
        except UnicodeError as error:
            client.close()
            raise TemporaryMailError(
                "mail.user or mail.password holds letters a log-in cannot be sent with.",
                "Use a password of plain letters, digits and signs.",
            ) from error
        return client

    def _dial(self) -> "_Client":
        options: dict[str, Any] = {
            "patience": self.mail_seconds,
            "timeout": self.connect_seconds,
            "local_hostname": self.hello,
        }
        if self.security == "tls":
            context = ssl.create_default_context()
            return _TlsClient(self.host, self.port, context=context, **options)
        return _Client(self.host, self.port, **options)

    def _introduce(self, client: "_Client") -> None:
        if self.security == "starttls":
            client.starttls(context=ssl.create_default_context())
        client.ehlo_or_helo_if_needed()
        if self.user:
            client.login(self.user, self.password)

    def _cannot_open(self, error: Exception) -> TemporaryMailError:
        return TemporaryMailError(
            f"The mail server {self.host}:{self.port} cannot be used now: "
            f"{self.words(error)}.",
            what_to_check(error),
        )

    def words(self, error: Exception) -> str:
        """Say in the server's own words what went wrong, without our password."""
        code, said = reply(error)
        words = " ".join(f"{code or ''} {said}".split())[:300].rstrip(".")
        for secret in self._secrets():
            words = words.replace(secret, "***")
        return words

    def _secrets(self) -> list[str]:
        if not self.password:
            return []
        plain = f"\0{self.user}\0{self.password}"
        encoded = [
            base64.b64encode(s.encode()).decode() for s in (plain, self.password)
        ]
        return [*encoded, self.password]


class SmtpCarrier:
    """One connection, opened again whenever the server has closed it."""

    def __init__(self, transport: SmtpTransport) -> None:
        self._transport = transport
        self._client = transport.open()

    def send(self, envelope: Envelope) -> None:
        """Hand over one mail; on return the server has said that it took it.

        Raises PermanentMailError for a 5xx about this recipient or this mail, else
        TemporaryMailError. That may follow a mail that did arrive, when its answer was
        lost: it goes again with the same Message-ID.
        """
        to = wire_address(envelope.recipient)
        while True:
            kept = self._client.connected
            if not kept:
                self._client = self._transport.open()
            self._client.begin(self._transport.mail_seconds)
            try:
                self._client.hand_over(envelope.sender, to, envelope.content)
                return
            except OSError as error:
                # Servers close what was idle, or after so many mails; nothing of this
                # one was said, so it may go at once over a new connection.
                closed_before = not self._client.connected and not self._client.told
                if not (kept and closed_before):
                    raise self._not_taken(error, envelope.recipient) from error

    def close(self) -> None:
        """Take leave; a server that is gone already does not matter."""
        try:
            if self._client.connected:
                self._client.begin(2)
                self._client.quit()
        except OSError:
            self._client.close()

    def _not_taken(
        self, error: Exception, recipient: str
    ) -> TemporaryMailError | PermanentMailError:
        words = self._transport.words(error)
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return PermanentMailError(
                f"The mail server cannot write to {recipient}: {words}.",
                "Ask for an address in plain letters, or use a server with SMTPUTF8.",
            )
        if is_for_good(error):
            return PermanentMailError(
                f"The mail server refused the mail to {recipient} for good: {words}.",
                "Mend what it names. A buyer's mail then goes by `handsel mail retry`, or "
                "to another address by `handsel order resend NUMBER --to ADDRESS`.",
            )
        kind = DeferredMailError if is_about_one(error) else TemporaryMailError
        return kind(
            f"The mail server did not take the mail to {recipient} now: {words}.",
            what_to_check(error)
            if is_about_us(error)
            else "Buyers' mails are tried again by themselves.",
        )


class _Client(smtplib.SMTP):
    """smtplib's client with one deadline for many steps, instead of one for each."""

    told = False
    """Whether the text of the present mail may have reached the server."""

    def __init__(
        self, host: str, port: int, *, patience: float, **options: Any
    ) -> None:
        self.begin(patience)
        super().__init__(host, port, **options)

    @property
    def connected(self) -> bool:
        return self.sock is not None

    def begin(self, patience: float) -> None:
        self._until = monotonic() + patience
        self.told = False

    def hand_over(self, sender: str, to: str, content: bytes) -> None:
        """Send one mail; an address beyond ASCII needs a server with SMTPUTF8."""
        options = () if to.isascii() else ("SMTPUTF8", "BODY=8BITMIME")
        self.ehlo_or_helo_if_needed()
        if options and not self.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError("it does not know SMTPUTF8")
        self.command_encoding = "ascii" if to.isascii() else "utf-8"
        if self.has_extn("pipelining"):
            self._in_one_breath(sender, to, content, options)
        else:
            self.sendmail(sender, [to], content, options)

    def _in_one_breath(
        self, sender: str, to: str, content: bytes, options: Sequence[str]
    ) -> None:
        """As `sendmail`, waiting for two answers instead of four (RFC 2920)."""
        if not (sender + to).isprintable():
            raise ValueError("an address ends where a command would begin")
        if self.has_extn("size"):
            options = [f"SIZE={len(content)}", *options]
        mail = " ".join([f"MAIL FROM:<{sender}>", *options])
        self.send(f"{mail}\r\nRCPT TO:<{to}>\r\nDATA\r\n")
        about_sender, about_to, about_text = self._three_answers()
        welcome = about_sender[0] == 250 and about_to[0] in (250, 251)
        if about_text[0] == 354:
            self.told = welcome
            # Whoever waits for a text although nobody may get it is given an empty one.
            self.send(_dotted(content) if welcome else b".\r\n")
            about_text = self.getreply()
        if welcome and about_text[0] == 250:
            return
        if about_text[0] == 421:
            self.close()
        else:
            with suppress(smtplib.SMTPServerDisconnected):
                self.rset()
        if about_sender[0] != 250:
            raise smtplib.SMTPSenderRefused(*about_sender, sender)
        if not welcome:
            raise smtplib.SMTPRecipientsRefused({to: about_to})
        raise smtplib.SMTPDataError(*about_text)

    def _three_answers(self) -> list[tuple[int, bytes]]:
        """Read three answers; 421 stands for those after it, for the server leaves."""
        answers = [self.getreply()]
        while len(answers) < 3:
            last = answers[-1]
            answers.append(last if last[0] == 421 else self.getreply())
        return answers

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(max(self._until - monotonic(), 0.001))
        return super().getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.told = True
        return super().data(msg)


def _dotted(content: bytes) -> bytes:
    """Double each dot that begins a line, and end with one (RFC 5321, 4.5.2)."""
    end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
    return _FIRST_DOT.sub(b"..", content) + end


class _TlsClient(_Client, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""
