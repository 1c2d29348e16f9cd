"""Matomo, told by its tracking API.

Source: developer.matomo.org/api-reference/tracking-api. It knows no refunds: an order is
counted once, as it was paid.
"""

import json
from datetime import datetime, timedelta
from urllib.parse import urlencode

from handsel.kit.money import Money
from handsel.outbound.counters.base import Answer, Call, Hit, HitName

_FRESH = timedelta(hours=23)
"""How long after it an order may be told without a token; a day, says Matomo."""


class Matomo:
    """One site in a Matomo.

    Args:
        token: may be empty.
    """

    name = "matomo"
    title = "Matomo"

    def __init__(self, url: str, site: int, token: str, shop_url: str) -> None:
        self._url = f"{url.rstrip('/')}/matomo.php"
        self._site = site
        self._token = token
        self._shop_url = shop_url

    def takes(self, hit: Hit) -> bool:
        """Of purchases alone."""
        return hit.name is HitName.PURCHASE

    def call(self, hit: Hit, now: datetime) -> Call:
        """Write one order of its shop reports (`idgoal=0`)."""
        total = Money(hit.amount_minor or 0, hit.currency).amount
        said = {
            "idsite": self._site,
            "rec": 1,
            "apiv": 1,
            "send_image": 0,
            "bots": 1,  # no browser calls, and it must count all the same
            "idgoal": 0,
            "ec_id": hit.transaction,
            "revenue": total,
            "ec_items": json.dumps([[hit.slug, hit.title, "", float(total), 1]]),
            "url": hit.landing(self._shop_url),
            "_id": f"{hit.visitor:016x}",
        }
        if hit.tax_minor is not None:
            said["ec_tx"] = Money(hit.tax_minor, hit.currency).amount
        if hit.discount_minor:
            said["ec_dt"] = Money(hit.discount_minor, hit.currency).amount
        if hit.referrer:
            said["urlref"] = f"https://{hit.referrer}/"
        if self._token or now - hit.at < _FRESH:
            said["cdt"] = int(hit.at.timestamp())
        if self._token:
            said["token_auth"] = self._token
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return Call(self._url, urlencode(said).encode(), kind)

    def refusal(self, answer: Answer) -> str:
        """Its answers mean what they say."""
        return ""
