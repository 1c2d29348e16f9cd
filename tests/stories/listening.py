"""Somebody who is told by web hook, on this machine: takes messages, or has bad days.

What it believes it finds by itself, from the specification of Standard Webhooks and not
from our code.
"""

import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from handsel.shop import Shop
from tests.providers.fakes.serving import Handler, Serving


@dataclasses.dataclass(frozen=True)
class Message:
    """One message as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def name(self) -> str:
        """What happened."""
        return str(self.said["type"])


class Listener(Serving):
    """A receiver of web hooks.

    `status` is what it answers; `messages` are those it took, `refused` the others.
    """

    def __init__(self) -> None:
        self.status: int | Callable[[], int] = 200
        self.messages: list[Message] = []
        self.refused: list[Message] = []
        super().__init__(partial(_Ear, self), 0)
        self.url = f"{self.origin}/hooks"

    def names(self) -> list[str]:
        """What happened, in the order it was taken."""
        return [message.name for message in self.messages]


class _Ear(Handler):
    def __init__(self, listener: Listener, *args: Any) -> None:
        self._listener = listener
        super().__init__(*args)

    def answer(self, body: bytes) -> None:
        """Take a message."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        message = Message(headers, body)
        said = self._listener.status
        status = said() if callable(said) else said
        taken = 200 <= status < 300
        (self._listener.messages if taken else self._listener.refused).append(message)
        self.send(status, b"", {})


def is_signed(message: Message, secret: str) -> bool:
    """Say whether one of the signatures is right for this secret."""
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = b".".join(
        (
            message.headers["webhook-id"].encode(),
            message.headers["webhook-timestamp"].encode(),
            message.body,
        )
    )
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    marks = message.headers["webhook-signature"].split(" ")
    return f"v1,{right}" in marks


def that_tells(shop: Shop) -> Shop:
    """The same shop, which may tell this very machine."""
    settings = shop.settings.model_copy(update={"env": "test"})
    return dataclasses.replace(shop, settings=settings)
