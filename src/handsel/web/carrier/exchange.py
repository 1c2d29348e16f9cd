"""One request and its answer, as the loop sees them."""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar
from wsgiref.types import WSGIApplication, WSGIEnvironment

from aiohttp import HttpVersion11, web

from handsel.kit.filebody import FileBody
from handsel.web.carrier.call import ApplicationError, Call
from handsel.web.carrier.files import DiskFile, Transfer

logger = logging.getLogger(__name__)

SORRY = "Something went wrong on our side. Please try again in a minute."

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """How the server treats its clients.

    Args:
        body_limit: bytes of a request's body; more is answered with 413.
        coming: how paths begin whose bodies the application reads while they come, of
            any length. It must look who it is first: a slow one holds a thread.
        grace: seconds that running requests and downloads have when the server stops.
        stall: seconds that a client may take to send a body, or to take a page or a
            piece of 256 kB of a file.
        sendfile: whether the kernel may send files by itself.
    """

    body_limit: int = 1024 * 1024
    coming: tuple[str, ...] = ()
    grace: float = 30.0
    stall: float = 60.0
    sendfile: bool = True


def plain(status: int, text: str) -> web.Response:
    """A short answer of the server itself, after which the connection ends."""
    headers = {"Server": "handsel"}
    response = web.Response(status=status, text=text + "\n", headers=headers)
    response.force_close()
    return response


class Exchange:
    """One request and its answer. `run` it once.

    Args:
        threads: where the application runs.
        last: whether the connection ends with this answer.
    """

    def __init__(
        self,
        app: WSGIApplication,
        environ: WSGIEnvironment,
        request: web.BaseRequest,
        *,
        threads: Executor,
        options: Options,
        last: bool,
    ) -> None:
        self._request = request
        self._threads = threads
        self._options = options
        self._last = last
        self._loop = asyncio.get_running_loop()
        self._call = Call(app, environ, self._write)
        self._response: web.StreamResponse | None = None
        self._sent = 0

    async def run(self) -> web.StreamResponse:
        """Answer the request. Whatever happens, the application can tidy up."""
        try:
            await self._answer()
        except ApplicationError as error:
            self._apologise(error)
        except (ConnectionError, TimeoutError):
            self._cut()
        except OSError:
            logger.exception("A file could not be read while it was being sent.")
            self._cut()
        finally:
            # Not awaited: it must also run when this task is being cancelled.
            self._threads.submit(self._call.close)
        return self._response or plain(500, SORRY)

    async def _answer(self) -> None:
        block = await self._in_thread(self._call.begin)
        file = self._call.file()
        if file is not None:
            await self._send_file(file)
        elif self._call.whole:
            await self._send_page(block or b"")
        else:
            await self._send_blocks(block)

    async def _send_page(self, body: bytes) -> None:
        """The usual case: all is known, so headers and body go in one packet."""
        head = self._call.head
        promised = head.length in (None, len(body))
        if not promised and head.has_body(self._request.method):
            raise ApplicationError(f"{head.length} bytes promised, {len(body)} given.")
        response = web.Response(
            status=head.status, reason=head.reason, headers=head.headers, body=body
        )
        await self._open(response)
        await self._end(response)

    async def _send_blocks(self, block: bytes | None) -> None:
        while block is not None:
            await self._send_block(block)
            block = await self._in_thread(self._call.next_block)
        promised = self._call.head.length
        if promised is not None and self._sent < promised:
            raise ApplicationError(f"{promised} bytes promised, {self._sent} given.")
        await self._end(await self._stream())

    async def _send_block(self, block: bytes) -> None:
        response = await self._stream()
        if not self._call.head.has_body(self._request.method):
            return
        async with asyncio.timeout(self._options.stall):
            await response.write(block)
        self._sent += len(block)

    def _write(self, block: bytes) -> None:
        """`write` of PEP 3333, called in a thread."""
        asyncio.run_coroutine_threadsafe(self._send_block(block), self._loop).result()

    async def _send_file(self, file: DiskFile) -> None:
        head = self._call.head
        available = os.fstat(file.fileno()).st_size - file.tell()
        length = available if head.length is None else head.length
        if head.has_body(self._request.method):
            if length > available:
                raise ApplicationError(f"{length} bytes promised, {available} there.")
            head.headers["Content-Length"] = str(length)
            # Sends the headers at once, which must be out before the first piece.
            await self._transfer(await self._stream(), file, length)
        await self._end(await self._stream())

    async def _transfer(
        self, response: web.StreamResponse, file: DiskFile, length: int
    ) -> None:
        if self._request.transport is None:
            raise ConnectionResetError
        transfer = Transfer(
            response,
            self._request.transport,
            file,
            length=length,
            readers=self._threads,
            stall=self._options.stall,
            sendfile=self._options.sendfile,
            confirm=isinstance(file, FileBody),
        )
        try:
            await transfer.run()
        finally:
            delivered = transfer.finish()
            if isinstance(file, FileBody):
                file.delivered(delivered)

    async def _stream(self) -> web.StreamResponse:
        """The answer whose headers are out and whose body comes in blocks."""
        if self._response is not None:
            return self._response
        head = self._call.head
        response = web.StreamResponse(
            status=head.status, reason=head.reason, headers=head.headers
        )
        if head.length is None and self._request.version < HttpVersion11:
            response.force_close()  # the end of the connection is the end of the body
        await self._open(response)
        return response

    async def _open(self, response: web.StreamResponse) -> None:
        if self._last:
            response.force_close()
        self._response = response
        self._call.headers_sent = True
        async with asyncio.timeout(self._options.stall):
            await response.prepare(self._request)

    async def _end(self, response: web.StreamResponse) -> None:
        async with asyncio.timeout(self._options.stall):
            await response.write_eof()

    def _apologise(self, error: ApplicationError) -> None:
        transport = self._request.transport
        if transport is not None and not transport.is_closing():
            logger.error("A page under %s failed.", self._call.place, exc_info=error)
        # Otherwise the client has left, which is what the application stumbled over.
        if self._response is not None:
            self._cut()

    def _cut(self) -> None:
        """End the connection, so that half a body is not taken for a whole one."""
        if self._response is not None:
            self._response.force_close()
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _in_thread(self, job: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._threads, job)
