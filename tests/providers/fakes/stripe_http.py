"""The API of the fake Stripe: a request in, a status and a JSON body out."""

import copy
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from tests.providers.fakes import stripe_elements
from tests.providers.fakes.bank import Obj
from tests.providers.fakes.stripe_bank import FakeBank, NotOpenError
from tests.providers.fakes.stripe_params import check_session

Answer = tuple[int, Obj, dict[str, str]]
"""Status, body, extra headers."""

# Which field holds the name of which kind of object.
_EXPANDABLE = {
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "charge": "charge",
}
# What the source of a line of the balance is, by how its name begins.
_SOURCES = {"ch": "charge", "re": "refund", "du": "dispute", "po": "payout"}
_LISTS = {
    "/v1/checkout/sessions": "session",
    "/v1/payment_intents": "payment_intent",
    "/v1/charges": "charge",
    "/v1/refunds": "refund",
    "/v1/disputes": "dispute",
    "/v1/events": "event",
    "/v1/payouts": "payout",
    "/v1/balance_transactions": "balance_transaction",
}
KEY_SECONDS = 24 * 3600
"""How long an idempotency key is remembered."""
_CONTROLS = (
    *("limit", "starting_after", "ending_before", "expand", "created", "types"),
    "payout",
)


class ApiError(Exception):
    """What the API answers instead of an object."""

    def __init__(self, status: int, kind: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **more}}


def invalid(
    message: str, param: str = "", code: str = "", status: int = 400
) -> ApiError:
    """Give the error for a request that makes no sense."""
    more = {
        key: value for key, value in {"param": param, "code": code}.items() if value
    }
    return ApiError(status, "invalid_request_error", message, **more)


