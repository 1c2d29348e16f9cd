"""A line between a browser and the shop that breaks, and that can be held."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

CUT_AT_ONCE = struct.pack("ii", 1, 0)
BLOCK = 65536


class BrittleLine:
    """Passes on what comes to its own `url`; a part of it, and then no more, if so told.

    Args:
        to: the address of the shop.
    """

    def __init__(self, to: str) -> None:
        self._to = urlsplit(to)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0
        self._lock = threading.Lock()
        self._budgets: list[int] = []
        self._left: int | None = None
        self._open = threading.Event()
        self._open.set()

    def cut_after(self, *sizes: int) -> None:
        """Cut whatever is open each time so many bytes more have gone to the shop."""
        with self._lock:
            self._budgets = list(sizes)
            self._left = self._budgets.pop(0) if self._budgets else None

    def hold(self) -> None:
        """Let nothing more through to the shop."""
        self._open.clear()

    def release(self) -> None:
        """Let it go on."""
        self._open.set()

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                place = (self._to.hostname or "", self._to.port or 80)
                try:
                    shop = socket.create_connection(place)
                except OSError:
                    browser.close()
                    continue
                for work in (self._up, self._down):
                    threading.Thread(
                        target=work, args=(browser, shop), daemon=True
                    ).start()

    def close(self) -> None:
        """Take no more."""
        self.release()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _up(self, browser: socket.socket, shop: socket.socket) -> None:
        with suppress(OSError):
            while block := browser.recv(BLOCK):
                self._open.wait()
                allowed = self._allowed(len(block))
                shop.sendall(block[:allowed])
                if allowed < len(block):
                    break
        _cut(browser, shop)

    def _allowed(self, size: int) -> int:
        """Take from what may still pass; the one who takes the last of it is cut."""
        with self._lock:
            if self._left is None:
                return size
            if size <= self._left:
                self._left -= size
                return size
            allowed, self.cuts = self._left, self.cuts + 1
            self._left = self._budgets.pop(0) if self._budgets else None
            return allowed

    def _down(self, browser: socket.socket, shop: socket.socket) -> None:
        with suppress(OSError):
            while block := shop.recv(BLOCK):
                browser.sendall(block)
        _cut(browser, shop)


def _cut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CUT_AT_ONCE)
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def brittle_line(to: str) -> Iterator[BrittleLine]:
    """A line to a shop, until the end of the block."""
    line = BrittleLine(to)
    thread = threading.Thread(target=line.serve)
    thread.start()
    try:
        yield line
    finally:
        line.close()
        thread.join()
