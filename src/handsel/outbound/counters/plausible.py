"""Plausible, told by its events API.

Source: plausible.io/docs/events-api. It tells visitors apart by address and browser, of
which nothing is kept here: so each visit gets an address that is nobody's, made of its
number (2001:db8::/32 is kept free for examples, RFC 3849), and the same browser. What is
told is thus no part of the visit that Plausible's own script may have seen.
"""

import json
from datetime import datetime
from ipaddress import IPv6Address

from handsel.outbound.counters.base import Answer, Call, Hit, HitName

_EXAMPLES = int(IPv6Address("2001:db8::"))
_NAMES = {HitName.PURCHASE: "Purchase", HitName.REFUND: "Refund"}
# One that is no robot's: those are left out.
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Plausible:
    """One site in a Plausible.

    Args:
        url: where that Plausible is.
    """

    name = "plausible"
    title = "Plausible"

    def __init__(self, url: str, domain: str, shop_url: str) -> None:
        self._url = f"{url.rstrip('/')}/api/event"
        self._domain = domain
        self._shop_url = shop_url

    def takes(self, hit: Hit) -> bool:
        """Of purchases and refunds: its own script tells it of pages."""
        return hit.name in _NAMES

    def call(self, hit: Hit, now: datetime) -> Call:
        """Write one event. It has no time of its own: it counts when it arrives."""
        told = {
            "name": _NAMES[hit.name],
            "domain": self._domain,
            "url": hit.landing(self._shop_url),
            "props": {"product": hit.slug, "order": hit.transaction},
            "revenue": {
                "currency": hit.currency,
                "amount": hit.number(hit.amount_minor or 0),
            },
        }
        if hit.referrer:
            told["referrer"] = f"https://{hit.referrer}/"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _BROWSER,
            "X-Forwarded-For": str(IPv6Address(_EXAMPLES + hit.visitor)),
        }
        return Call(self._url, json.dumps(told).encode(), headers)

    def refusal(self, answer: Answer) -> str:
        """It takes everything, and says in a header what it has thrown away."""
        if answer.headers.get("x-plausible-dropped") == "1":
            return "Plausible has thrown it away: is analytics.plausible_domain right?"
        return ""