class FakeApi:
    """Routes of the API, idempotency, lists and expansion."""

    def __init__(self, bank: FakeBank) -> None:
        self.bank = bank
        self.origin = ""
        self.calls: list[str] = []
        self.forbidden: dict[str, str] = {}
        """What a restricted key may not do: `{"/v1/payouts": "rak_payout_read"}`."""
        self._answered: dict[str, tuple[int, str, Answer]] = {}
        self._one_at_a_time = threading.Lock()

    def answer(
        self, method: str, path: str, query: str, headers: dict[str, str], body: str
    ) -> Answer:
        """Answer one request; header names are lower case."""
        self.calls.append(f"{method} {path}")
        self.bank.tick()
        if path.startswith(stripe_elements.PATH):
            return stripe_elements.answer(self.bank, path, body)
        try:
            _check_key(headers.get("authorization", ""))
            self._check_permission(path)
            return self._once(method, path, query, headers, body)
        except ApiError as error:
            return error.status, error.body, {}

    def _once(
        self, method: str, path: str, query: str, headers: dict[str, str], body: str
    ) -> Answer:
        """Give the same answer to the same key, and refuse other words with it.

        After a day a key is forgotten, as at the real one.
        """
        key = headers.get("idempotency-key")
        if method != "POST" or not key:
            return 200, self._do(method, path, query or body), {}
        with self._one_at_a_time:
            request = f"{path}?{body}"
            now = self.bank.seconds
            at, before, kept = self._answered.get(key, (0, "", (0, {}, {})))
            if now - at > KEY_SECONDS:
                answer: Answer = 200, self._do(method, path, body), {}
                self._answered[key] = now, request, copy.deepcopy(answer)
                return answer
        if before != request:
            raise ApiError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same "
                "parameters they were first used with.",
            )
        return kept[0], kept[1], {"Idempotent-Replayed": "true"}

    def _do(self, method: str, path: str, text: str) -> Obj:
        params = parse_form(text)
        if method == "POST":
            return self._write(path, params)
        with self.bank.lock:
            if path in _LISTS:
                return self._list(path, params)
            parent, _, name = path.rpartition("/")
            if parent not in _LISTS:
                raise invalid(f"Unrecognized request URL (GET: {path}).", status=404)
            found = copy.deepcopy(self._find(_LISTS[parent], name))
            return self._expanded(found, params.get("expand", []))

    def _check_permission(self, path: str) -> None:
        for beginning, name in self.forbidden.items():
            if path.startswith(beginning):
                raise ApiError(
                    403,
                    "invalid_request_error",
                    "The provided key 'rk_test_****' does not have the required "
                    "permissions for this endpoint on account 'acct_1'. Having the "
                    f"'{name}' permission would allow this request to continue.",
                )

    def _write(self, path: str, params: Obj) -> Obj:
        if path == "/v1/checkout/sessions":
            check_session(params, self.bank.seconds, invalid)
            return copy.deepcopy(self.bank.open_session(params, self.origin))
        if path == "/v1/refunds":
            return self._refund(params)
        if match := re.fullmatch(r"/v1/checkout/sessions/(\w+)/expire", path):
            return self._expire(match[1])
        if match := re.fullmatch(r"/v1/disputes/(\w+)", path):
            return self._answer_dispute(match[1], params)
        raise invalid(f"Unrecognized request URL (POST: {path}).", status=404)

    def _expire(self, name: str) -> Obj:
        self._find("session", name)
        try:
            return copy.deepcopy(self.bank.expire(name))
        except NotOpenError:
            raise invalid(
                "Only Checkout Sessions with a status in [open] can be expired.",
            ) from None

    def _refund(self, params: Obj) -> Obj:
        name = params.get("charge") or params.get("payment_intent") or ""
        kind = "charge" if name.startswith("ch_") else "payment_intent"
        charge = self._find(kind, name)
        if kind == "payment_intent":
            charge = self._find("charge", charge["latest_charge"] or "")
        rest = charge["amount_captured"] - charge["amount_refunded"]
        amount = int(params.get("amount", rest))
        if code := self.bank.refusal:
            raise invalid(f"This refund cannot be made ({code}).", code=code)
        if rest == 0:
            raise invalid(
                "This charge has already been refunded.",
                code="charge_already_refunded",
            )
        if not 0 < amount <= rest:
            raise invalid(f"Refund amount is greater than {rest}.", "amount")
        made = self.bank.refund(
            charge["id"],
            amount,
            status=self.bank.refund_status,
            reason=params.get("reason"),
            metadata=params.get("metadata"),
        )
        return copy.deepcopy(self.bank.get("refund", made))

    def _answer_dispute(self, name: str, params: Obj) -> Obj:
        dispute = self._find("dispute", name)
        if not str(dispute["status"]).endswith("needs_response"):
            raise invalid("This dispute is already closed or has been submitted.")
        return copy.deepcopy(self.bank.answer_dispute(name, params))

    def _find(self, kind: str, name: str) -> Obj:
        try:
            return self.bank.get(kind, name)
        except KeyError:
            raise invalid(
                f"No such {kind}: '{name}'", "id", "resource_missing", 404
            ) from None

    def _list(self, path: str, params: Obj) -> Obj:
        """Give one page, newest first."""
        known: Iterable[Obj] = reversed(self.bank.kept[_LISTS[path]].values())
        if "payout" in params:
            known = self._lines_of(params["payout"])
        found = [each for each in known if _fits(each, params)]
        if after := params.get("starting_after"):
            names = [each["id"] for each in found]
            if after not in names:
                raise invalid(f"No such object: {after}", "starting_after")
            found = found[names.index(after) + 1 :]
        limit = int(params.get("limit", 10))
        if not 1 <= limit <= 100:
            raise invalid("Limit is between 1 and 100.", "limit")
        page = _page(path, copy.deepcopy(found[:limit]), more=len(found) > limit)
        return self._expanded(page, params.get("expand", []))

    def _lines_of(self, name: str) -> list[Obj]:
        if not self._find("payout", name)["automatic"]:
            raise invalid(
                "Balance transaction history can only be filtered on automatic "
                "transfers, not manual.",
                "payout",
            )
        return self.bank.lines_of(name)

    def _expanded(self, found: Obj, paths: list[str]) -> Obj:
        for path in paths:
            if path.count(".") > 3:
                raise invalid("You cannot expand more than 4 levels.", "expand")
            self._expand(found, path.split("."))
        return found

    def _expand(self, found: Obj, path: list[str]) -> None:
        """Put the object itself in the place of its name, and go on inside it."""
        field, rest = path[0], path[1:]
        if found["object"] == "list" and field == "data":
            for each in found["data"]:
                self._expand(each, rest)
            return
        if found["object"] == "charge" and field == "refunds":
            found["refunds"] = self._refunds_of(found["id"])
        elif found["object"] == "balance_transaction" and field == "source":
            if source := found["source"]:
                kind = _SOURCES[source.partition("_")[0]]
                found["source"] = copy.deepcopy(self.bank.get(kind, source))
        elif field not in _EXPANDABLE or field not in found:
            raise invalid(f"This property cannot be expanded ({field}).", "expand")
        elif isinstance(found[field], str):
            kind = _EXPANDABLE[field]
            found[field] = copy.deepcopy(self.bank.get(kind, found[field]))
        if rest and found[field]:
            self._expand(found[field], rest)

    def _refunds_of(self, charge: str) -> Obj:
        found = [
            copy.deepcopy(each)
            for each in reversed(self.bank.kept["refund"].values())
            if each["charge"] == charge
        ]
        return _page(f"/v1/charges/{charge}/refunds", found[:10], more=len(found) > 10)


def _page(url: str, data: list[Obj], *, more: bool) -> Obj:
    return {"object": "list", "url": url, "has_more": more, "data": data}


def _fits(found: Obj, params: Obj) -> bool:
    created = params.get("created", {})
    tests: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    in_time = all(
        tests[name](found["created"], int(bound)) for name, bound in created.items()
    )
    of_type = "types" not in params or found["type"] in params["types"]
    return (
        in_time
        and of_type
        and all(
            found.get(name) == value
            for name, value in params.items()
            if name not in _CONTROLS
        )
    )


def _check_key(authorization: str) -> None:
    if not re.match(r"Bearer (sk|rk)_test_\w+$", authorization):
        raise ApiError(
            401, "invalid_request_error", "Invalid API Key provided: sk_****"
        )


def parse_form(text: str) -> Obj:
    """Read `a[b][0]=c` as Stripe does, into dicts and lists."""
    found: Obj = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        keys = re.findall(r"[^\[\]]+", name)
        place = found
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return {key: _with_lists(value) for key, value in found.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(each) for key, each in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
