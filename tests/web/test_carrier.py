"""Pages through the server: what the application sees, and what the client gets."""

import json
import logging
import socket
import threading
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from handsel.web.carrier import Options
from tests.web.bookshop import Bookshop, book_bytes
from tests.web.serving import (
    Answer,
    Server,
    read_all,
    read_exactly,
    read_head,
    serving,
    until,
)

TEXT = [("Content-Type", "text/plain")]
HOST = b"Host: shop.example\r\n"


@pytest.fixture
def shop(tmp_path: Path) -> Bookshop:
    book = tmp_path / "book"
    book.write_bytes(book_bytes(1000))
    return Bookshop(book)


@pytest.fixture
def server(shop: Bookshop) -> Iterator[Server]:
    with serving(shop) as running:
        yield running


def seen(answer: Answer) -> dict[str, Any]:
    """The environ that the application saw."""
    found: dict[str, Any] = json.loads(answer.body)
    return found


def body_of(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[2]


# What the application sees.


def test_a_request_becomes_an_environ(server: Server) -> None:
    environ = seen(server.ask("/a/b?x=1&y=%20", {"Accept-Language": "de"}))
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["PATH_INFO"] == "/a/b"
    assert environ["QUERY_STRING"] == "x=1&y=%20"
    assert environ["REQUEST_URI"] == "/a/b?x=1&y=%20"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["REMOTE_ADDR"] == environ["SERVER_NAME"] == "127.0.0.1"
    assert environ["SERVER_PORT"] == str(server.port)
    assert environ["HTTP_HOST"] == f"127.0.0.1:{server.port}"
    assert environ["HTTP_ACCEPT_LANGUAGE"] == "de"
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["SCRIPT_NAME"] == environ["CONTENT_LENGTH"] == ""


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/b%C3%BCcher", "/bücher"),
        ("/a%2Fb%3Fc", "/a/b?c"),
        ("/a//b/../c", "/a//b/../c"),
        ("/50%", "/50%"),
        ("http://other.example/x?q", "/x"),
        ("http://other.example", "/"),
    ],
)
def test_paths_arrive_byte_by_byte(server: Server, target: str, path: str) -> None:
    request = b"GET %b HTTP/1.1\r\n%bConnection: close\r\n\r\n"
    raw = server.send(request % (target.encode(), HOST))
    environ = json.loads(body_of(raw))
    assert environ["PATH_INFO"].encode("latin-1").decode() == path
    host = "other.example" if "other" in target else "shop.example"
    assert environ["HTTP_HOST"] == host


def test_header_bytes_arrive_one_by_one(server: Server) -> None:
    raw = server.send(
        b"GET / HTTP/1.1\r\n" + HOST + b"X-Name: M\xfcller\r\nX-Utf: \xc3\xbc\r\n"
        b"Accept: a\r\nAccept: b\r\nCookie: c=1\r\nCookie: d=2\r\n"
        b"Connection: close\r\n\r\n"
    )
    environ = json.loads(body_of(raw))
    assert environ["HTTP_X_NAME"] == "M\xfcller"
    assert environ["HTTP_X_UTF"].encode("latin-1") == "ü".encode()
    assert environ["HTTP_ACCEPT"] == "a,b"
    assert environ["HTTP_COOKIE"] == "c=1; d=2"


def test_a_header_with_an_underscore_is_dropped(server: Server) -> None:
    environ = seen(
        server.ask("/", {"X_Forwarded_For": "6.6.6.6", "X-Real": "1", "X_Real": "2"})
    )
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert environ["HTTP_X_REAL"] == "1"


def test_big_headers_pass_and_huge_ones_are_refused(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    cookie = "c=" + "x" * 7000
    assert seen(server.ask("/", {"Cookie": cookie}))["HTTP_COOKIE"] == cookie
    assert server.ask("/", {"Cookie": "c=" + "x" * 70_000}).status == 400
    assert server.ask("/page").body == b"a page"
    assert not caplog.records


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        "GET /bücher HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    ],
)
def test_nonsense_is_refused_quietly(
    server: Server, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert server.send(raw).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert not caplog.records


# Bodies of requests.


def test_a_body_arrives_whole(server: Server) -> None:
    answer = server.ask("/", {"Content-Type": "a/b"}, method="POST", body=b"x=\xfc")
    environ = seen(answer)
    assert environ["body"] == "x=\xfc"
    assert (environ["CONTENT_LENGTH"], environ["CONTENT_TYPE"]) == ("3", "a/b")
    assert "HTTP_CONTENT_LENGTH" not in environ


def test_a_chunked_body_arrives_whole_and_with_its_length(server: Server) -> None:
    answer = server.ask("/", method="POST", body=iter([b"one,", b"two"]))
    environ = seen(answer)
    assert (environ["body"], environ["CONTENT_LENGTH"]) == ("one,two", "7")
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_a_body_that_says_it_is_too_long_is_refused_unread(shop: Bookshop) -> None:
    with serving(shop, Options(body_limit=1000)) as server, server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n")
        assert read_head(client).startswith("HTTP/1.1 413 ")
        assert server.ask("/", method="POST", body=b"x" * 1000).status == 200


def test_a_chunked_body_is_refused_once_it_is_too_long(shop: Bookshop) -> None:
    with serving(shop, Options(body_limit=1000)) as server, server.connect() as client:
        head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
        client.sendall(head + b"3e9\r\n" + b"x" * 1001 + b"\r\n")
        assert read_head(client).startswith("HTTP/1.1 413 ")


def test_a_body_that_does_not_come_is_not_waited_for(shop: Bookshop) -> None:
    with serving(shop, Options(stall=0.1)) as server, server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nabc")
        assert read_head(client).startswith("HTTP/1.1 408 ")


def test_who_expects_to_be_asked_for_the_body_is_asked(server: Server) -> None:
    with server.connect() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert read_head(client) == "HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ok")
        assert json.loads(body_of(read_all(client)))["body"] == "ok"


