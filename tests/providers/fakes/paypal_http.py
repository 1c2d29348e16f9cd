"""The API of the fake PayPal: a request in, a status and a JSON body out."""

import base64
import copy
import json
import re
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, urlencode

from handsel.kit.money import Money
from handsel.sales.payments.paypal_money import from_paypal
from tests.providers.fakes import paypal_objects as objects
from tests.providers.fakes.bank import Obj
from tests.providers.fakes.paypal_bank import PayPalBank, RefusedError
from tests.providers.fakes.paypal_schema import checked, problems

Answer = tuple[int, Any]
"""Status, and body; None for an empty one."""

KEPT_HOURS = {"orders": 6, "captures": 45 * 24}
"""How long the answer to a request id is known, by what it was about."""


class ApiError(Exception):
    """What the API answers instead of an object."""

    def __init__(
        self, status: int, name: str, issue: str = "", field: str = ""
    ) -> None:
        super().__init__(issue or name)
        self.status = status
        detail = {"issue": issue} | ({"field": field} if field else {})
        self.body = {
            "name": name,
            "message": "What is wrong, in PayPal's words.",
            "debug_id": secrets.token_hex(6),
        } | ({"details": [detail]} if issue else {})


def refused(issue: str, field: str = "") -> ApiError:
    """Give the error for a request that is well-formed and cannot be done."""
    return ApiError(422, "UNPROCESSABLE_ENTITY", issue, field)


