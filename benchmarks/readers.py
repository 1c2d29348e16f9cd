"""Readers of files: thousands that are slow, and one that takes all it can get."""

import resource
import socket
import time
from dataclasses import dataclass

from benchmarks.load import Address

TICK = 0.4
"""Seconds between two sips of a slow reader."""
BUFFER = 64 * 1024
"""Bytes a slow reader's own machine takes unasked."""


@dataclass(frozen=True)
class Served:
    """What became of slow readers: how many came at least at half their pace."""

    readers: int
    served: int
    bytes: int


class _Slow:
    """One slow reader: a connection from which a little is taken now and then."""

    def __init__(self, address: Address, path: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.connect(address)
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        self._socket.setblocking(False)
        self._since = time.monotonic()
        self.got = 0
        self.good = False

    def sip(self, rate: float) -> None:
        """Take what the pace allows by now."""
        allowed = int(rate * (time.monotonic() - self._since)) - self.got
        try:
            block = self._socket.recv(max(1, min(allowed, 2 * BUFFER)))
        except BlockingIOError:
            return
        if not self.got:
            self.good = block.startswith(b"HTTP/1.1 200 ")
        self.got += len(block)

    def well_served(self, rate: float) -> bool:
        """Whether it got the right thing, at half its pace or better."""
        return self.good and self.got >= rate * (time.monotonic() - self._since) / 2

    def leave(self) -> None:
        """Close the connection in the middle of the file."""
        self._socket.close()


def read_slowly(
    address: Address, paths: list[str], *, rate: float, coming: float, seconds: float
) -> Served:
    """Read each path on a connection of its own at `rate` bytes a second, then leave.

    Args:
        coming: seconds over which the readers arrive.
        seconds: how long it all takes.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    begin = time.monotonic()
    readers: list[_Slow] = []
    while (spent := time.monotonic() - begin) < seconds:
        while len(readers) < min(len(paths), len(paths) * spent / coming):
            readers.append(_Slow(address, paths[len(readers)]))
        for number, reader in enumerate(readers):
            if number % 100 == 0:
                time.sleep(TICK / (1 + len(readers) / 100))
            reader.sip(rate)
    served = sum(reader.well_served(rate) for reader in readers)
    for reader in readers:
        reader.leave()
    return Served(len(readers), served, sum(reader.got for reader in readers))


def read_fast(address: Address, path: str, size: int) -> float:
    """Fetch a file of `size` bytes as fast as it comes; give the seconds it took.

    Raises ValueError when it is not what it should be.
    """
    block = memoryview(bytearray(1 << 20))
    begin = time.perf_counter()
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = connection.recv(65536, socket.MSG_PEEK)
        while b"\r\n\r\n" not in head:
            head = connection.recv(65536, socket.MSG_PEEK)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(head[:100].decode("latin-1"))
        left = size + head.index(b"\r\n\r\n") + 4
        while left:
            count = connection.recv_into(block, min(left, len(block)))
            if not count:
                raise ValueError(f"{left} bytes are missing.")
            left -= count
    return time.perf_counter() - begin