def test_who_expects_anything_else_is_refused(server: Server) -> None:
    assert server.ask("/", {"Expect": "a wonder"}).status == 417
    too_long = {"Expect": "100-continue", "Content-Length": str(2 << 20)}
    assert server.ask("/", too_long, method="POST").status == 413


# Answers.


def test_one_connection_serves_many_requests(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port)
    for _ in range(3):
        connection.request("GET", "/page")
        response = connection.getresponse()
        assert (response.read(), response.getheader("Content-Length")) == (
            b"a page",
            "6",
        )
        assert response.getheader("Server") == "handsel"
        assert response.getheader("Date")
    first = connection.sock
    connection.request("HEAD", "/page")
    response = connection.getresponse()
    assert (response.read(), response.getheader("Content-Length")) == (b"", "6")
    assert connection.sock is first
    connection.close()


def test_requests_sent_ahead_are_answered_in_order(server: Server) -> None:
    page = b"GET /page HTTP/1.1\r\n" + HOST + b"\r\n"
    with server.connect() as client:
        client.sendall(page * 20)
        for _ in range(20):
            head = read_head(client)
            assert head.startswith("HTTP/1.1 200 OK\r\n")
            assert read_exactly(client, 6) == b"a page"


def test_http_1_0_ends_with_the_connection(shop: Bookshop) -> None:
    def stream(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        yield b"one,"
        yield b"two"

    shop.more["/stream"] = stream
    with serving(shop) as server:
        raw = server.send(b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert raw.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"chunked" not in raw
        assert body_of(raw) == b"one,two"


class Told:
    """A streaming body that waits to be told, and notes that it was closed."""

    def __init__(self, *blocks: bytes) -> None:
        self.blocks = iter(blocks)
        self.go = threading.Event()
        self.closed = threading.Event()

    def __call__(
        self, _: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return self

    def __iter__(self) -> Iterator[bytes]:
        for block in self.blocks:
            yield block
            assert self.go.wait(10)

    def close(self) -> None:
        self.closed.set()


def test_a_stream_is_not_kept_back_until_it_ends(shop: Bookshop) -> None:
    told = shop.more["/stream"] = Told(b"one,", b"", b"two")
    with serving(shop) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/stream")
        response = connection.getresponse()
        assert response.read(4) == b"one,"
        assert not told.closed.is_set()
        told.go.set()
        assert response.read() == b"two"
        connection.close()
        assert told.closed.wait(10)


def test_a_stream_is_closed_when_the_client_leaves(
    shop: Bookshop, caplog: pytest.LogCaptureFixture
) -> None:
    told = shop.more["/stream"] = Told(*[b"x" * 100_000] * 100)
    with serving(shop) as server:
        with server.connect() as client:
            client.sendall(b"GET /stream HTTP/1.1\r\n" + HOST + b"\r\n")
            read_head(client)
        told.go.set()
        assert told.closed.wait(10)
    assert not caplog.records


def test_a_client_that_takes_nothing_is_cut_off(shop: Bookshop) -> None:
    told = shop.more["/stream"] = Told(*[b"x" * 1_000_000] * 30)
    told.go.set()
    with (
        serving(shop, Options(stall=0.2)) as server,
        server.connect(receive_buffer=4096) as client,
    ):
        client.sendall(b"GET /stream HTTP/1.1\r\n" + HOST + b"\r\n")
        assert told.closed.wait(10)


def test_a_view_streams_over_several_threads_in_one_context(shop: Bookshop) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="lost")

    def stream(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        token = variable.set("kept,")
        yield variable.get().encode()
        yield variable.get().encode()
        variable.reset(token)

    shop.more["/stream"] = stream
    with serving(shop, threads=8) as server:
        assert server.ask("/stream").body == b"kept,kept,"


def test_write_sends_at_once(shop: Bookshop) -> None:
    told = threading.Event()

    def old(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        write(b"one,")
        assert told.wait(10)
        write(b"two,")
        return [b"three"]

    shop.more["/old"] = old
    with serving(shop) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/old")
        response = connection.getresponse()
        assert response.read(4) == b"one,"
        told.set()
        assert response.read() == b"two,three"
        connection.close()


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_some_answers_have_no_body(shop: Bookshop, status: str) -> None:
    def nothing(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [("ETag", '"1"')])
        return [b"must not go out"]

    shop.more["/nothing"] = nothing
    raw = b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n"
    page = b"GET /page HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    with serving(shop) as server:
        first, second = server.send(raw + page).split(b"\r\n\r\n", 1)
    assert first.startswith(f"HTTP/1.1 {status}\r\n".encode())
    assert b"chunked" not in first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")


def test_headers_go_out_byte_by_byte_and_as_often_as_given(shop: Bookshop) -> None:
    def named(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = "bücher".encode().decode("latin-1")
        cookies = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        start_response("200 Well done", [*TEXT, ("X-Name", name), *cookies])
        return [b"x"]

    shop.more["/named"] = named
    request = b"GET /named HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    with serving(shop) as server:
        head = server.send(request).partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[0] == b"HTTP/1.1 200 Well done"
    assert "X-Name: bücher".encode() in head
    assert [line for line in head if line.startswith(b"Set-Cookie")] == [
        b"Set-Cookie: a=1",
        b"Set-Cookie: b=2",
    ]


# Applications that fail.


def fails_at_once(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    raise LookupError("secret")


def fails_in_its_body(
    _: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    raise StopIteration
    yield b""


def says_nothing(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return [b"x"]


def says_it_twice(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    start_response("200 OK", TEXT)
    return [b"x"]


def gives_text(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    yield "text"  # type: ignore[misc]  # that is the mistake


def promises_more(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "10")])
    return [b"x"]


def injects_a_header(
    _: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    start_response("200 OK", [("X-Name", "a\r\nSet-Cookie: b")])
    return [b"x"]


def speaks_for_the_server(
    _: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    start_response("200 OK", [("Transfer-Encoding", "chunked")])
    return [b"x"]


def leaves(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise SystemExit(3)


@pytest.mark.parametrize(
    "app",
    [
        fails_at_once,
        fails_in_its_body,
        says_nothing,
        says_it_twice,
        gives_text,
        promises_more,
        injects_a_header,
        speaks_for_the_server,
        leaves,
    ],
)
def test_a_failing_page_is_a_short_apology_and_a_line_in_the_log(
    shop: Bookshop, app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(lambda e, s: app(e, s) if "/d/" in e["PATH_INFO"] else shop(e, s)) as (
        server
    ):
        answer = server.ask("/d/the-token-of-a-buyer")
        assert answer.status == 500
        assert answer.body.startswith(b"Something went wrong on our side.")
        assert b"secret" not in answer.body
        assert server.ask("/page").status == 200
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "A page under /d failed."
    assert record.exc_info


@pytest.mark.parametrize("length", [[], [("Content-Length", "100")]])
def test_a_page_that_fails_half_way_does_not_look_whole(
    shop: Bookshop, length: list[tuple[str, str]]
) -> None:
    def half(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [*TEXT, *length])
        yield b"half"
        raise RuntimeError

    shop.more["/half"] = half
    with serving(shop) as server:
        raw = server.send(b"GET /half HTTP/1.1\r\n" + HOST + b"\r\n")
    assert b"half" in raw
    assert b"0\r\n\r\n" not in raw


def test_an_error_page_replaces_headers_that_are_not_yet_sent(shop: Bookshop) -> None:
    def recovers(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        try:
            raise LookupError
        except LookupError as error:
            trace = (LookupError, error, error.__traceback__)
            start_response("500 Oops", TEXT, trace)  # type: ignore[arg-type]  # one has it
        return [b"sorry"]

    shop.more["/recovers"] = recovers
    with serving(shop) as server:
        answer = server.ask("/recovers")
    assert (answer.status, answer.body) == (500, b"sorry")


def test_an_error_after_the_headers_is_raised_again(
    shop: Bookshop, caplog: pytest.LogCaptureFixture
) -> None:
    def too_late(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        yield b"half"
        try:
            raise LookupError("the reason")
        except LookupError as error:
            trace = (LookupError, error, error.__traceback__)
            start_response("500 Oops", TEXT, trace)  # type: ignore[arg-type]  # one has it

    shop.more["/late"] = too_late
    with serving(shop) as server:
        raw = server.send(b"GET /late HTTP/1.1\r\n" + HOST + b"\r\n")
    assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not raw.endswith(b"0\r\n\r\n")
    assert "the reason" in str(caplog.records[0].exc_info)


def test_tidying_up_that_fails_is_noted_and_hurts_nobody(
    shop: Bookshop, caplog: pytest.LogCaptureFixture
) -> None:
    class Untidy(Told):
        def close(self) -> None:
            raise RuntimeError("untidy")

    untidy = shop.more["/untidy"] = Untidy(b"x")
    untidy.go.set()
    with serving(shop) as server:
        assert server.ask("/untidy").body == b"x"
        until(lambda: caplog.records)


def test_a_client_that_resets_in_the_middle_of_a_body_hurts_nobody(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 50\r\n\r\nx")
        linger = b"\1\0\0\0\0\0\0\0"
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    assert server.ask("/page").status == 200
    assert not caplog.records
