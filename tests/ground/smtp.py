"""A real mail server on this machine, which does what a test tells it.

with SmtpServer(security="starttls", users={"shop": "secret"}) as server:
    server.replies["gone@example.org"] = "550 5.1.1 No such user"
    ...
    assert [letter.recipients for letter in server.letters] == [...]
"""

import asyncio
import email
import email.policy
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

# Signed by itself for localhost and 127.0.0.1, until 2126; its key protects nothing.
CERTIFICATE = Path(__file__).parent / "certificate" / "localhost.crt"
_KEY = CERTIFICATE.with_name("localhost-not-a-secret.key")


@dataclass(frozen=True)
class Letter:
    """A mail that the server has taken."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    connection: int
    """Which connection brought it, counted from 1."""
    encrypted: bool
    user: str | None
    """Who was logged in."""

    @property
    def message(self) -> EmailMessage:
        """What the raw bytes say."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)


class SmtpServer:
    """A mail server; set its attributes at any time, they count from the next command."""

    letters: list[Letter]
    """What it took, the oldest first."""
    replies: dict[str, str]
    """What it says to a recipient: `450 4.2.0 Greylisted`, `550 5.1.1 Unknown`."""
    reply_to_data: str | None = None
    """What it says after every letter instead of taking it: `554 5.7.1 Spam`."""
    letters_per_connection: int | None = None
    """After so many it says 421 and hangs up."""
    lose_answers: int = 0
    """So many times it takes a letter and hangs up before it has said 250."""
    greeting_delay: float = 0
    """Seconds until it greets."""
    letter_delay: float = 0
    """Seconds until it says that it has taken a letter."""
    connections: int = 0
    """How many there were."""

    host = "127.0.0.1"
    certificate = CERTIFICATE

    def __init__(
        self,
        *,
        security: Literal["none", "starttls", "tls"] = "none",
        users: Mapping[str, str] | None = None,
        pipelining: bool = False,
    ) -> None:
        """Say what kind of server; `with` starts it.

        Args:
            security: what it insists on. Clients trust it with `certificate`, by the
                environment variable SSL_CERT_FILE, say.
            users: names and passwords; with them it insists on a log-in.
            pipelining: whether it offers to take commands without a pause.
        """
        self.letters = []
        self.replies = {}
        self._security = security
        self._pipelining = pipelining
        self._users = dict(users or {})
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(CERTIFICATE, _KEY)
        self._socket = _bound(0)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp")
        self._server: asyncio.Server | None = None
        self._open: list[_Connection] = []

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.down()
        self._socket.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def up(self) -> None:
        """Take connections again after `down`."""
        self._do(self._start())

    def down(self) -> None:
        """Drop every connection and refuse new ones."""
        self._do(self._stop())
        self._socket.close()
        # Bound, not listening: nobody else gets the port, and connecting is refused.
        self._socket = _bound(self.port)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        self._server = await self._loop.create_server(
            lambda: _Connection(self, self._loop, **self._options()),
            sock=self._socket,
            ssl=self._tls if self._security == "tls" else None,
        )

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._open:
            connection.hang_up()
        self._open.clear()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # Transports close themselves in the next rounds of the loop.
        for _ in range(3):
            await asyncio.sleep(0)

    def _options(self) -> dict[str, Any]:
        starttls = self._security == "starttls"
        return {
            "tls_context": self._tls if starttls else None,
            "require_starttls": starttls,
            "auth_required": bool(self._users),
            "authenticator": self._log_in,
        }

    def _log_in(
        self, _: SMTP, session: Session, __: Envelope, ___: str, given: LoginPassword
    ) -> AuthResult:
        name = given.login.decode()
        if self._users.get(name) != given.password.decode():
            # "Not handled" makes it say 535.
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=name)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self,
        server: "_Connection",
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Say what it offers."""
        session.host_name = hostname
        more = ["250-PIPELINING"] if self._pipelining else []
        return [responses[0], *more, *responses[1:]]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self,
        server: "_Connection",
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Hear who sends."""
        brought = sum(letter.connection == server.number for letter in self.letters)
        if self.letters_per_connection is not None and (
            brought >= self.letters_per_connection
        ):
            self._loop.call_soon(server.hang_up)
            return "421 4.7.0 Enough for now, try again later"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: "_Connection",
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Hear who shall get it."""
        if (reply := self.replies.get(address)) is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: "_Connection", session: Session, envelope: Envelope
    ) -> str:
        """Take the letter."""
        if self.reply_to_data is not None:
            return self.reply_to_data
        assert isinstance(envelope.content, bytes)
        self.letters.append(
            Letter(
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                raw=envelope.content,
                connection=server.number,
                encrypted=server.encrypted,
                user=session.auth_data if session.authenticated else None,
            )
        )
        await asyncio.sleep(self.letter_delay)
        if self.lose_answers:
            self.lose_answers -= 1
            server.hang_up()
        return "250 2.0.0 OK"


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A plain mail server that takes everything, until it is told otherwise."""
    with SmtpServer() as server:
        yield server


class _Connection(SMTP):
    def __init__(
        self, owner: SmtpServer, loop: asyncio.AbstractEventLoop, **options: Any
    ) -> None:
        super().__init__(
            owner, loop=loop, hostname="localhost", enable_SMTPUTF8=True, **options
        )
        # It cannot know of TLS that was there from the start, and warns when told in
        # the constructor that a log-in may do without STARTTLS.
        self._auth_require_tls = bool(self.require_starttls)
        self._owner = owner
        owner.connections += 1
        owner._open.append(self)
        self.number = owner.connections

    @property
    def encrypted(self) -> bool:
        transport = self.transport
        return transport is not None and bool(transport.get_extra_info("ssl_object"))

    def hang_up(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    async def _handle_client(self) -> None:
        await asyncio.sleep(self._owner.greeting_delay)
        await super()._handle_client()


def _bound(port: int) -> socket.socket:
    # Were the protocol left to be guessed, asyncio would not know that it is TCP, and each
    # answer to a pipelined mail would wait 40 ms until the one before it is acknowledged.
    made = socket.socket(proto=socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((SmtpServer.host, port))
    return made
