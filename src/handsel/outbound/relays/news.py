"""What the relays' messages have in common: how they are refused, and what they say."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handsel.kit.errors import ShopError
from handsel.kit.strictjson import read_object
from handsel.kit.text import shown
from handsel.outbound.bounces import MOST_WORDS, Report

HALF_A_DAY = 12 * 3600
"""Seconds. Relays try for some hours to tell us, perhaps with the signature they began
with; that a message counts once is seen to by its name, for much longer."""
AHEAD = 300
"""Seconds that a relay's clock may be ahead of ours."""


class RelayRefusedError(ShopError):
    """A message that is not the relay's, or cannot be read."""

    status = 401


@dataclass(frozen=True)
class News:
    """One thing that a relay says.

    Args:
        name: which one it is; the same when it comes again.
        kind: the relay's word for what happened.
        report: None when this kind is nothing to us.
    """

    name: str
    kind: str
    report: Report | None


def check_age(sent: float, now: datetime, oldest: int = HALF_A_DAY) -> None:
    """Refuse what is too old, or from the future. Raises RelayRefusedError.

    Args:
        sent: seconds since 1970, as the relay has signed them.
        oldest: seconds.
    """
    if not -AHEAD <= now.timestamp() - sent <= oldest:
        raise RelayRefusedError(
            f"The message is more than {oldest // 3600} hours old, or from the future.",
            "Check the clock of this machine.",
        )


def read_body(body: bytes) -> dict[str, Any]:
    """Read a body that should be an object. Raises RelayRefusedError."""
    try:
        return read_object(body)
    except ValueError as error:
        raise RelayRefusedError("The message cannot be read.") from error


def inside(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Give an object within another; empty when there is none."""
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


def several(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Give the objects of a list within an object."""
    inner = found.get(name)
    every = inner if isinstance(inner, list) else []
    return [each for each in every if isinstance(each, dict)]


def text(found: dict[str, Any], name: str) -> str:
    """Give a text within an object; empty when there is none."""
    value = found.get(name)
    return value if isinstance(value, str) else ""


def short(words: str) -> str:
    """Cut a server's words to what is kept of them."""
    return shown(words).strip()[:MOST_WORDS]


def same(ours: str, theirs: str) -> bool:
    """Compare a secret, in a time that tells nothing about it."""
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))
