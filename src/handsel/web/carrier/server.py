"""Listening, and stopping without cutting anybody off."""

import asyncio
import errno
import io
import logging
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import FrameType
from typing import BinaryIO
from wsgiref.types import WSGIApplication

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from handsel.kit.errors import ConfigurationError
from handsel.web.carrier.body import ComingBody, RefusedError, read_body
from handsel.web.carrier.environ import build_environ
from handsel.web.carrier.exchange import Exchange, Options, plain

logger = logging.getLogger(__name__)

_BACKLOG = 1024
_KEEP_ALIVE = 75.0
_LINGER = 5.0
_STOPPING = (signal.SIGTERM, signal.SIGINT)
# When the grace is over: as long as a request that is cancelled may take to notice.
_LAST_SECONDS = 0.5
# A download needs three descriptors; the usual 1,024 would end at some 300 readers.
_ENOUGH_FILES = 65_536


def serve(
    app: WSGIApplication,
    *,
    host: str,
    port: int,
    threads: int = 128,
    on_ready: Callable[[str], None] | None = None,
    options: Options = Options(),  # noqa: B008  # frozen, so it can be shared
) -> None:
    """Carry an application until SIGTERM or SIGINT; from the main thread only.

    Then running requests and downloads have `options.grace` seconds to finish; a second
    signal ends them at once.

    Args:
        port: 0 takes any free one.
        threads: how many requests the application works on at a time.
        on_ready: is told the address, such as `http://127.0.0.1:8000`, once it answers.

    Raises ConfigurationError when it cannot listen there.
    """
    with listen(host, port) as listener, ThreadPoolExecutor(threads, "page") as pool:
        _allow_many_files()
        asyncio.run(_serve(Carrier(app, pool, options), listener, on_ready))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ConfigurationError with what to do about it."""
    try:
        family, address = _resolve(host, port)
        return socket.create_server(
            (address, port),
            family=family,
            backlog=_BACKLOG,
            dualstack_ipv6=address == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        raise _not_listening(host, port, error) from error


def address_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds it, such as `http://127.0.0.1:8000`."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Carrier:
    """The server itself, for those who have a loop already: `start`, then `stop`.

    Args:
        threads: where the application runs; to be shut down after `stop`.
    """

    def __init__(
        self, app: WSGIApplication, threads: Executor, options: Options
    ) -> None:
        self._app = app
        self._threads = threads
        self._options = options
        self._running = 0
        self._stopping = False
        self._quiet = asyncio.Event()
        self._address = ("", 0)
        self._runner: web.ServerRunner | None = None

    async def start(self, listener: socket.socket) -> None:
        """Answer what comes to a socket that listens."""
        self._address = listener.getsockname()[:2]
        server = web.Server(
            self._handle,
            access_log=None,
            logger=_protocol_logger(),
            keepalive_timeout=_KEEP_ALIVE,
            lingering_time=_LINGER,
            auto_decompress=False,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=_LAST_SECONDS)
        await self._runner.setup()
        await web.SockSite(self._runner, listener, backlog=_BACKLOG).start()

    async def stop(self) -> None:
        """Accept nobody new, wait for what runs as long as the grace lasts, and end."""
        if self._runner is None:
            return
        self._stopping = True
        for site in self._runner.sites:
            await site.stop()
        if self._running:
            logger.info("Stopping when %s running requests are done.", self._running)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._options.grace):
                    await self._quiet.wait()
        await self._runner.cleanup()

    def hurry(self) -> None:
        """Do not wait any longer for what runs."""
        self._quiet.set()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._running += 1
        try:
            return await self._answer(request)
        finally:
            self._running -= 1
            if self._stopping and not self._running:
                self._quiet.set()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body, length = await self._body(request)
        except RefusedError as refused:
            return plain(refused.status, refused.text)
        exchange = Exchange(
            self._app,
            build_environ(request, body, length, self._address),
            request,
            threads=self._threads,
            options=self._options,
            last=self._stopping,
        )
        return await exchange.run()

    async def _body(self, request: web.BaseRequest) -> tuple[BinaryIO, int | None]:
        """Give the body of a request and its length, if that is known. Raises RefusedError."""
        limits = self._options
        path = request.raw_path.partition("?")[0]
        if limits.coming and path.startswith(limits.coming):
            body = ComingBody(request, seconds=limits.stall)
            return body.stream, request.content_length
        whole = await read_body(request, limit=limits.body_limit, seconds=limits.stall)
        return io.BytesIO(whole), len(whole) if request.body_exists else None


async def _serve(
    carrier: Carrier, listener: socket.socket, on_ready: Callable[[str], None] | None
) -> None:
    told = asyncio.Event()
    await carrier.start(listener)
    with _signals(lambda: carrier.hurry() if told.is_set() else told.set()):
        if on_ready is not None:
            on_ready(address_of(listener))
        await told.wait()
        await carrier.stop()


@contextmanager
def _signals(heard: Callable[[], None]) -> Iterator[None]:
    """Call `heard` on the loop for each SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()

    def tell(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(heard)

    before = {kind: signal.signal(kind, tell) for kind in _STOPPING}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    found = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    # `localhost` has two addresses; people and proxies mean 127.0.0.1.
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, str(address[0])


def _not_listening(host: str, port: int, error: OSError) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"Port {port} is in use by another program.",
            "Stop that program, or take another port: both server.bind and shop.url in"
            " handsel.toml; for a demo, `handsel demo --port 8001`.",
        )
    if error.errno == errno.EACCES:
        return ConfigurationError(
            f"This user may not listen on port {port}.",
            "Choose a port above 1023, with a web server such as Caddy in front.",
        )
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return ConfigurationError(
            f"The address {host} does not belong to this machine.",
            "Listen on 127.0.0.1, or on 0.0.0.0 for every address of the machine.",
        )
    return ConfigurationError(
        f"The shop cannot listen on {host}, port {port}: {error}.",
        "Choose another address: bind in [server] of handsel.toml.",
    )


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH_FILES if hard == resource.RLIM_INFINITY else hard
    with suppress(ValueError, OSError):
        limits = (max(soft, min(wanted, _ENOUGH_FILES)), hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def _protocol_logger() -> logging.Logger:
    """For what aiohttp says itself; broken requests of strangers are not our news."""
    chosen = logging.getLogger(f"{__name__}.protocol")
    if not chosen.filters:
        chosen.addFilter(_is_ours)
    return chosen


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
