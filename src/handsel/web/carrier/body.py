"""The body of a request: read whole before the application is called, or while it comes."""

import asyncio
import io
from concurrent.futures import CancelledError
from typing import BinaryIO, cast

from aiohttp import HttpVersion11, web

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class RefusedError(Exception):
    """A request that never reaches the application; the connection ends with it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


async def read_body(request: web.BaseRequest, *, limit: int, seconds: float) -> bytes:
    """The whole body, which may be chunked.

    Raises RefusedError when it is longer than `limit` bytes (before reading it, where it
    says so), takes longer than `seconds`, or is broken, or asks for what we cannot do.
    """
    too_long = RefusedError(413, f"At most {limit} bytes can be sent here.")
    if (request.content_length or 0) > limit:
        raise too_long
    if _waits_to_be_asked(request):
        await _say_continue(request)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise too_long
    except TimeoutError:
        raise RefusedError(408, "The request took too long to arrive.") from None
    except (web.RequestPayloadError, ConnectionError):
        raise RefusedError(400, "The body of the request is broken.") from None
    return bytes(body)


async def _say_continue(request: web.BaseRequest) -> None:
    await request.writer.write(CONTINUE)
    request.writer.output_size = 0  # the answer itself has not begun


def _waits_to_be_asked(request: web.BaseRequest) -> bool:
    """RFC 9110, 10.1.1: whoever waits to be asked for the body is asked for it.

    Raises RefusedError for whoever waits for anything else.
    """
    expected = request.headers.get("Expect")
    if expected is None or request.version < HttpVersion11:
        return False
    if expected.lower() != "100-continue":
        raise RefusedError(417, "Only 100-continue can be expected.")
    return request.can_read_body


class ComingBody(io.RawIOBase):
    """A body that the application reads, in its thread, while it is still on its way.

    Each read gives what is there, and waits only for the first byte of it. A body that
    breaks off, or keeps silent for `seconds`, ends with an OSError: what was read before
    is good, and the application's to keep. Raises RefusedError when it is made.
    """

    def __init__(self, request: web.BaseRequest, *, seconds: float) -> None:
        self._request = request
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._to_be_asked = _waits_to_be_asked(request)

    @property
    def stream(self) -> BinaryIO:
        """Itself, as `wsgi.input` is typed."""
        return cast(BinaryIO, self)

    def readable(self) -> bool:
        """Say that it is for reading."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # typeshed's is private
        """Fill the beginning of a buffer; 0 at the end. Raises OSError."""
        coming = asyncio.run_coroutine_threadsafe(self._next(len(buffer)), self._loop)
        try:
            block = coming.result()
        except CancelledError:
            raise ConnectionAbortedError("The server is being stopped.") from None
        buffer[: len(block)] = block
        return len(block)

    async def _next(self, most: int) -> bytes:
        content = self._request.content
        if content.at_eof():
            return b""
        if self._to_be_asked:
            self._to_be_asked = False
            await _say_continue(self._request)
        try:
            async with asyncio.timeout(self._seconds):
                return await content.read(most)
        except web.RequestPayloadError as error:
            raise ConnectionResetError("The body of the request is broken.") from error
