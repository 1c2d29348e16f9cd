"""A PayPal for tests, on this machine: keeps state, signs its events, has bad days.

In a test:

    with FakePayPal(start=now) as paypal:
        settings: paypal.api_base = paypal.origin, HANDSEL_ENV=test
        paypal.hooks.url = "http://127.0.0.1:8000/webhooks/paypal"
        paypal.bank.pay(order_id)

`pay` is the buyer who approves; the money is taken when the shop looks. What the fake
answers, and what it is asked, is held against the files in `paypal_schemas`.
"""

import json
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.providers.fakes import paypal_page
from tests.providers.fakes.paypal_bank import PayPalBank
from tests.providers.fakes.paypal_faults import PayPalFaults
from tests.providers.fakes.paypal_hooks import CERTS, PayPalHooks, certificate
from tests.providers.fakes.paypal_http import PayPalApi
from tests.providers.fakes.paypal_objects import PAYER
from tests.providers.fakes.serving import Handler, Serving

CLIENT_ID = "AfakeClientIdOfTheFakePayPalOnLoopback"
SECRET = "EfakeSecretOfTheFakePayPalOnLoopback"
WEBHOOK_ID = "5GP028458E2496506"


class FakePayPal(Serving):
    """The server; `bank`, `hooks` and `faults` are the strings to pull.

    Args:
        start: a time that stands still until `bank.advance`; None means real time.
        port: 0 takes any free one.
    """

    def __init__(self, start: datetime | None = None, port: int = 0) -> None:
        super().__init__(partial(_Handler, self), port)
        self.bank = PayPalBank(start)
        self.hooks = PayPalHooks(self.bank, WEBHOOK_ID)
        self.faults = PayPalFaults()
        self.api = PayPalApi(self.bank, CLIENT_ID, SECRET)
        self.bank.origin = self.hooks.origin = self.origin

    @property
    def calls(self) -> list[str]:
        """Every call of the API so far, such as `POST /v2/checkout/orders`."""
        return self.api.calls

    def named(self, page: str) -> str:
        """Give the order whose page is at this address."""
        return parse_qs(urlsplit(page).query)["token"][0]

    def way_back(self, name: str) -> str:
        """Give the address PayPal's page sends a buyer to who has approved."""
        url = self.bank.contexts[name]["return_url"]
        return paypal_page.added(url, token=name, PayerID=PAYER)

    def way_out(self, name: str) -> str:
        """Give the address for a buyer who changes their mind."""
        return paypal_page.added(self.bank.contexts[name]["cancel_url"], token=name)

    def stop(self) -> None:
        """Stop serving and hang up on everybody."""
        self.faults.stop()
        super().stop()


class _Handler(Handler):
    def __init__(self, fake: FakePayPal, *args: Any) -> None:
        self.fake = fake
        super().__init__(*args)

    def answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        if url.path.startswith(CERTS):
            found = certificate(url.path, self.fake.bank.now)
            kind = {"Content-Type": "application/x-x509-ca-cert"}
            self.send(200 if found else 404, found or b"", kind)
        elif url.path.startswith(("/v1/", "/v2/")):
            self._answer_api(url.path, url.query, body)
        elif url.path == "/checkoutnow":
            self._answer_page(parse_qs(url.query).get("token", [""])[0], body.decode())
        else:
            self.send(404, b"{}", {})

    def _answer_api(self, path: str, query: str, body: bytes) -> None:
        faults = self.fake.faults
        faults.wait()
        fault = faults.of(f"{self.command} {path}")
        if fault and fault.kind == "fail":
            self.fake.calls.append(f"{self.command} {path}")
            error: dict[str, Any] = {
                "name": "INTERNAL_SERVER_ERROR",
                "message": "A bad day.",
            }
            if fault.issue:
                error["details"] = [{"issue": fault.issue}]
            self.send(fault.status, json.dumps(error).encode(), {})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, found = self.fake.api.answer(self.command, path, query, headers, body)
        if fault:
            if fault.kind == "hang":
                faults.linger()
            self.close_connection = True
            return
        content = b"" if found is None else json.dumps(found).encode()
        debug_id = f"f{len(self.fake.calls):012}"
        self.send(status, content, {"Paypal-Debug-Id": debug_id})

    def _answer_page(self, name: str, body: str) -> None:
        if self.command == "POST":
            status, text, place = paypal_page.submit(self.fake.bank, name, body)
        else:
            status, text, place = paypal_page.show(self.fake.bank, name)
        more = {"Location": place} if place else {}
        self.send(status, text.encode(), {"Content-Type": "text/html"} | more)
