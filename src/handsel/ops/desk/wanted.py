"""Which orders somebody looks for: what stands in the address of the list, and back."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from handsel.kit.errors import BadInputError
from handsel.models.orders import FIRST_NUMBER
from handsel.models.words import OrderStatus

ALL = "all"
"""The status of every order, those that were never paid among them."""
BY_THEMSELVES = "(came by themselves)"
"""The source of those who came from nowhere that we know of."""
LONGEST = 254

_DASHES = re.compile(r"[\s#\u00ad\u200b\u2010-\u2015\u2212-]+")


@dataclass(frozen=True)
class Wanted:
    """Which orders to show; what is empty or None chooses nothing.

    Args:
        text: what was typed into the search field, trimmed.
        status: one status, or ALL; empty for all that were bought, or held back, or are
            being paid. Who searches for `text` is shown all.
        product: its short name.
        since, until: days in UTC on which the order was begun, both included.
        source: where the buyer came from, in one word; BY_THEMSELVES for nowhere.
        coupon: its code.
        country: of the buyer, as two letters.
        test: test purchases alone, or none of them.
        attention: only what somebody should look at.
        customer_id: only of this customer; never stands in an address.
    """

    text: str = ""
    status: str = ""
    product: str = ""
    since: date | None = None
    until: date | None = None
    source: str = ""
    coupon: str = ""
    country: str = ""
    test: bool | None = None
    attention: bool = False
    customer_id: int | None = None

    @property
    def begins(self) -> datetime | None:
        """The first moment that is wanted."""
        return _midnight(self.since) if self.since else None

    @property
    def ends(self) -> datetime | None:
        """The first moment that is not wanted any more; there is none after all days."""
        if self.until is None or self.until == date.max:
            return None
        return _midnight(self.until + timedelta(days=1))

    def words(self) -> dict[str, str]:
        """Give it as an address says it; `read` understands that."""
        said = {
            "q": self.text,
            "status": self.status,
            "product": self.product,
            "from": self.since.isoformat() if self.since else "",
            "to": self.until.isoformat() if self.until else "",
            "source": self.source,
            "coupon": self.coupon,
            "country": self.country,
            "test": {True: "only", False: "none", None: ""}[self.test],
            "attention": "1" if self.attention else "",
        }
        return {name: value for name, value in said.items() if value}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def read(said: Mapping[str, str]) -> Wanted:
    """Read what an address says. Raises BadInputError, which names the field."""
    words = {name: _typed(value) for name, value in said.items()}
    since, until = (_day(words, name) for name in ("from", "to"))
    if since and until and since > until:
        raise BadInputError(
            f"There is no day from {since} to {until}.",
            "Put the earlier day first.",
            field="to",
        )
    return Wanted(
        text=words.get("q", ""),
        status=_status(words.get("status", "")),
        product=words.get("product", ""),
        since=since,
        until=until,
        source=words.get("source", ""),
        coupon=words.get("coupon", "").upper(),
        country=words.get("country", "").upper(),
        test={"only": True, "none": False}.get(words.get("test", "")),
        attention=bool(words.get("attention")),
    )


def _typed(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()[:LONGEST]


def _day(words: Mapping[str, str], name: str) -> date | None:
    typed = words.get(name, "")
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise BadInputError(
            f"“{typed}” is no day.", "Write it like 2027-01-31.", field=name
        ) from None


def _status(word: str) -> str:
    if word in ("", ALL, *(str(each) for each in OrderStatus)):
        return word
    raise BadInputError(
        f"No order has the status “{word}”.", "Choose one of the list.", field="status"
    )


def row_of(text: str) -> int | None:
    """Read the number of an order as people type it, and name its row.

    `H-1042`, `h 1042`, `#1042`, `H-10 42`; None for anything else.
    """
    plain = _DASHES.sub("", unicodedata.normalize("NFKC", text)).upper()
    found = re.fullmatch(r"H?([0-9]{1,9})", plain)
    row = int(found[1]) - FIRST_NUMBER + 1 if found else 0
    return row if row > 0 else None


def last4_of(text: str) -> str | None:
    """Read the last four digits of a card, with or without what hides the others."""
    found = re.fullmatch(r"[\s*•x.…-]*([0-9]{4})", text, re.IGNORECASE)
    return found[1] if found else None
