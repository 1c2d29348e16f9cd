"""What a form sent, kept in the page that comes in between, which cannot be read.

What was typed may be a key: it travels closed, and opens for a while only.
"""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime

from handsel.kit.sealing import UnreadableSecretError, seal, unseal
from handsel.kit.signing import Keys

Fields = Sequence[tuple[str, str]]


def close(keys: Keys, fields: Fields, owner: Sequence[str], end: datetime) -> str:
    """Close what a form sent, until `end`.

    `owner`: what nobody else has, such as the mark of a browser; and the place the form
    went to, so that it is of no use anywhere else.
    """
    # Packed: what was small enough to come in must be so once more.
    text = zlib.compress(json.dumps([end.timestamp(), fields]).encode())
    return seal(keys, _purpose(owner), text)


def reopen(
    keys: Keys, closed: str, owner: Sequence[str], now: datetime
) -> list[tuple[str, str]] | None:
    """Give what was sent; None for what is too old, or was not closed for this owner."""
    try:
        text = zlib.decompress(unseal(keys, _purpose(owner), closed))
    except UnreadableSecretError:
        return None
    end, fields = json.loads(text)
    if now.timestamp() >= end:
        return None
    return [(name, value) for name, value in fields]


def _purpose(owner: Sequence[str]) -> str:
    return f"desk kept {json.dumps(owner)}"
