"""A Google Analytics for tests, on this machine: takes hits, and has bad days.

    with FakeGa4() as google:
        google.hits  # what was taken; the wrong is in `wrong`

As the real one it answers 204 to everything. What it would not count it finds by a schema
of its own, written from Google's pages and not from our rules.
"""

import json
import threading
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema

from handsel.shop import Shop
from tests.providers.fakes.serving import Handler, Serving
from tests.stories.buyers import with_settings

ID, SECRET = "G-TEST12345", "s3cr3t-of-the-stream_1"

_WORD = {"type": "string", "minLength": 1, "maxLength": 100}
_AMOUNT = {"type": "number", "minimum": 0}
_NAME = "^(?!_|ga_|google_|firebase_|gtag)[a-zA-Z][a-zA-Z0-9_]{0,39}$"
_ITEM = {
    "type": "object",
    "required": ["item_id", "item_name"],
    "propertyNames": {"pattern": _NAME},
    "properties": {"item_id": _WORD, "item_name": _WORD, "price": _AMOUNT},
    "maxProperties": 27,
}
_PARAMS = {
    "type": "object",
    "maxProperties": 25,
    "propertyNames": {"pattern": _NAME},
    "properties": {
        "session_id": {"type": "string", "pattern": "^[0-9]+$"},
        "engagement_time_msec": {"type": "integer", "minimum": 1},
        "transaction_id": _WORD,
        "coupon": _WORD,
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "value": _AMOUNT,
        "tax": _AMOUNT,
        "items": {"type": "array", "minItems": 1, "maxItems": 200, "items": _ITEM},
    },
    "additionalProperties": {"type": ["number", "string"], "maxLength": 100},
    "dependentRequired": {"value": ["currency"], "tax": ["currency", "value"]},
}


def _needs(name: str, *params: str) -> dict[str, Any]:
    return {
        "if": {"properties": {"name": {"const": name}}},
        "then": {"properties": {"params": {"required": list(params)}}},
    }


SCHEMA = {
    "type": "object",
    "required": ["client_id", "events"],
    "additionalProperties": False,
    "properties": {
        "client_id": {"type": "string", "pattern": "^[0-9]+[.][0-9]+$"},
        "timestamp_micros": {"type": "integer", "minimum": 10**15},
        "consent": {
            "type": "object",
            "additionalProperties": {"enum": ["GRANTED", "DENIED"]},
        },
        "events": {
            "type": "array",
            "minItems": 1,
            "maxItems": 25,
            "items": {
                "type": "object",
                "required": ["name", "params"],
                "properties": {
                    "name": {
                        "type": "string",
                        "pattern": _NAME,
                        "not": {"enum": ["session_start", "first_visit", "error"]},
                    },
                    "params": _PARAMS,
                },
                "allOf": [
                    _needs("purchase", "transaction_id", "value", "currency", "items"),
                    _needs("refund", "transaction_id", "value", "currency"),
                    _needs("view_item", "items"),
                    _needs("begin_checkout", "items"),
                ],
            },
        },
    },
}
_CHECKER = jsonschema.Draft202012Validator(SCHEMA)


def faults(body: Any) -> list[str]:
    """Say what would be wrong with a hit."""
    return [f"{each.json_path}: {each.message}" for each in _CHECKER.iter_errors(body)]


class FakeGa4(Serving):
    """The server; `hits` are those it counts, `wrong` those it would not, and why.

    `raw` is everything that came, as it came; `statuses` are answers to give first.
    """

    def __init__(self) -> None:
        super().__init__(partial(_Handler, self), 0)
        self.hits: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.raw: list[str] = []
        self.statuses: list[int] = []
        self.waiting: list[str] = []
        self._may_go = threading.Event()
        self._may_go.set()

    def told(self, name: str = "") -> list[dict[str, Any]]:
        """Give the parameters of each event, or of those with this name."""
        return [
            {"name": event["name"], "client_id": hit["client_id"], **event["params"]}
            for hit in self.hits
            for event in hit["events"]
            if name in ("", event["name"])
        ]

    def hang(self) -> None:
        """Keep everybody waiting, who are `waiting` then, until they may go."""
        self._may_go.clear()

    def let_go(self) -> None:
        """Answer everybody who waits."""
        self._may_go.set()

    def stop(self) -> None:
        """Let everybody go who waits, and stop."""
        self._may_go.set()
        super().stop()

    def answer(self, path: str, headers: str, body: bytes) -> int:
        """Take one request; give the status."""
        self.raw.append(f"{path}\n{headers}\n{body.decode()}")
        self.waiting.append(path)
        self._may_go.wait()
        self.waiting.remove(path)
        if self.statuses:
            return self.statuses.pop(0)
        asked = urlsplit(path)
        keys = {name: values[0] for name, values in parse_qs(asked.query).items()}
        hit = json.loads(body)
        found = faults(hit)
        if asked.path != "/mp/collect":
            found.append(f"path {asked.path}")
        if keys != {"measurement_id": ID, "api_secret": SECRET}:
            found.append("unknown keys")
        self.wrong += found
        if not found:
            self.hits.append(hit)
        return 204


class _Handler(Handler):
    def __init__(self, fake: FakeGa4, *args: Any) -> None:
        self.fake = fake
        super().__init__(*args)

    def answer(self, body: bytes) -> None:
        self.send(self.fake.answer(self.path, str(self.headers), body), b"", {})


def telling(shop: Shop, google: FakeGa4, **more: object) -> Shop:
    """The same shop, which tells this Google, of test purchases too."""
    from pydantic import SecretStr

    values: dict[str, object] = {
        "ga4_id": ID,
        "ga4_secret": SecretStr(SECRET),
        "ga4_base": google.origin,
        "test_hits": True,
    }
    return with_settings(shop, "analytics", **(values | more))
