"""Google Analytics 4, told by its Measurement Protocol.

Source: developers.google.com/analytics/devguides/collection/protocol/ga4 (sending events,
reference, use cases). It answers 2xx to everything, so what is sent is checked before, by
`ga4rules`.
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from handsel.outbound.counters import ga4rules
from handsel.outbound.counters.base import (
    Answer,
    Call,
    CannotTellError,
    Hit,
    HitName,
)

LIVE = "https://www.google-analytics.com"

# The least that makes somebody an active user; how long they looked is not known here.
_ENGAGED_MS = 1
# Nobody was asked about advertising, so nothing of it may be made of this.
_CONSENT = {"ad_user_data": "DENIED", "ad_personalization": "DENIED"}


class GoogleAnalytics:
    """One web stream of a property.

    Args:
        base: another address than Google's own.
    """

    name = "ga4"
    title = "Google Analytics"

    def __init__(self, measurement_id: str, secret: str, base: str = "") -> None:
        query = urlencode({"measurement_id": measurement_id, "api_secret": secret})
        self._url = f"{base or LIVE}/mp/collect?{query}"

    def takes(self, hit: Hit) -> bool:
        """Only of visits that have a name there, which needs consent."""
        return bool(hit.client)

    def call(self, hit: Hit, now: datetime) -> Call:
        """Write one event. Raises CannotTellError with what Google would not take."""
        # The clock of who took the money may be ahead of ours, and so of Google's.
        told = body(replace(hit, at=min(hit.at, now)))
        if wrong := ga4rules.check(told, now):
            raise CannotTellError(f"Google would not take this: {wrong[0]}.")
        content = json.dumps(told, separators=(",", ":")).encode()
        return Call(self._url, content, {"Content-Type": "application/json"})

    def refusal(self, answer: Answer) -> str:
        """Know nothing: the answer is always the same."""
        return ""


def body(hit: Hit) -> dict[str, Any]:
    """Write what Google is told of a hit."""
    params: dict[str, Any] = {"engagement_time_msec": _ENGAGED_MS}
    if hit.session:
        params["session_id"] = hit.session
    if hit.test:
        params["debug_mode"] = 1
    if hit.transaction:
        params["transaction_id"] = hit.transaction
    if hit.amount_minor is not None:
        params |= {
            "currency": hit.currency,
            "value": hit.number(hit.amount_minor),
        }
    if hit.tax_minor is not None:
        params["tax"] = hit.number(hit.tax_minor)
    if hit.coupon:
        params["coupon"] = hit.coupon
    # A refund with its items takes the whole of each back.
    if hit.name is not HitName.REFUND or hit.whole:
        params["items"] = [_item(hit)]
    return {
        "client_id": hit.client,
        "timestamp_micros": int(hit.at.timestamp()) * 1_000_000 + hit.at.microsecond,
        "consent": _CONSENT,
        "events": [{"name": str(hit.name), "params": params}],
    }


def _item(hit: Hit) -> dict[str, Any]:
    item: dict[str, Any] = {
        "item_id": hit.slug[: ga4rules.LONGEST_VALUE],
        "item_name": hit.title[: ga4rules.LONGEST_VALUE],
        "quantity": 1,
    }
    if hit.amount_minor is not None:
        item["price"] = hit.number(hit.amount_minor)
    if hit.discount_minor:
        item["discount"] = hit.number(hit.discount_minor)
    return item
