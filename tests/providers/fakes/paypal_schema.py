"""What PayPal's API says its bodies look like: files of JSON Schema in `paypal_schemas`.

Both sides are held against them: what our client asks, and what the fake answers.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[1] / "paypal_schemas"


def problems(name: str, body: Any) -> list[str]:
    """Say what is wrong with a body, such as of an `orders/order_request`."""
    return [
        f"{error.json_path}: {error.message}"
        for error in _validator(name).iter_errors(body)
    ]


def checked(name: str, body: Any) -> Any:
    """Give a body of the fake's own, which must be right."""
    assert not (wrong := problems(name, body)), (name, wrong, body)
    return body


@cache
def _validator(name: str) -> Draft202012Validator:
    file, _, definition = name.partition("/")
    wanted = {"$ref": f"{file}.json#/$defs/{definition}"}
    return Draft202012Validator(wanted, registry=_registry())


@cache
def _registry() -> Registry[Any]:
    files = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    for each in files:
        Draft202012Validator.check_schema(each)
    return Registry().with_resources(
        (each["$id"], Resource.from_contents(each)) for each in files
    )
