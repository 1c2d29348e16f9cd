"""Files through the server: every byte once, no thread held, the delivered ones counted."""

import errno
import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from handsel.web.carrier import Options
from tests.web.bookshop import ETAG, Bookshop, book_bytes
from tests.web.serving import Server, read_all, read_exactly, read_head, serving, until

MEGABYTE = 1_000_000
SIZE = MEGABYTE + 7
BOOK = book_bytes(SIZE)
GET_BOOK = b"GET /book HTTP/1.1\r\nHost: a\r\n\r\n"
GET_PAGE = b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n"
# What a client's machine takes without its program having asked.
SMALL = 16 * 1024


@pytest.fixture
def shop(tmp_path: Path) -> Bookshop:
    book = tmp_path / "book"
    book.write_bytes(BOOK)
    return Bookshop(book)


@pytest.fixture(params=[True, False], ids=["sendfile", "by hand"])
def server(shop: Bookshop, request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(shop, Options(sendfile=request.param)) as running:
        yield running


def cut(client: socket.socket) -> None:
    """Leave as a crashed program does: with a reset."""
    linger = b"\1\0\0\0\0\0\0\0"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    client.close()


def test_a_file_arrives_byte_for_byte(server: Server, shop: Bookshop) -> None:
    answer = server.ask("/book")
    assert (answer.status, answer.body) == (200, BOOK)
    assert answer.headers["Content-Length"] == str(SIZE)
    assert "Transfer-Encoding" not in answer.headers
    until(lambda: shop.done == [SIZE])


@pytest.mark.parametrize(
    ("headers", "status", "start", "stop"),
    [
        ({"Range": "bytes=5-8"}, 206, 5, 9),
        ({"Range": "bytes=0-0"}, 206, 0, 1),
        ({"Range": "bytes=300000-"}, 206, 300_000, SIZE),
        ({"Range": "bytes=-10"}, 206, SIZE - 10, SIZE),
        ({"Range": "bytes=0-1,5-6"}, 200, 0, SIZE),
        ({"Range": "bytes=abc"}, 200, 0, SIZE),
        ({"Range": "bytes=5-8", "If-Range": ETAG}, 206, 5, 9),
        ({"Range": "bytes=5-8", "If-Range": '"stale"'}, 200, 0, SIZE),
        ({"Range": "bytes=5-8", "If-Range": "W/" + ETAG}, 200, 0, SIZE),
    ],
)
def test_a_part_of_a_file_arrives(
    server: Server,
    shop: Bookshop,
    headers: dict[str, str],
    status: int,
    start: int,
    stop: int,
) -> None:
    answer = server.ask("/book", headers)
    assert (answer.status, answer.body) == (status, BOOK[start:stop])
    if status == 206:
        said = answer.headers["Content-Range"]
        assert said == f"bytes {start}-{stop - 1}/{SIZE}"
    until(lambda: shop.done == [stop - start])


def test_a_part_beyond_the_file_says_how_long_it_is(
    server: Server, shop: Bookshop
) -> None:
    answer = server.ask("/book", {"Range": f"bytes={SIZE}-"})
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert not shop.done


def test_head_describes_the_whole_file_and_sends_nothing(
    server: Server, shop: Bookshop
) -> None:
    for headers in ({}, {"Range": "bytes=5-8"}):
        answer = server.ask("/book", headers, method="HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["Content-Length"] == str(SIZE)
    until(lambda: shop.done == [0, 0])


def test_an_empty_file_arrives(server: Server, shop: Bookshop) -> None:
    shop.book.write_bytes(b"")
    answer = server.ask("/book")
    assert (answer.status, answer.body) == (200, b"")
    until(lambda: shop.done == [0])


def test_headers_are_on_the_wire_before_the_file(server: Server) -> None:
    with server.connect() as client:
        for _ in range(5):
            client.sendall(GET_BOOK)
            assert read_head(client).startswith("HTTP/1.1 200 OK\r\n")
            assert read_exactly(client, SIZE) == BOOK


def test_what_is_asked_ahead_comes_after_the_file_and_in_order(
    server: Server, shop: Bookshop
) -> None:
    part = GET_BOOK.replace(b"Host", b"Range: bytes=7-15\r\nHost")
    with server.connect() as client:
        client.sendall(GET_BOOK + GET_PAGE + part + GET_BOOK + GET_PAGE)
        for body in (BOOK, b"a page", BOOK[7:16], BOOK, b"a page"):
            head = read_head(client)
            assert f"Content-Length: {len(body)}\r\n" in head
            assert read_exactly(client, len(body)) == body
    until(lambda: shop.done == [SIZE, 9, SIZE])


def test_http_1_0_gets_the_file_and_the_end(server: Server, shop: Bookshop) -> None:
    raw = server.send(b"GET /book HTTP/1.0\r\n\r\n")
    assert raw.partition(b"\r\n\r\n")[2] == BOOK
    until(lambda: shop.done == [SIZE])


@pytest.mark.parametrize("read", [200_000, 900_000])
def test_what_an_aborted_download_received_is_known(
    server: Server, shop: Bookshop, read: int
) -> None:
    """The kernel takes a megabyte at once; half of a small book must mean half."""
    client = server.connect(receive_buffer=SMALL)
    client.sendall(GET_BOOK)
    read_head(client)
    read_exactly(client, read)
    cut(client)
    until(lambda: shop.done)
    [delivered] = shop.done
    assert read <= delivered <= read + 4 * SMALL
    assert (delivered * 2 >= SIZE) == (read * 2 >= SIZE)


def test_a_second_download_of_a_connection_is_counted_from_its_own_start(
    server: Server, shop: Bookshop
) -> None:
    client = server.connect(receive_buffer=SMALL)
    client.sendall(GET_PAGE + GET_BOOK + GET_BOOK)
    for size in (6, SIZE, 200_000):
        read_head(client)
        read_exactly(client, size)
    cut(client)
    until(lambda: len(shop.done) == 2)
    assert shop.done[0] == SIZE
    assert 200_000 <= shop.done[1] <= 200_000 + 4 * SMALL


def test_a_client_that_leaves_before_the_answer_got_nothing(
    server: Server, shop: Bookshop
) -> None:
    view, may = shop._book, threading.Event()

    def late(environ: WSGIEnvironment, answer: StartResponse) -> Iterable[bytes]:
        assert may.wait(10)
        return view(environ, answer)

    shop.more["/late"] = late
    client = server.connect()
    client.sendall(GET_BOOK.replace(b"/book", b"/late"))
    cut(client)
    assert server.ask("/page").body == b"a page"
    may.set()
    until(lambda: shop.done)
    assert shop.done == [0]


def test_a_stalled_client_is_cut_off_and_its_bytes_counted(shop: Bookshop) -> None:
    shop.book.write_bytes(BOOK * 12)
    with (
        serving(shop, Options(stall=0.2)) as server,
        server.connect(receive_buffer=SMALL) as client,
    ):
        client.sendall(GET_BOOK)
        read_head(client)
        until(lambda: shop.done)
        assert shop.done[0] <= 4 * SMALL


def test_a_client_that_stalls_at_the_end_is_cut_off_too(shop: Bookshop) -> None:
    """A small book is in the kernel's hands at once; that is not yet delivered."""
    with (
        serving(shop, Options(stall=0.2)) as server,
        server.connect(receive_buffer=SMALL) as client,
    ):
        client.sendall(GET_BOOK)
        read_head(client)
        until(lambda: shop.done)
        assert shop.done[0] <= 4 * SMALL


def test_a_slow_client_that_moves_is_served(shop: Bookshop) -> None:
    """Longer than the stall limit in all, but each 256 kB within it.

    In half of that time the server has nothing left to send, and waits for the end.
    """
    shop.book.write_bytes(BOOK * 4)
    with (
        serving(shop, Options(stall=1.0)) as server,
        server.connect(receive_buffer=SMALL) as client,
    ):
        client.sendall(GET_BOOK)
        read_head(client)
        begin = monotonic()
        for step in range(40):
            until(lambda step=step: monotonic() - begin > step * 0.06)  # type: ignore[misc]
            read_exactly(client, 100_000)
        read_exactly(client, 4 * SIZE - 4_000_000)
        until(lambda: shop.done == [4 * SIZE])


@pytest.mark.parametrize("wanted", [True, False])
def test_a_file_arrives_where_the_kernel_cannot_send_it(
    shop: Bookshop, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    tried = []

    def sendfile(*_: object) -> int:
        tried.append(True)
        raise OSError(errno.EINVAL, "not on this file system")

    monkeypatch.setattr(os, "sendfile", sendfile)
    with serving(shop, Options(sendfile=wanted)) as server:
        assert server.ask("/book").body == BOOK
    assert shop.done == [SIZE]
    # Once is enough to know; and switched off means off.
    assert tried == [True] * wanted


def test_slow_readers_hold_no_thread(shop: Bookshop) -> None:
    """Forty readers and four threads: pages come at once all the same."""
    with serving(shop, threads=4) as server, ExitStack() as stack:
        readers = [
            stack.enter_context(server.connect(receive_buffer=SMALL)) for _ in range(40)
        ]
        for reader in readers:
            reader.sendall(GET_BOOK)
            read_head(reader)
        for _ in range(20):
            assert server.ask("/page").body == b"a page"
        assert not shop.done
        for reader in readers:
            assert read_exactly(reader, SIZE) == BOOK
        until(lambda: shop.done == [SIZE] * 40)


def test_a_file_replaced_during_the_download_is_the_old_one(
    server: Server, shop: Bookshop, tmp_path: Path
) -> None:
    with server.connect(receive_buffer=SMALL) as client:
        client.sendall(GET_BOOK)
        read_head(client)
        newer = tmp_path / "newer"
        newer.write_bytes(b"new")
        newer.rename(shop.book)
        assert read_exactly(client, SIZE) == BOOK


def test_a_file_that_shrinks_does_not_look_whole(
    server: Server, shop: Bookshop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.book.write_bytes(BOOK * 12)
    with server.connect(receive_buffer=SMALL) as client:
        client.sendall(GET_BOOK)
        read_head(client)
        shop.book.write_bytes(BOOK)
        assert len(read_all(client)) < 12 * SIZE
    until(lambda: shop.done)
    assert any("shorter" in str(record.exc_info) for record in caplog.records)


def test_any_file_may_be_wrapped(shop: Bookshop) -> None:
    """Flask's static files know nothing of a FileBody; some are in memory only."""

    def opened(environ: WSGIEnvironment, answer: StartResponse) -> Iterable[bytes]:
        answer("200 OK", [("Content-Type", "text/css")])
        file = shop.book.open("rb")
        file.seek(10)
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
        return wrapped

    class Memory:
        closed = False
        blocks = iter([b"one,", b"two", b""])

        def read(self, _size: int) -> bytes:
            return next(self.blocks)

        def close(self) -> None:
            self.closed = True

    memory = Memory()

    def in_memory(environ: WSGIEnvironment, answer: StartResponse) -> Iterable[bytes]:
        answer("200 OK", [("Content-Type", "text/css")])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](memory)
        return wrapped

    shop.more |= {"/opened": opened, "/memory": in_memory}
    with serving(shop) as server:
        answer = server.ask("/opened")
        assert answer.body == BOOK[10:]
        assert answer.headers["Content-Length"] == str(SIZE - 10)
        assert server.ask("/memory").body == b"one,two"
        until(lambda: memory.closed)


def test_a_file_shorter_than_promised_is_an_error(
    shop: Bookshop, caplog: pytest.LogCaptureFixture
) -> None:
    def promises(environ: WSGIEnvironment, answer: StartResponse) -> Iterable[bytes]:
        answer("200 OK", [("Content-Length", str(SIZE + 1))])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](shop.book.open("rb"))
        return wrapped

    shop.more["/promises"] = promises
    with serving(shop) as server:
        assert server.ask("/promises").status == 500
    assert caplog.records[0].levelno == logging.ERROR


def test_noting_a_delivery_that_fails_hurts_nobody(
    shop: Bookshop, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(list[int]):
        def append(self, _count: int) -> None:
            raise RuntimeError("the database is away")

    shop.done = Broken()
    with serving(shop) as server, server.connect() as client:
        client.sendall(GET_BOOK + GET_PAGE)
        read_head(client)
        assert read_exactly(client, SIZE) == BOOK
        read_head(client)
        assert read_exactly(client, 6) == b"a page"
        until(lambda: caplog.records)


class Quiet(WSGIRequestHandler):
    """wsgiref's server without its lines on standard error."""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.mark.parametrize(
    ("headers", "start", "stop"),
    [({}, 0, SIZE), ({"Range": "bytes=5-400000"}, 5, 400_001)],
)
def test_the_same_view_works_under_another_server(
    shop: Bookshop, headers: dict[str, str], start: int, stop: int
) -> None:
    with make_server("127.0.0.1", 0, shop, handler_class=Quiet) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        server = Server("", other.server_port, lambda: None)
        assert server.ask("/book", headers).body == BOOK[start:stop]
        thread.join()
    assert shop.done == [stop - start]
