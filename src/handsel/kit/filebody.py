"""The part of an open file that is a response's body, and how much of it arrived."""

import io
from collections.abc import Callable
from typing import BinaryIO


class FileBody:
    """`length` bytes of `file` from `start`; tells at its end how many were delivered.

    Hand it to `wsgi.file_wrapper` (PEP 3333). Our own server sends it by its descriptor
    and says with `delivered` what arrived; any other reads it, and then what was read
    counts. Positions are those of the file, because servers (gunicorn) mix `tell` with
    the descriptor's own position; the end of the body is the end of the file.

    Args:
        on_done: called exactly once, by `close`, with the number of bytes from `start`
            that are known to be delivered. It may touch the database.
    """

    def __init__(
        self, file: BinaryIO, *, start: int, length: int, on_done: Callable[[int], None]
    ) -> None:
        self._file = file
        self._start = start
        self._stop = start + length
        self._on_done: Callable[[int], None] | None = on_done
        self._delivered: int | None = None
        file.seek(start)

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, all that are left when it is negative; b"" at the end."""
        left = max(0, self._stop - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position of the file; `SEEK_END` counts from the end of the body."""
        if whence == io.SEEK_END:
            return self._file.seek(self._stop + offset)
        return self._file.seek(offset, whence)

    def seekable(self) -> bool:
        """Always; waitress asks."""
        return True

    def tell(self) -> int:
        """The position in the file."""
        return self._file.tell()

    def fileno(self) -> int:
        """The file's descriptor, for `sendfile`."""
        return self._file.fileno()

    def delivered(self, count: int) -> None:
        """What the server knows to have arrived; before `close`, the last word counts."""
        self._delivered = count

    def close(self) -> None:
        """Close the file and call `on_done`; a second time does nothing."""
        on_done, self._on_done = self._on_done, None
        if on_done is None:
            return
        count = self._file.tell() - self._start
        if self._delivered is not None:
            count = self._delivered
        try:
            self._file.close()
        finally:
            on_done(max(0, min(count, self._stop - self._start)))
