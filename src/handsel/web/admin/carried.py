"""What a form sent, kept in the page that comes in between, which cannot be read.

What was typed may be a key: it travels closed, and opens for a while only.
"""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from handsel.kit.sealing import UnreadableSecretError, seal, unseal
from handsel.kit.signing import Keys

Fields = Sequence[tuple[str, str]]


class Carrier:
    """Closes things for one browser, and opens what was closed for the same.

    Args:
        owner: what nobody else has: the cookie's mark, and the person.
    """

    def __init__(self, keys: Keys, now: datetime, *owner: str) -> None:
        self._keys, self._now = keys, now
        self._owner = json.dumps(owner)

    def close_fields(self, fields: Fields, place: str, life: timedelta) -> str:
        """Close what a form sent to `place`; it is of no use anywhere else."""
        return self._close(f"fields {place}", fields, life)

    def fields(self, closed: str, place: str) -> list[tuple[str, str]] | None:
        """Give what was sent there; None for what is too old, or was not closed here."""
        found = self._open(f"fields {place}", closed)
        return None if found is None else [(name, value) for name, value in found]

    def _close(self, what: str, content: Any, life: timedelta) -> str:
        end = (self._now + life).timestamp()
        # Packed: what was small enough to come in must be so once more.
        text = zlib.compress(json.dumps([end, content]).encode())
        return seal(self._keys, self._purpose(what), text)

    def _open(self, what: str, closed: str) -> Any | None:
        try:
            text = zlib.decompress(unseal(self._keys, self._purpose(what), closed))
        except UnreadableSecretError:
            return None
        end, content = json.loads(text)
        return content if self._now.timestamp() < end else None

    def _purpose(self, what: str) -> str:
        return f"desk {what} {self._owner}"
