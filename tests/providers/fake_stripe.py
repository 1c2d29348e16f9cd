"""A Stripe for tests, on this machine: keeps state, signs its events, has bad days.

In a test:

    with FakeStripe(start=now) as stripe:
        settings: stripe.api_base = stripe.origin, HANDSEL_ENV=test
        stripe.hooks.url = "http://127.0.0.1:8000/webhooks/stripe"
        stripe.bank.pay(session_id)

As a program, for benchmarks and for shops in other processes:

    python -m tests.providers.fake_stripe --port 9000 --hook http://.../webhooks/stripe

Then `POST /_fake/<object>/<action>` with a JSON object of arguments does what the
method of `bank`, `hooks` or `faults` does, and answers `{"result": ...}`.
"""

import argparse
import json
import socket
import sys
import threading
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.providers.fakes import stripe_page
from tests.providers.fakes.stripe_bank import FakeBank
from tests.providers.fakes.stripe_faults import Faults
from tests.providers.fakes.stripe_hooks import Hooks
from tests.providers.fakes.stripe_http import FakeApi

SECRET_KEY = "sk_test_fake"
WEBHOOK_SECRET = "whsec_of_the_fake_stripe_on_loopback"

# What another process may ask for, by `POST /_fake/<object>/<action>`.
REMOTE = {
    "bank": [
        "advance",
        "pay",
        "decline",
        "pay_later",
        "settle_later",
        "expire",
        "refund",
        "settle_refund",
        "open_dispute",
        "close_dispute",
        "latest",
    ],
    "hooks": ["deliver", "retry"],
    "faults": ["slow", "fail_next", "lose_next"],
}
# And what it may set, by `POST /_fake/hooks` with a JSON object.
SETTABLE = ("url", "mode", "secret")


class FakeStripe:
    """The server; `bank`, `hooks` and `faults` are the strings to pull.

    Args:
        start: a time that stands still until `bank.advance`; None means real time.
        port: 0 takes any free one.
    """

    def __init__(self, start: datetime | None = None, port: int = 0) -> None:
        self.bank = FakeBank(start)
        self.hooks = Hooks(self.bank, WEBHOOK_SECRET)
        self.faults = Faults()
        self.api = FakeApi(self.bank)
        self._server = _Server(("127.0.0.1", port), partial(_Handler, self))
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.api.origin = self.origin
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @property
    def calls(self) -> list[str]:
        """Every call of the API so far, such as `POST /v1/checkout/sessions`."""
        return self.api.calls

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
        """Stop serving and hang up on everybody."""
        self.faults.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def remote(self, path: str, arguments: dict[str, Any]) -> Any:
        """Do for another process what a test does by itself. Raises KeyError."""
        name, _, action = path.partition("/")
        if name == "hooks" and not action:
            for key in arguments.keys() & set(SETTABLE):
                setattr(self.hooks, key, arguments[key])
            return None
        if action not in REMOTE.get(name, []):
            raise KeyError(path)
        return getattr(getattr(self, name), action)(**arguments)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self._lines: set[socket.socket] = set()
        super().__init__(address, handler)

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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True

    def __init__(self, fake: FakeStripe, *args: Any) -> None:
        self.fake = fake
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer a page or a read of the API."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer a form, a write of the API, or a test in another process."""
        self._answer(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/v1/"):
            self._answer_api(url.path, url.query, body.decode())
        elif url.path.startswith("/c/pay/"):
            self._answer_page(url.path.rpartition("/")[2], body.decode())
        elif url.path.startswith("/_fake/") and self.command == "POST":
            self._answer_remote(url.path.removeprefix("/_fake/"), body)
        else:
            self._send(404, b"{}", {})

    def _answer_api(self, path: str, query: str, body: str) -> None:
        faults = self.fake.faults
        faults.wait()
        if (status := faults.failure()) is not None:
            error = {"error": {"type": "api_error", "message": "A bad day."}}
            self._send(status, json.dumps(error).encode(), {})
            return
        lost = faults.loss()
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, found, more = self.fake.api.answer(
            self.command, path, query, headers, body
        )
        if lost:
            faults.linger()
            self.close_connection = True
            return
        more |= {"Request-Id": f"req_{len(self.fake.calls)}"}
        self._send(status, json.dumps(found).encode(), more)

    def _answer_page(self, name: str, body: str) -> None:
        if self.command == "POST":
            status, text, place = stripe_page.submit(self.fake.bank, name, body)
        else:
            status, text, place = stripe_page.show(self.fake.bank, name)
        more = {"Location": place} if place else {}
        self._send(status, text.encode(), {"Content-Type": "text/html"} | more)

    def _answer_remote(self, path: str, body: bytes) -> None:
        try:
            result = self.fake.remote(path, json.loads(body or b"{}"))
        except Exception as error:  # noqa: BLE001 - the other process has to read it
            self._send(400, json.dumps({"error": repr(error)}).encode(), {})
            return
        self._send(200, json.dumps({"result": result}).encode(), {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet; `calls` remembers."""


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A Stripe for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--hook", help="where the shop listens")
    parser.add_argument("--hook-mode", default="now", choices=["now", "hold", "drop"])
    parser.add_argument("--slow", type=float, default=0, help="seconds for each call")
    options = parser.parse_args()
    with FakeStripe(port=options.port) as fake:
        fake.hooks.url, fake.hooks.mode = options.hook, options.hook_mode
        fake.faults.slow(options.slow)
        print(fake.origin, flush=True)  # noqa: T201 - the caller waits for this line
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
