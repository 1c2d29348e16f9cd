"""A mail server that takes its time over each message, and counts them."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Talk


class Sink:
    """Takes every message after `delay` seconds. `count` is how many it took."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self.count = 0
        self.port = free_port()

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name for it
        self, _server: SMTP, _talk: Talk, _envelope: Envelope
    ) -> str:
        """Take a message."""
        await asyncio.sleep(self._delay)
        self.count += 1
        return "250 taken"

    @contextmanager
    def up(self) -> Iterator[None]:
        """Listen while the block runs; before and after, connections are refused."""
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
