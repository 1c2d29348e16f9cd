"""One call of a WSGI application (PEP 3333): the part that runs in threads."""

import contextvars
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar
from wsgiref.types import WSGIApplication, WSGIEnvironment

from multidict import CIMultiDict

from handsel.web.carrier.files import DiskFile, disk_file

logger = logging.getLogger(__name__)

# PEP 3333 keeps these for the server, which knows what becomes of the connection.
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

T = TypeVar("T")
ExcInfo = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)


class ApplicationError(Exception):
    """The application failed; its own exception is the cause, if it raised one."""


@dataclass(frozen=True)
class Head:
    """What the application said with `start_response`."""

    status: int
    reason: str
    headers: CIMultiDict[str]

    @classmethod
    def of(cls, status: str, headers: Iterable[tuple[str, str]]) -> Self:
        """Raises ValueError for what must not go over the wire."""
        code, _, reason = status.partition(" ")
        kept: CIMultiDict[str] = CIMultiDict()
        for name, value in headers:
            if name.lower() in _HOP_BY_HOP:
                raise ValueError(f"The header {name} is for the server to say.")
            if _CONTROL.search(name + value):
                raise ValueError(f"The header {name!r} has a control character.")
            kept.add(name, _as_text(value))
        if _CONTROL.search(reason):
            raise ValueError("The status has a control character.")
        kept.setdefault("Server", "handsel")
        return cls(int(code), reason, kept)

    @property
    def length(self) -> int | None:
        """The Content-Length, if it was said."""
        said = self.headers.get("Content-Length")
        return None if said is None else int(said)

    def has_body(self, method: str) -> bool:
        """RFC 9110, 6.4.1: some answers end after their headers."""
        return method != "HEAD" and self.status >= 200 and self.status not in (204, 304)


def _as_text(value: str) -> str:
    """WSGI's one character per byte, as aiohttp wants it, which writes UTF-8.

    A lone Latin-1 letter, which is no UTF-8, goes out as the same letter in UTF-8.
    """
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


class Call:
    """One call of the application, made in turns: `begin`, `next_block`, `close`.

    The turns may come from different threads. They never overlap and share one context,
    so that a view may stream, and a slow client holds no thread between two blocks.

    Args:
        write: sends a block at once, and waits for that; the old `write` of PEP 3333.
    """

    def __init__(
        self,
        app: WSGIApplication,
        environ: WSGIEnvironment,
        write: Callable[[bytes], None],
    ) -> None:
        self._app = app
        self._environ = environ
        self._write = write
        self._context = contextvars.copy_context()
        self._turn = threading.Lock()
        self._iterable: Iterable[bytes] | None = None
        self._blocks: Iterator[bytes] = iter(())
        self._head: Head | None = None
        self.headers_sent = False
        self.whole = False
        """Whether the block that `begin` gave is the whole body."""

    @property
    def head(self) -> Head:
        """Raises ApplicationError when the application has not said it."""
        if self._head is None:
            raise ApplicationError("start_response was not called.")
        return self._head

    @property
    def place(self) -> str:
        """Where it is, for the log: all of the path may be the key to a purchase."""
        path: str = self._environ["PATH_INFO"]
        return "/" + path.lstrip("/").partition("/")[0]

    def file(self) -> DiskFile | None:
        """The file that the application answered with, if the kernel can send it."""
        return disk_file(self._iterable)

    def begin(self) -> bytes | None:
        """Call the application; the first block that is not empty, None without one."""
        return self._take_turn(self._begin)

    def next_block(self) -> bytes | None:
        """The next block that is not empty, None at the end."""
        return self._take_turn(self._next_block)

    def close(self) -> None:
        """Let the application tidy up. Safe to repeat; never raises."""
        try:
            self._take_turn(self._close)
        except ApplicationError as error:
            logger.error("Tidying up after a page failed.", exc_info=error)

    def _take_turn(self, job: Callable[[], T]) -> T:
        with self._turn:
            try:
                return self._context.run(job)
            except ApplicationError:
                raise
            # SystemExit of a view would end the server, and StopIteration would be
            # lost on its way to the loop.
            except BaseException as error:
                raise ApplicationError(str(error)) from error

    def _begin(self) -> bytes | None:
        self._iterable = self._app(self._environ, self._start_response)
        if self.file() is not None:
            return None
        block = self._first_block(self._iterable)
        # The usual page is one block that is as long as promised: done in one turn.
        self.whole = not self.headers_sent and (
            block is None
            or isinstance(self._iterable, list | tuple)
            or len(block) == self.head.length
            or not self.head.has_body(self._environ["REQUEST_METHOD"])
        )
        return block

    def _first_block(self, iterable: Iterable[bytes]) -> bytes | None:
        if isinstance(iterable, list | tuple):
            return b"".join(iterable)
        self._blocks = iter(iterable)
        return self._next_block()

    def _next_block(self) -> bytes | None:
        for block in self._blocks:
            if not isinstance(block, bytes):
                raise TypeError(f"A body is made of bytes, not of {type(block)}.")
            if block:
                return block
        return None

    def _start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
        /,
    ) -> Callable[[bytes], object]:
        if exc_info is not None and exc_info[1] is not None:
            if self.headers_sent:
                raise exc_info[1].with_traceback(exc_info[2])
        elif self._head is not None:
            raise AssertionError("start_response was called twice.")
        self._head = Head.of(status, headers)
        return self._write

    def _close(self) -> None:
        iterable, self._iterable = self._iterable, None
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
