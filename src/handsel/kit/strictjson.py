"""JSON from strangers: an object, or some in a row; whole, and with each key once."""

import json
from typing import Any


def read_object(body: bytes) -> dict[str, Any]:
    """Read an object. Raises ValueError for everything else, doubled keys included."""
    found = _read(body)
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


def read_objects(body: bytes) -> list[dict[str, Any]]:
    """Read a list of objects. Raises ValueError for everything else, as above."""
    found = _read(body)
    if not isinstance(found, list) or not all(isinstance(e, dict) for e in found):
        raise ValueError("it is not a list of objects")
    return found


def _read(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_without_doubles)
    except RecursionError:
        raise ValueError("it is too deep") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what two readers may understand differently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found
