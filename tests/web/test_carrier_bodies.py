"""Bodies of requests that the application reads while they come."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from handsel.web.carrier import Options
from tests.web.bookshop import Bookshop, book_bytes
from tests.web.serving import read_all, read_head, serving, until

TEXT = [("Content-Type", "text/plain")]
PUT = b"PUT /take HTTP/1.1\r\nHost: shop.example\r\nContent-Length: %d\r\n%b\r\n"
COMING = Options(body_limit=1000, stall=5, coming=("/take",))


@pytest.fixture
def shop(tmp_path: Path) -> Bookshop:
    book = tmp_path / "book"
    book.write_bytes(book_bytes(1000))
    return Bookshop(book)


@dataclass
class Taker:
    """An application that keeps what comes, block by block, and how it ended."""

    blocks: list[bytes] = field(default_factory=list)
    ended: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        try:
            while block := environ["wsgi.input"].read(1 << 18):
                self.blocks.append(block)
            self.ended = "whole"
        except OSError as error:
            self.ended = type(error).__name__
        self.over.set()
        start_response("200 OK", TEXT)
        return [environ["CONTENT_LENGTH"].encode()]

    @property
    def size(self) -> int:
        return sum(map(len, self.blocks))


@pytest.fixture
def taker(shop: Bookshop) -> Taker:
    found = Taker()
    shop.more["/take"] = found
    return found


def test_a_long_body_comes_while_it_is_read(shop: Bookshop, taker: Taker) -> None:
    body = book_bytes(3_000_000)
    with serving(shop, COMING) as server:
        answer = server.ask("/take?x=1", method="PUT", body=body)
        assert server.ask("/other", method="PUT", body=body).status == 413
    assert b"".join(taker.blocks) == body
    assert (taker.ended, answer.body) == ("whole", b"3000000")


def test_a_long_body_may_come_in_chunks(shop: Bookshop, taker: Taker) -> None:
    with serving(shop, COMING) as server:
        answer = server.ask("/take", method="PUT", body=iter([b"x" * 5000] * 9))
    assert (taker.size, taker.ended, answer.body) == (45_000, "whole", b"")


def test_what_came_of_a_body_that_breaks_off_is_there(
    shop: Bookshop, taker: Taker, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(shop, COMING) as server:
        with server.connect() as client:
            client.sendall(PUT % (10_000, b"") + b"x" * 4000)
            until(lambda: taker.size == 4000)
        assert taker.over.wait(10)
        assert "Connection" in taker.ended
        assert server.ask("/page").body == b"a page"
    assert taker.size == 4000
    assert not caplog.records


def test_a_body_that_keeps_silent_ends(shop: Bookshop, taker: Taker) -> None:
    impatient = replace(COMING, stall=0.2)
    with serving(shop, impatient) as server, server.connect() as client:
        client.sendall(PUT % (10, b"") + b"abc")
        assert taker.over.wait(10)
    assert (taker.size, taker.ended) == (3, "TimeoutError")


def test_a_coming_body_is_asked_for_when_it_is_read(
    shop: Bookshop, taker: Taker
) -> None:
    with serving(shop, COMING) as server, server.connect() as client:
        client.sendall(PUT % (2, b"Expect: 100-continue\r\nConnection: close\r\n"))
        assert read_head(client) == "HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ok")
        assert read_all(client).endswith(b"\r\n\r\n2")
        refused = server.ask("/take", {"Expect": "a wonder"}, method="PUT", body=b"x")
    assert taker.blocks == [b"ok"]
    assert refused.status == 417


def test_a_body_that_nobody_reads_does_no_harm(shop: Bookshop) -> None:
    def refuse(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("403 Forbidden", TEXT)
        return [b"no"]

    shop.more["/take"] = refuse
    with serving(shop, COMING) as server:
        assert server.ask("/take", method="PUT", body=b"x" * 500_000).body == b"no"
        with server.connect() as client:
            client.sendall(PUT % (10**12, b"") + b"x" * 500_000)
            assert read_head(client).startswith("HTTP/1.1 403 ")
        assert server.ask("/page").body == b"a page"


def test_a_server_that_stops_does_not_wait_for_a_body(
    shop: Bookshop, taker: Taker
) -> None:
    with serving(shop, replace(COMING, grace=0.1)) as server:
        client = server.connect()
        client.sendall(PUT % (10, b"") + b"abc")
        until(lambda: taker.size == 3)
    assert taker.over.wait(10)
    assert taker.ended != "whole"
    client.close()
