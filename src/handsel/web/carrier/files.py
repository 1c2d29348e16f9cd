"""Files from the disk to the network without a thread: `sendfile` in small pieces."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any, Protocol

from aiohttp import web

from handsel.web.carrier.wire import Wire

PIECE = 256 * 1024
# Each piece costs turns of the loop: whoever takes one at once is given greater ones.
GREATEST_PIECE = 2 * 1024 * 1024
_AT_ONCE = 0.02
# Iterating is only for files that are not on a disk; 8 kB is not worth a thread's turn.
_BLOCK = 64 * 1024


class FileLike(Protocol):
    """What PEP 3333 lets an application wrap; all but `read` may be missing."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        ...


class DiskFile(FileLike, Protocol):
    """A file with a descriptor: one that the kernel can send by itself."""

    def fileno(self) -> int:
        """The descriptor."""
        ...

    def tell(self) -> int:
        """The position in the file."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a position in the file."""
        ...


class FileWrapper:
    """PEP 3333's `wsgi.file_wrapper`: a note to the server that this is a file.

    The server sends it from its current position, as far as Content-Length says.
    """

    def __init__(self, filelike: FileLike, block_size: int = _BLOCK) -> None:
        self.filelike = filelike
        self._block_size = max(block_size, _BLOCK)

    def __iter__(self) -> Iterator[bytes]:
        while block := self.filelike.read(self._block_size):
            yield block

    def close(self) -> None:
        """Close the file, if it can be closed."""
        close = getattr(self.filelike, "close", None)
        if close is not None:
            close()


def disk_file(iterable: object) -> DiskFile | None:
    """The file inside what an application returned, when the kernel can send it."""
    if not isinstance(iterable, FileWrapper):
        return None
    file: Any = iterable.filelike
    try:
        file.fileno(), file.tell()
    except (AttributeError, OSError):
        return None
    return file  # type: ignore[no-any-return]  # it has just shown that it is one


class Transfer:
    """One file on its way to one client, whose headers are already written.

    Args:
        length: bytes to send from the file's current position.
        readers: threads that read the file where `sendfile` cannot.
        stall: seconds a client may take for one piece of 256 kB.
        confirm: stay until the client's machine has acknowledged every byte, so that
            `delivered` is right; otherwise be done when the kernel has them.
    """

    def __init__(
        self,
        response: web.StreamResponse,
        transport: asyncio.Transport,
        file: DiskFile,
        *,
        length: int,
        readers: Executor,
        stall: float,
        sendfile: bool,
        confirm: bool,
    ) -> None:
        self._response = response
        self._transport = transport
        self._file = file
        self._start = file.tell()
        self._length = length
        self._readers = readers
        self._stall = stall
        self._sendfile = sendfile
        self._handed_over = 0
        self._wire = Wire(transport) if confirm else None

    async def run(self) -> None:
        """Send it all. Raises ConnectionError or TimeoutError when the client is gone."""
        clock, piece = asyncio.get_running_loop().time, PIECE
        while self._handed_over < self._length:
            begun = clock()
            async with asyncio.timeout(self._stall * piece / PIECE):
                await self._send_piece(piece)
            at_once = self._sendfile and clock() - begun < _AT_ONCE
            piece = min(2 * piece, GREATEST_PIECE) if at_once else PIECE
        await self._arrival()

    def finish(self) -> int:
        """Let go of the connection; how many bytes are known to be delivered."""
        if self._wire is None:
            return self._handed_over
        arrived = self._wire.arrived()
        self._wire.close()
        if arrived is None:
            arrived = self._handed_over - self._transport.get_write_buffer_size()
        return max(0, min(arrived, self._length))

    async def _send_piece(self, piece: int) -> None:
        offset = self._start + self._handed_over
        count = min(piece, self._length - self._handed_over)
        if self._transport.is_closing():
            raise ConnectionResetError
        sent = await (
            self._by_kernel(offset, count)
            if self._sendfile
            else self._by_hand(offset, count)
        )
        if sent == 0:
            raise OSError("The file became shorter while it was being sent.")
        self._handed_over += sent

    async def _by_kernel(self, offset: int, count: int) -> int:
        loop = asyncio.get_running_loop()
        try:
            return await loop.sendfile(
                self._transport,
                self._file,  # type: ignore[arg-type]  # only its descriptor is used
                offset,
                count,
                fallback=False,
            )
        except asyncio.SendfileNotAvailableError:
            # Also what asyncio says when the client has gone since the last piece;
            # writing by hand will notice.
            self._sendfile = False
            return await self._by_hand(offset, min(count, PIECE))
        except OSError:
            position = os.lseek(self._file.fileno(), 0, os.SEEK_CUR)
            self._handed_over = max(self._handed_over, position - self._start)
            raise

    async def _by_hand(self, offset: int, count: int) -> int:
        loop = asyncio.get_running_loop()
        block = await loop.run_in_executor(self._readers, self._read, offset, count)
        await self._response.write(block)
        return len(block)

    def _read(self, offset: int, count: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(count)

    async def _arrival(self) -> None:
        """Wait until the last byte is acknowledged, at the pace asked of a client.

        Nothing tells when that happens, so look again after a third of the time waited.
        """
        if self._wire is None:
            return
        clock = asyncio.get_running_loop().time
        mark, since, pause = 0, clock(), 0.001
        while (arrived := self._wire.arrived()) is not None and arrived < self._length:
            if self._wire.is_dead():
                raise ConnectionResetError
            if arrived >= mark + PIECE:
                mark, since = arrived, clock()
            if clock() - since > self._stall:
                raise TimeoutError
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 1.0)
