"""What the shop has to know of a payment again, in the 254 letters PayPal keeps for us.

They stand in `custom_id` of an order, and what does not fit there in the `sku` of what is
bought; both come back with it (Orders v2, `purchase_units[].custom_id`, `.items[].sku`).
Letters, digits, `-`, `_`, `.` and `,` only, as some parts of PayPal take no others there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from handsel.kit.money import Money

FIELD = 127
"""Letters of each of the two."""
MOST = 2 * FIELD

# One letter for the words every purchase has, so that the longest product name fits.
_SHORT = {
    "shop": "s",
    "product": "p",
    "price": "m",
    "currency": "c",
    "coupon": "k",
    "discount": "d",
}
_LONG = {short: name for name, short in _SHORT.items()}
_OPEN, _CLOSED = "o", "x"
_FIELD = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")


@dataclass(frozen=True)
class Agreed:
    """What was agreed on when an order was made at PayPal.

    Args:
        price: what PayPal may take, and nothing else.
        ends: when nobody may take it any more.
        closed: the shop has ended it before that time.
    """

    price: Money
    ends: datetime
    reference: Mapping[str, str]
    closed: bool = False

    def written(self) -> str:
        """Write it into at most `MOST` letters. Raises ValueError when they are too few."""
        known = {"price": str(self.price.minor), "currency": self.price.currency}
        fields = [
            _CLOSED if self.closed else _OPEN,
            str(int(self.ends.timestamp())),
            str(self.price.minor),
            self.price.currency,
            *(
                # What the price says already is left out; a dot alone means that.
                f"{_name(name)}.{'' if known.get(name) == value else _escaped(value)}"
                for name, value in self.reference.items()
            ),
        ]
        text = ",".join(fields)
        if len(text) > MOST:
            raise ValueError(f"PayPal keeps {MOST} letters, and this is longer: {text}")
        return text

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `written` wrote; None for what others may have written there."""
        state, *rest = text.split(",")
        if state not in (_OPEN, _CLOSED) or len(rest) < 3:
            return None
        found = [_FIELD.fullmatch(field) for field in rest[3:]]
        try:
            price = Money(int(rest[1]), rest[2])
            ends = datetime.fromtimestamp(int(rest[0]), UTC)
            reference = dict(_named(field, price) for field in found if field)
        except (ValueError, OverflowError, OSError):
            return None
        return cls(price, ends, reference, state == _CLOSED) if all(found) else None

    def ended(self) -> Self:
        """Give the same, ended by the shop."""
        return replace(self, closed=True)


def _named(field: re.Match[str], price: Money) -> tuple[str, str]:
    name, value = _LONG.get(field[1]) or _plain(field[1]), _plain(field[2])
    if not field[2]:
        value = {"price": str(price.minor), "currency": price.currency}.get(name, "")
    return name, value


def _name(name: str) -> str:
    """Write a name short; one that looks like a short one in full."""
    return _SHORT.get(name) or (
        f"_{ord(name):02X}" if name in _LONG else _escaped(name)
    )


def _escaped(text: str) -> str:
    """Write anything in letters, digits and `-`, each other byte as `_` and its number.

    Nothing at all is a `_` alone.
    """
    raw = re.sub(rb"[^A-Za-z0-9-]", lambda found: b"_%02X" % found[0][0], text.encode())
    return raw.decode() or "_"


def _plain(text: str) -> str:
    if text == "_":
        return ""
    raw = re.sub(
        rb"_([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), text.encode()
    )
    return raw.decode()
