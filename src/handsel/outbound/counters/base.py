"""What is told to those who count elsewhere, and what one of them must be able to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from handsel.kit.errors import ShopError
from handsel.kit.money import Money


class CannotTellError(ShopError):
    """A hit would not be understood as it is; it is no use to try again."""


class HitName(StrEnum):
    """What happened, in Google's words, which the others know as well."""

    PURCHASE = "purchase"
    REFUND = "refund"
    VIEW_ITEM = "view_item"
    BEGIN_CHECKOUT = "begin_checkout"


@dataclass(frozen=True)
class Hit:
    """One thing that happened, as plain facts; what is not known is empty.

    Args:
        slug, title: of the product.
        amount_minor: what was paid, or went back: never negative. None: not known.
        transaction: the order's number, the same everywhere.
        whole: whether it is about all of the order.
        client, session: Google's names for a visit, with its consent.
        visitor: the number of a visit, which leads to nobody.
        source, medium, campaign, referrer: where the visit came from.
        test: no real money moved.
    """

    name: HitName
    at: datetime
    slug: str
    title: str
    amount_minor: int | None = None
    currency: str = ""
    tax_minor: int | None = None
    discount_minor: int = 0
    coupon: str = ""
    transaction: str = ""
    whole: bool = True
    client: str = ""
    session: str = ""
    visitor: int = 0
    source: str = ""
    medium: str = ""
    campaign: str = ""
    referrer: str = ""
    test: bool = False

    def kept(self) -> dict[str, Any]:
        """Give it as what a database can keep; `read_hit` reads it again."""
        return asdict(self) | {"name": str(self.name), "at": self.at.isoformat()}

    def number(self, minor: int) -> float:
        """Write an amount as JSON has it. No sum is ever made of this."""
        return float(Money(minor, self.currency).amount)

    def landing(self, shop_url: str) -> str:
        """Give the address of the product, with where the visit came from."""
        said = {
            "utm_source": self.source if self.source != self.referrer else "",
            "utm_medium": self.medium,
            "utm_campaign": self.campaign,
        }
        query = urlencode({name: word for name, word in said.items() if word})
        address = f"{shop_url}/p/{quote(self.slug)}"
        return f"{address}?{query}" if query else address


def read_hit(kept: Mapping[str, Any]) -> Hit:
    """Read what was kept, also by another version, which knew more."""
    names = {each.name for each in fields(Hit)}
    said = {name: value for name, value in kept.items() if name in names}
    said["name"] = HitName(said["name"])
    said["at"] = datetime.fromisoformat(said["at"])
    return Hit(**said)


@dataclass(frozen=True)
class Call:
    """One POST. Its address and body may hold a secret, and are in no log."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and headers in lower case."""

    status: int
    headers: Mapping[str, str]


class Counter(Protocol):
    """One who counts elsewhere."""

    @property
    def name(self) -> str:
        """One short word for it."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    def takes(self, hit: Hit) -> bool:
        """Say whether it can be told of this at all."""
        ...

    def call(self, hit: Hit, now: datetime) -> Call:
        """Write what is to be sent. Raises CannotTellError."""
        ...

    def refusal(self, answer: Answer) -> str:
        """Say why a hit was not counted although the answer is a good one; empty: it was."""
        ...
