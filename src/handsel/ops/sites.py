"""A few pages on a port of this machine, which stand for the seller's own web site."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import EADDRINUSE
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from handsel.kit.errors import ConflictError

Files = Mapping[str, tuple[str, bytes]]
"""The content type and the content of each path."""


def listen(port: int) -> ThreadingHTTPServer:
    """Take a port of this machine, or any that is free for 0. Raises ConflictError."""
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler)
    except OSError as error:
        so = (
            f"Somebody listens on port {port} already."
            if error.errno == EADDRINUSE
            else f"Port {port} cannot be used: {error.strerror}."
        )
        raise ConflictError(so, "Choose another with --port.") from error


def address_of(server: ThreadingHTTPServer) -> str:
    """Give the origin of the pages."""
    return f"http://127.0.0.1:{server.server_port}"


@contextmanager
def serving(server: ThreadingHTTPServer, files: Files) -> Iterator[None]:
    """Show the pages until the end of the block."""
    server.RequestHandlerClass = _handler(files)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(files: Files) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            """Say what a file is, as programs that check links ask."""
            self.do_GET()

        def do_GET(self) -> None:
            """Give a file, or say that there is none."""
            kind, content = files.get(self.path.partition("?")[0], ("", b""))
            if not kind:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)
            return None

        def log_message(self, *_: object) -> None:
            """Say nothing: this is not the shop."""

    return Handler
