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
import threading
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.providers.fakes import stripe_page
from tests.providers.fakes.serving import Handler, Serving
from tests.providers.fakes.stripe_bank import FakeBank
from tests.providers.fakes.stripe_faults import Faults
from tests.providers.fakes.stripe_hooks import StripeHooks
from tests.providers.fakes.stripe_http import FakeApi

SECRET_KEY = "sk_test_fake"
PUBLISHABLE_KEY = "pk_test_fake"
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
        "other_sale",
        "monthly_fee",
        "pay_out",
        "fail_payout",
    ],
    "hooks": ["deliver", "retry"],
    "faults": ["slow", "fail_next", "lose_next"],
}
# And what it may set, by `POST /_fake/hooks` with a JSON object.
SETTABLE = ("url", "mode", "secret")


class FakeStripe(Serving):
    """The server; `bank`, `hooks` and `faults` are the strings to pull.

    Args:
        start: a time that stands still until `bank.advance`; None means real time.
        port: 0 takes any free one.
    """

    def __init__(self, start: datetime | None = None, port: int = 0) -> None:
        super().__init__(partial(_Handler, self), port)
        self.bank = FakeBank(start)
        self.hooks = StripeHooks(self.bank, WEBHOOK_SECRET)
        self.faults = Faults()
        self.api = FakeApi(self.bank)
        self.api.origin = self.origin

    @property
    def calls(self) -> list[str]:
        """Every call of the API so far, such as `POST /v1/checkout/sessions`."""
        return self.api.calls

    def named(self, page: str) -> str:
        """Give the session whose payment page is at this address."""
        return urlsplit(page).path.rpartition("/")[2]

    def way_back(self, name: str) -> str:
        """Give the address the payment page sends a buyer to who has paid."""
        session = self.bank.get("session", name)
        url = str(session["success_url"] or session["return_url"])
        wanted = url.replace("{CHECKOUT_SESSION_ID}", name)
        assert parse_qs(urlsplit(wanted).query) == {"session": [name]}
        return wanted

    def way_out(self, name: str) -> str:
        """Give the address for a buyer who changes their mind."""
        return str(self.bank.get("session", name)["cancel_url"])

    def stop(self) -> None:
        """Stop serving and hang up on everybody."""
        self.faults.stop()
        super().stop()

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


class _Handler(Handler):
    def __init__(self, fake: FakeStripe, *args: Any) -> None:
        self.fake = fake
        super().__init__(*args)

    def answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/v1/"):
            self._answer_api(url.path, url.query, body.decode())
        elif url.path.startswith("/c/pay/"):
            self._answer_page(url.path.rpartition("/")[2], body.decode())
        elif url.path.startswith("/_fake/") and self.command == "POST":
            self._answer_remote(url.path.removeprefix("/_fake/"), body)
        else:
            self.send(404, b"{}", {})

    def _answer_api(self, path: str, query: str, body: str) -> None:
        faults = self.fake.faults
        faults.wait()
        if (status := faults.failure()) is not None:
            error = {"error": {"type": "api_error", "message": "A bad day."}}
            self.send(status, json.dumps(error).encode(), {})
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
        self.send(status, json.dumps(found).encode(), more)

    def _answer_page(self, name: str, body: str) -> None:
        if self.command == "POST":
            status, text, place = stripe_page.submit(self.fake.bank, name, body)
        else:
            status, text, place = stripe_page.show(self.fake.bank, name)
        more = {"Location": place} if place else {}
        self.send(status, text.encode(), {"Content-Type": "text/html"} | more)

    def _answer_remote(self, path: str, body: bytes) -> None:
        try:
            result = self.fake.remote(path, json.loads(body or b"{}"))
        except Exception as error:  # noqa: BLE001 - the other process has to read it
            self.send(400, json.dumps({"error": repr(error)}).encode(), {})
            return
        self.send(200, json.dumps({"result": result}).encode(), {})


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
