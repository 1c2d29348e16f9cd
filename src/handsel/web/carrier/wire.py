"""How many bytes the other end of a TCP connection has acknowledged.

The kernel takes several megabytes from us that a slow client has not seen; only what is
acknowledged can count as delivered. Linux tells (tcp(7), `TCP_INFO`); elsewhere a small
send buffer keeps the difference small.
"""

import asyncio
import socket
import struct
import sys

if sys.platform == "linux":
    import fcntl
    import termios

# `struct tcp_info` of linux/tcp.h: the state is its first byte, and `tcpi_bytes_acked`,
# there since Linux 4.1, has eight bytes at 120. The layout is promised to programs.
_ACKED = struct.Struct("=B119xQ")
_TCP_CLOSE = 7
_SMALL_SEND_BUFFER = 128 * 1024


class Wire:
    """Counts what arrives from now on over a connection.

    It keeps a second descriptor of the socket, because asyncio closes its own as soon as
    the client is gone, and with it the number; so `close` it, or the client never sees
    the end of the connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._socket: socket.socket = transport.get_extra_info("socket").dup()
        if sys.platform != "linux":
            size = _SMALL_SEND_BUFFER
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        self._before = self._written_so_far(transport.get_write_buffer_size())

    def arrived(self) -> int | None:
        """Bytes acknowledged since the beginning; None where nobody knows."""
        acked = self._acked()
        return None if acked is None else max(0, acked - self._before)

    def is_dead(self) -> bool:
        """Whether the client has cut the connection, so that nothing more can arrive."""
        found = self._info()
        return found is not None and found[0] == _TCP_CLOSE

    def close(self) -> None:
        """Let go of the second descriptor."""
        self._socket.close()

    def _written_so_far(self, in_our_buffer: int) -> int:
        """Where in the connection's stream the next byte goes."""
        acked = self._acked()
        while sys.platform == "linux" and acked is not None:
            waiting = fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0" * 4)
            again = self._acked()
            if again == acked:
                return acked + int.from_bytes(waiting, sys.byteorder) + in_our_buffer
            acked = again  # an acknowledgement came between the two questions
        return 0

    def _acked(self) -> int | None:
        found = self._info()
        return None if found is None else found[1]

    def _info(self) -> tuple[int, int] | None:
        if sys.platform != "linux":
            return None
        size = _ACKED.size
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, size)
        if len(info) < _ACKED.size:
            return None
        state, acked = _ACKED.unpack(info)
        return state, acked
