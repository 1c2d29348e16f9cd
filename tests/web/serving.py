"""A real server in a thread of the test, and clients that see every byte."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from time import monotonic, sleep
from wsgiref.types import WSGIApplication

from handsel.web.carrier import Carrier, Options, address_of, listen

USUAL = Options()


@dataclass(frozen=True)
class Answer:
    """A whole response."""

    status: int
    headers: HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Server:
    """Where it listens, and how it is stopped before the end of the block."""

    url: str
    port: int
    stop: Callable[[], None]

    def connect(self, *, receive_buffer: int | None = None) -> socket.socket:
        """A raw connection; one with a small receive buffer takes little unasked."""
        client = socket.socket()
        client.settimeout(20)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect(("127.0.0.1", self.port))
        return client

    def ask(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | Iterable[bytes] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def send(self, raw: bytes) -> bytes:
        """What comes back for these bytes until the server closes the connection."""
        with self.connect() as client:
            client.sendall(raw)
            return read_all(client)


@contextmanager
def serving(
    app: WSGIApplication, options: Options = USUAL, *, threads: int = 16
) -> Iterator[Server]:
    """The application on a free port, until the end of the block."""
    ready, over = threading.Event(), threading.Event()

    async def run() -> None:
        carrier = Carrier(app, pool, options)
        await carrier.start(listener)
        ready.set()
        await asyncio.to_thread(over.wait)
        await carrier.stop()

    with (
        listen("127.0.0.1", 0) as listener,
        ThreadPoolExecutor(threads, "page") as pool,
    ):
        server = Server(address_of(listener), listener.getsockname()[1], over.set)
        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        assert ready.wait(10)
        try:
            yield server
        finally:
            over.set()
            thread.join()


def read_all(client: socket.socket) -> bytes:
    """Everything until the other end closes."""
    return b"".join(iter(lambda: client.recv(1 << 20), b""))


def read_exactly(client: socket.socket, count: int) -> bytes:
    """The next `count` bytes."""
    found = b""
    while len(found) < count:
        block = client.recv(min(65536, count - len(found)))
        assert block, f"closed after {len(found)} of {count} bytes"
        found += block
    return found


def read_head(client: socket.socket) -> str:
    """Status line and headers, byte by byte, so that nothing of the body is taken."""
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        found += read_exactly(client, 1)
    return found.decode("latin-1")


def until(true: Callable[[], object], *, seconds: float = 10) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline = monotonic() + seconds
    while not true():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.005)
