"""JSON from strangers: an object, whole, and with each key once."""

import json
from typing import Any


def read_object(body: bytes) -> dict[str, Any]:
    """Read an object. Raises ValueError for everything else, doubled keys included."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_without_doubles)
    except RecursionError:
        raise ValueError("it is too deep") from None
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what two readers may understand differently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found
