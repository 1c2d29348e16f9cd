"""A fake provider as a web server on loopback, that can hang up on everybody."""

import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Serving:
    """Runs a server in a thread for as long as a block lasts.

    Args:
        handler: makes what answers a request.
        port: 0 takes any free one.
    """

    def __init__(
        self, handler: Callable[..., BaseHTTPRequestHandler], port: int
    ) -> None:
        self._server = _Server(("127.0.0.1", port), handler)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop serving and hang up on everybody. Safe to repeat."""
        if self._server.over:
            return
        self._server.over = True
        # Nobody waits for the next look at a flag: this is a request to look.
        socket.create_connection(("127.0.0.1", self._server.server_port)).close()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers in one packet, and says nothing of it."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a page or a read of the API."""
        self.answer(b"")

    def do_POST(self) -> None:
        """Answer a form, a write of the API, or a test in another process."""
        self.answer(self.rfile.read(int(self.headers.get("content-length", 0))))

    def do_PATCH(self) -> None:
        """Answer a change by the API."""
        self.do_POST()

    def answer(self, body: bytes) -> None:
        """Answer a request that came with this."""
        raise NotImplementedError

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Answer; JSON unless the headers say otherwise."""
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet; `calls` remembers."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    over = False

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self._lines: set[socket.socket] = set()
        super().__init__(address, handler)

    def serve(self) -> None:
        """Serve until somebody comes when it is over."""
        while not self.over:
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.over

    def process_request(self, request: Any, client_address: Any) -> None:
        self._lines.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._lines.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet when the other side hangs up first; anything else is a bug."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """End the threads that wait for another request on an open line."""
        for line in list(self._lines):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
