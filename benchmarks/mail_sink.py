"""A mail server that takes its time over each message, and counts them."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Talk

_SPAWN = get_context("spawn")


class Sink:
    """Takes every message after `delay` seconds, in a process of its own.

    Args:
        nice: how far it steps back behind the other processes: it stands for a machine
            elsewhere, whose work costs this one nothing.
    """

    def __init__(self, delay: float, *, nice: int = 0) -> None:
        self._delay = delay
        self._nice = nice
        self._count: Synchronized[int] = _SPAWN.Value("q", 0)
        self.port = free_port()

    @property
    def count(self) -> int:
        """How many messages it took."""
        return int(self._count.value)

    @contextmanager
    def up(self) -> Iterator[None]:
        """Listen while the block runs; before and after, connections are refused."""
        ready, over = _SPAWN.Event(), _SPAWN.Event()
        told = (self._delay, self._nice, self.port, self._count, ready, over)
        process = _SPAWN.Process(target=_serve, args=told, daemon=True)
        process.start()
        try:
            if not ready.wait(20):
                raise RuntimeError("The mail sink did not open.")
            yield
        finally:
            over.set()
            process.join()


def _serve(
    delay: float,
    nice: int,
    port: int,
    count: "Synchronized[int]",
    ready: Event,
    over: Event,
) -> None:
    os.nice(nice)
    handler = _Handler(delay, count)
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    ready.set()
    over.wait()
    controller.stop()


class _Handler:
    def __init__(self, delay: float, count: "Synchronized[int]") -> None:
        self._delay = delay
        self._count = count

    async def handle_EHLO(  # noqa: N802
        self,
        _server: SMTP,
        talk: Talk,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Announce what it can and aiosmtpd does not say: commands in one breath."""
        talk.host_name = hostname
        return [responses[0], "250-PIPELINING", *responses[1:]]

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name for it
        self, _server: SMTP, _talk: Talk, _envelope: Envelope
    ) -> str:
        await asyncio.sleep(self._delay)
        self._count.value += 1
        return "250 taken"


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