def missing() -> ApiError:
    """Give the error for what PayPal does not know, or not any more."""
    return ApiError(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")


class PayPalApi:
    """Tokens, routes, and request ids that make each call once."""

    def __init__(self, bank: PayPalBank, client_id: str, secret: str) -> None:
        self.bank = bank
        self.calls: list[str] = []
        self.request_ids: dict[str, list[str]] = {}
        """The ids that calls came with, by method and path."""
        self.tokens: set[str] = set()
        self.no_disputes = False
        """Whether the app may not see disputes."""
        self._basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        self._answered: dict[str, tuple[datetime, Answer]] = {}
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def answer(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        """Answer one request; header names are lower case."""
        call = f"{method} {path}"
        self.calls.append(call)
        self.bank.tick()
        try:
            if path == "/v1/oauth2/token":
                return self._token(headers, body)
            kind, _, token = headers.get("authorization", "").partition(" ")
            if kind != "Bearer" or token not in self.tokens:
                raise ApiError(401, "AUTHENTICATION_FAILURE", "INVALID_TOKEN")
            name = headers.get("paypal-request-id", "")
            if name:
                self.request_ids.setdefault(call, []).append(name)
            if method == "POST" and name:
                return self._once(name, path, lambda: self._post(path, headers, body))
            if method == "POST":
                return self._post(path, headers, body)
            if method == "PATCH":
                return self._patch(path, body)
            return 200, self._get(path, {k: v[0] for k, v in parse_qs(query).items()})
        except ApiError as error:
            return error.status, checked("common/error", error.body)

    def _token(self, headers: dict[str, str], body: bytes) -> Answer:
        if headers.get("authorization") != f"Basic {self._basic}":
            error = {
                "error": "invalid_client",
                "error_description": "Client Authentication failed",
            }
            return 401, checked("common/no_token", error)
        assert body == b"grant_type=client_credentials"
        token = "A21AA" + secrets.token_urlsafe(40)
        self.tokens.add(token)
        found = {
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": 32400,
            "nonce": "2026",
        }
        return 200, checked("common/token", found)

    def _once(self, name: str, path: str, do: Callable[[], Answer]) -> Answer:
        """Give the same answer to the same id; refuse a second call while one runs."""
        with self._lock:
            if kept := self._kept(name, path):
                return kept
            if name in self._busy:
                raise ApiError(409, "RESOURCE_CONFLICT", "PREVIOUS_REQUEST_IN_PROGRESS")
            self._busy.add(name)
        try:
            answer = do()
            with self._lock:
                self._answered[name] = self.bank.now, copy.deepcopy(answer)
            return answer
        except ApiError as error:
            with self._lock:
                self._answered[name] = self.bank.now, (error.status, error.body)
            raise
        finally:
            with self._lock:
                self._busy.discard(name)

    def _kept(self, name: str, path: str) -> Answer | None:
        at, (status, body) = self._answered.get(name, (self.bank.now, (0, None)))
        hours = KEPT_HOURS["orders" if "/orders" in path else "captures"]
        if not status or (self.bank.now - at).total_seconds() > hours * 3600:
            return None
        return (200 if status == 201 else status), copy.deepcopy(body)

    def _get(self, path: str, query: dict[str, str]) -> Any:
        if path == "/v1/notifications/webhooks-events":
            return checked("webhooks/list", self._events(query))
        if path == "/v1/customer/disputes":
            return checked("disputes/list", self._disputes(query))
        kinds = {
            r"/v2/checkout/orders/(\w+)": ("order", "orders/order"),
            r"/v2/payments/captures/(\w+)": ("capture", "payments/capture"),
            r"/v2/payments/refunds/(\w+)": ("refund", "payments/refund"),
            r"/v1/customer/disputes/([\w-]+)": ("dispute", "disputes/dispute"),
        }
        for pattern, (kind, schema) in kinds.items():
            if match := re.fullmatch(pattern, path):
                found = self._find(kind, match[1])
                shown = self.bank.shown(found) if kind == "order" else found
                return checked(schema, copy.deepcopy(shown))
        raise missing()

    def _find(self, kind: str, name: str) -> Obj:
        try:
            return self.bank.get(kind, name)
        except KeyError:
            raise missing() from None

    def _post(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path == "/v2/checkout/orders":
            return self._make(_read("orders/order_request", body))
        if match := re.fullmatch(r"/v2/checkout/orders/(\w+)/capture", path):
            _read("orders/capture_request", body)
            return 201, checked("orders/order", self._capture(match[1]))
        if match := re.fullmatch(r"/v2/payments/captures/(\w+)/refund", path):
            params = _read("payments/refund_request", body)
            return 201, checked("payments/refund", self._refund(match[1], params))
        pattern = r"/v1/customer/disputes/([\w-]+)/provide-evidence"
        if match := re.fullmatch(pattern, path):
            said = _part(headers.get("content-type", ""), body)
            return self._contest(match[1], _read("disputes/evidence_request", said))
        raise missing()

    def _make(self, params: Obj) -> Answer:
        [unit] = params["purchase_units"]
        amount = unit["amount"]
        currency, value = amount["currency_code"], amount["value"]
        if currency in ("HUF", "JPY", "TWD") and "." in value:
            raise refused(
                "DECIMALS_NOT_SUPPORTED", "/purchase_units/@reference_id/amount/value"
            )
        if not _money(amount).minor:
            raise refused(
                "CANNOT_BE_ZERO_OR_NEGATIVE",
                "/purchase_units/@reference_id/amount/value",
            )
        items = sum(_money(each["unit_amount"]).minor for each in unit.get("items", ()))
        if "items" in unit and items != _money(amount).minor:
            raise refused("ITEM_TOTAL_MISMATCH")
        return 201, checked("orders/order", self.bank.make_order(params))

    def _capture(self, name: str) -> Obj:
        try:
            return self.bank.capture(name)
        except KeyError:
            raise missing() from None
        except RefusedError as error:
            raise refused(str(error)) from None

    def _refund(self, name: str, params: Obj) -> Obj:
        capture = self._find("capture", name)
        amount = params.get("amount")
        if amount and amount["currency_code"] != capture["amount"]["currency_code"]:
            raise refused("REFUND_CAPTURE_CURRENCY_MISMATCH")
        minor = _money(amount).minor if amount else None
        try:
            made = self.bank.refund(name, minor, params)
        except RefusedError as error:
            raise refused(str(error)) from None
        return copy.deepcopy(self.bank.get("refund", made))

    def _contest(self, name: str, evidence: Obj) -> Answer:
        self._find("dispute", name)
        try:
            self.bank.answer_dispute(name, evidence)
        except RefusedError as error:
            raise refused(str(error)) from None
        link = {
            "href": f"{self.bank.origin}/v1/customer/disputes/{name}",
            "rel": "self",
        }
        return 200, checked("disputes/taken", {"links": [link]})

    def _patch(self, path: str, body: bytes) -> Answer:
        name = path.rpartition("/")[2]
        self._find("order", name)
        for change in _read("orders/patch_request", body):
            field = change["path"].rpartition("/")[2]
            try:
                self.bank.change(name, field, change["value"])
            except RefusedError as error:
                raise refused(str(error)) from None
        return 204, None

    def _events(self, query: dict[str, str]) -> Obj:
        """Give one page of the news between two times, newest first."""
        start = datetime.fromisoformat(query["start_time"])
        end = datetime.fromisoformat(query["end_time"])
        found = [
            each
            for each in reversed(self.bank.events)
            if start <= datetime.fromisoformat(each["create_time"]) <= end
        ]
        size, first = int(query.get("page_size", 10)), int(query.get("first", 0))
        links = []
        if first + size < len(found):
            more = urlencode(query | {"first": str(first + size)})
            # As at the real one, whatever address the API was called by.
            base = "https://api.paypal.com/v1/notifications/webhooks-events"
            links = [{"href": f"{base}?{more}", "rel": "next", "method": "GET"}]
        page = copy.deepcopy(found[first : first + size])
        return {"events": page, "count": len(page), "links": links}

    def _disputes(self, query: dict[str, str]) -> Obj:
        if self.no_disputes:
            raise ApiError(403, "NOT_AUTHORIZED", "PERMISSION_DENIED")
        wanted = query.get("disputed_transaction_id")  # without it: of everything
        found = [
            objects.summary(each)
            for each in self.bank.kept["dispute"].values()
            if wanted
            in (None, each["disputed_transactions"][0]["seller_transaction_id"])
        ]
        return {"items": copy.deepcopy(found), "links": []}


def _read(schema: str, body: bytes) -> Any:
    """Read what was asked, and refuse what does not fit, as PayPal does."""
    found = json.loads(body)
    if wrong := problems(schema, found):
        field = wrong[0].partition(":")[0].replace(".", "/").removeprefix("$")
        raise ApiError(400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX", field)
    return found


def _part(content_type: str, body: bytes) -> bytes:
    """Give the part `input` of a form, which must be JSON."""
    form = message_from_bytes(f"Content-Type: {content_type}\n\n".encode() + body)
    for part in form.get_payload():
        assert not isinstance(part, str)
        if part.get_param("name", header="content-disposition") == "input":
            assert part.get_content_type() == "application/json"
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content
    raise ApiError(400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER", "/input")


def _money(found: Obj) -> Money:
    return from_paypal(found["value"], found["currency_code"])
