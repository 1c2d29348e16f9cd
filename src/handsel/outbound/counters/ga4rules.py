"""What Google's debug endpoint would say of a hit, worked out here.

The real one (/debug/mp/collect) would have to be told of a purchase to judge it. Sources,
under developers.google.com/analytics/devguides/collection/protocol/ga4: validating-events
(the codes), reference (names, shapes), sending-events (limitations, times); which events
need what: developers.google.com/analytics/devguides/collection/ga4/reference/events.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from handsel.kit.money import currencies

MOST_EVENTS = 25
MOST_PARAMS = 25
MOST_ITEMS = 200
LONGEST_NAME = 40
LONGEST_VALUE = 100
OLDEST = timedelta(hours=72)
"""How long after it an event may be told."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CLIENT = re.compile(r"\d{1,20}\.\d{1,20}")
_SESSION = re.compile(r"\d{1,20}")
_PREFIXES = ("_", "firebase_", "ga_", "google_", "gtag.")
_RESERVED = {
    *("ad_activeview", "ad_click", "ad_exposure", "ad_query", "ad_reward"),
    *("adunit_exposure", "app_clear_data", "app_exception", "app_install"),
    *("app_remove", "app_store_refund", "app_update", "app_upgrade"),
    *("dynamic_link_app_open", "dynamic_link_app_update", "dynamic_link_first_open"),
    *("error", "firebase_campaign", "firebase_in_app_message_action"),
    *("firebase_in_app_message_dismiss", "firebase_in_app_message_impression"),
    *("first_open", "first_visit", "in_app_purchase", "notification_dismiss"),
    *("notification_foreground", "notification_open", "notification_receive"),
    *("os_update", "screen_view", "session_start", "user_engagement"),
}
_NEEDS = {
    "purchase": ("transaction_id", "currency", "value", "items"),
    "refund": ("transaction_id", "currency", "value"),
    "view_item": ("items",),
    "begin_checkout": ("items",),
}


class Code(StrEnum):
    """Google's words for what is wrong."""

    VALUE_REQUIRED = "VALUE_REQUIRED"
    VALUE_INVALID = "VALUE_INVALID"
    VALUE_OUT_OF_BOUNDS = "VALUE_OUT_OF_BOUNDS"
    NAME_INVALID = "NAME_INVALID"
    NAME_RESERVED = "NAME_RESERVED"
    EXCEEDED_MAX_ENTITIES = "EXCEEDED_MAX_ENTITIES"


@dataclass(frozen=True)
class Wrong:
    """One thing that would be refused, or silently dropped."""

    code: Code
    path: str

    def __str__(self) -> str:
        return f"{self.path} ({self.code})"


def check(body: dict[str, Any], now: datetime) -> list[Wrong]:
    """Say what is wrong with a hit; nothing if it would be taken."""
    return [*_envelope(body, now), *_events(body.get("events"))]


def check_keys(measurement_id: str, secret: str) -> list[str]:
    """Say which of the two keys of a stream cannot be right."""
    wrong = []
    if not re.fullmatch(r"G-[A-Z0-9]{4,20}", measurement_id):
        wrong.append("analytics.ga4_id")
    if not re.fullmatch(r"[\w-]{16,64}", secret, re.ASCII):
        wrong.append("analytics.ga4_secret")
    return wrong


def _envelope(body: dict[str, Any], now: datetime) -> Iterator[Wrong]:
    client = body.get("client_id")
    if not client:
        yield Wrong(Code.VALUE_REQUIRED, "client_id")
    elif not isinstance(client, str) or not _CLIENT.fullmatch(client):
        yield Wrong(Code.VALUE_INVALID, "client_id")
    at = body.get("timestamp_micros")
    if not isinstance(at, int) or isinstance(at, bool):
        yield Wrong(Code.VALUE_INVALID, "timestamp_micros")
    elif not _micros(now - OLDEST) <= at <= _micros(now):
        yield Wrong(Code.VALUE_OUT_OF_BOUNDS, "timestamp_micros")


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _events(events: object) -> Iterator[Wrong]:
    if not isinstance(events, list) or not events:
        yield Wrong(Code.VALUE_REQUIRED, "events")
        return
    if len(events) > MOST_EVENTS:
        yield Wrong(Code.EXCEEDED_MAX_ENTITIES, "events")
    for event in events:
        yield from _event(event)


def _event(event: dict[str, Any]) -> Iterator[Wrong]:
    name, params = str(event.get("name", "")), event.get("params", {})
    yield from _name(name, "events.name")
    if name in _RESERVED:
        yield Wrong(Code.NAME_RESERVED, f"events.name {name}")
    if len(params) > MOST_PARAMS:
        yield Wrong(Code.EXCEEDED_MAX_ENTITIES, "events.params")
    for key, value in params.items():
        yield from _name(key, f"events.params.{key}")
        if key != "items":
            yield from _value(value, f"events.params.{key}")
    for wanted in _NEEDS.get(name, ()):
        if params.get(wanted) in (None, "", []):
            yield Wrong(Code.VALUE_REQUIRED, f"events.params.{wanted}")
    yield from _money(params)
    yield from _items(params.get("items", []))
    if "session_id" in params and not _SESSION.fullmatch(str(params["session_id"])):
        yield Wrong(Code.VALUE_INVALID, "events.params.session_id")


def _name(name: str, path: str) -> Iterator[Wrong]:
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        yield Wrong(Code.NAME_INVALID, path)
    if name.startswith(_PREFIXES):
        yield Wrong(Code.NAME_RESERVED, path)


def _value(value: object, path: str) -> Iterator[Wrong]:
    if isinstance(value, str):
        if len(value) > LONGEST_VALUE:
            yield Wrong(Code.VALUE_OUT_OF_BOUNDS, path)
    elif isinstance(value, bool) or not _is_number(value):
        yield Wrong(Code.VALUE_INVALID, path)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _money(params: dict[str, Any]) -> Iterator[Wrong]:
    for name in ("value", "tax"):
        amount = params.get(name)
        if amount is None:
            continue
        if "currency" not in params:
            yield Wrong(Code.VALUE_REQUIRED, "events.params.currency")
        if not isinstance(amount, int | float) or not amount >= 0:
            yield Wrong(Code.VALUE_INVALID, f"events.params.{name}")
    if "currency" in params and params["currency"] not in currencies():
        yield Wrong(Code.VALUE_INVALID, "events.params.currency")


def _items(items: object) -> Iterator[Wrong]:
    if not isinstance(items, list):
        yield Wrong(Code.VALUE_INVALID, "events.params.items")
        return
    if len(items) > MOST_ITEMS:
        yield Wrong(Code.EXCEEDED_MAX_ENTITIES, "events.params.items")
    for item in items:
        if not (item.get("item_id") or item.get("item_name")):
            yield Wrong(Code.VALUE_REQUIRED, "events.params.items.item_id")
        for key, value in item.items():
            yield from _name(key, f"events.params.items.{key}")
            yield from _value(value, f"events.params.items.{key}")
