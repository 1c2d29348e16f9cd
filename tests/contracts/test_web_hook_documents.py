"""Every message that is told stands in the docs, as it really is."""

import json
import re
from pathlib import Path
from typing import Any

import handsel
from handsel.ops import hooking
from handsel.outbound.webhooks.events import EventName
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor
from tests.stories.buyers import buy
from tests.stories.listening import Listener, that_tells
from tests.stories.test_release import edition, release
from tests.stories.test_web_hooks import told

PAGE = Path(handsel.__file__).parents[2] / "docs" / "webhooks.md"


def examples() -> dict[str, dict[str, Any]]:
    """Give the examples of the docs by their type."""
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    found = [json.loads(block) for block in blocks]
    return {each["type"]: each for each in found}


def shape(value: Any) -> Any:
    """Say what something is made of: names and kinds, no values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return type(value).__name__


def test_every_type_is_listed_and_has_an_example() -> None:
    assert set(examples()) == {str(name) for name in EventName}
    listed = re.findall(r"^\| `([a-z_.]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert set(listed) == {str(name) for name in EventName}


def test_the_examples_are_made_as_the_messages_are(shop: Shop) -> None:
    make.product(shop)
    telling = that_tells(shop)
    with Listener() as listener:
        made, _ = hooking.add(telling, listener.url, with_email=False)
        buy(Visitor(telling))
        release(telling, edition(telling))
        hooking.try_out(telling, made.id)
        told(telling)
        came = {message.name: message.said for message in listener.messages}
    assert set(came) == {"order.paid", "access.opened", "release.published", "test"}
    for name, said in came.items():
        wanted = examples()[name]
        for each in (said, wanted):  # nobody knows the country here
            each["data"].get("order", {}).pop("country", None)
        assert shape(said) == shape(wanted), name


def test_every_message_about_an_order_shows_the_same_of_it() -> None:
    orders = [
        each["data"]["order"] for each in examples().values() if "order" in each["data"]
    ]
    assert len(orders) == 7
    assert len({tuple(sorted(order)) for order in orders}) == 1
