"""A real IMAP server of the tests' own (pymap), and a wire in front that listens.

The server is a process on this machine. Each test gets a folder of its own, and a wire
to it: the wire knows what was asked, can speak TLS from the first byte, and can fall
silent at a word.
"""

import imaplib
import secrets
import select
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.ground.waiting import wait_until

USER, PASSWORD = "ann@example.com", "kept-to-itself-42"
CERTIFICATE = Path(__file__).parent / "certificate" / "localhost.crt"
_KEY = CERTIFICATE.with_name("localhost-not-a-secret.key")
_PROGRAM = [sys.executable, "-c", "from pymap.main import main; main()"]


@pytest.fixture(scope="session")
def imap_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where an IMAP server with one user listens; it offers STARTTLS."""
    port = _free_port()
    log = tmp_path_factory.mktemp("imap") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *_PROGRAM,
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--cert", str(CERTIFICATE), "--key", str(_KEY)),
                *("dict", "--demo-user", USER, "--demo-password", PASSWORD),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: _answers(port, server, log), seconds=30)
        yield port
    finally:
        server.terminate()
        server.wait(10)


class Folder:
    """A folder of that server, for one test."""

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self._port = port
        self._client = self._log_in()
        self._do(self._client.create(name))

    def put(self, raw: bytes, at: datetime) -> None:
        """Let a mail arrive; nobody has read it yet."""
        day = imaplib.Time2Internaldate(at.astimezone(UTC))
        self._do(self._client.append(self.name, "", day, raw))

    def content(self) -> list[bytes]:
        """Give every mail with its flags, as it is now."""
        with self._log_in() as client:
            self._do(client.select(self.name, readonly=True))
            found = self._do(client.fetch("1:*", "(FLAGS UID BODY.PEEK[])"))
        return [b" ".join(each) for each in found if isinstance(each, tuple)]

    def renew(self) -> None:
        """Empty it, so that the server counts its mails anew."""
        self._do(self._client.delete(self.name))
        self._do(self._client.create(self.name))

    def close(self) -> None:
        """Take the folder away."""
        self._do(self._client.delete(self.name))
        self._client.logout()

    def _log_in(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self._port, timeout=10)
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        return client

    def _do(self, answer: tuple[str, list[Any]]) -> list[Any]:
        assert answer[0] == "OK", answer
        return answer[1]


class Wire:
    """A door in front of a server: whoever comes talks through it."""

    said: list[str]
    """What clients said, each command without its number; no secrets are looked for."""
    mute: str | None = None
    """At a command with this word in it nothing goes through any more."""

    def __init__(self, port: int, folder: str, *, tls: bool = False) -> None:
        self.said = []
        self.closing, self.hangs = threading.Event(), threading.Event()
        self._server = _Door(("127.0.0.1", 0), _handler(self, port))
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE, _KEY)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self._server.server_address[1])
        scheme = "imaps" if tls else "imap"
        self.address = f"{scheme}://{USER}@localhost:{self.port}/{folder}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )

    def asked(self, word: str) -> list[str]:
        """Give the commands with a word in them."""
        return [each for each in self.said if word in each]

    def __enter__(self) -> Self:
        """Open the door."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; who is inside is put out."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Door(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hangs up, or does not trust us."""


def _handler(wire: Wire, port: int) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if isinstance(self.request, ssl.SSLSocket):
                self.request.do_handshake()
            if wire.mute != "":
                with socket.create_connection(("127.0.0.1", port)) as server:
                    if self.carry(server):
                        return
            wire.hangs.set()
            wire.closing.wait()

        def carry(self, server: socket.socket) -> bool:
            """Carry to and fro in one thread: TLS does not bear two. Say if all is said."""
            while True:
                ready = select.select([self.request, server], [], [])[0]
                source = ready[0]
                content = source.recv(65536)
                if not content:
                    self.request.shutdown(socket.SHUT_RDWR)
                    return True
                if source is server:
                    self.request.sendall(content)
                elif self.hear(content):
                    server.sendall(content)
                else:
                    return False

        def hear(self, content: bytes) -> bool:
            words = content.decode("latin-1").split(" ", 1)[-1].strip()
            wire.said.append(words)
            return not (wire.mute and wire.mute in words)

    return Handler


@contextmanager
def parrot(greeting: bytes, answer: bytes = b"") -> Iterator[tuple[int, list[bytes]]]:
    """A server that says the same to whatever it hears; give its port, and what it hears."""
    heard: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(greeting)
            for line in self.rfile:
                heard.append(line)
                self.wfile.write(answer + line.split()[0] + b" OK done\r\n")

    with _Door(("127.0.0.1", 0), Handler) as door:
        loop = {"poll_interval": 0.01}
        thread = threading.Thread(target=door.serve_forever, kwargs=loop)
        thread.start()
        try:
            yield int(door.server_address[1]), heard
        finally:
            door.shutdown()
            thread.join()


@pytest.fixture
def folder(imap_port: int) -> Iterator[Folder]:
    """An empty folder."""
    made = Folder(imap_port, f"Bounces{secrets.token_hex(4)}")
    yield made
    made.close()


@pytest.fixture
def wire(imap_port: int, folder: Folder) -> Iterator[Wire]:
    """A wire to it."""
    with Wire(imap_port, folder.name) as made:
        yield made


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(port: int, server: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert server.poll() is None, log.read_text()
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
