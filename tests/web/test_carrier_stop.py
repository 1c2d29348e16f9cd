"""Starting and stopping the server: clear words, and nobody cut off without need."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic

import pytest

from handsel.kit.errors import ConfigurationError
from handsel.web.carrier import address_of, listen
from tests.web.bookshop import Bookshop, book_bytes
from tests.web.serving import Server, read_exactly, read_head, serving, until

ROOT = Path(__file__).parents[2]
SIZE = 12_000_000
BOOK = book_bytes(SIZE)
GET_BOOK = b"GET /book HTTP/1.1\r\nHost: a\r\n\r\n"
GET_SLOW = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
SMALL = 16 * 1024


class Program(subprocess.Popen[str]):
    """The server as a process of its own."""

    server: Server

    def hears(self) -> str:
        """The next line it says."""
        assert self.stdout is not None
        return self.stdout.readline().strip()

    def refuses(self) -> bool:
        """Whether nobody new is let in."""
        try:
            socket.create_connection(("127.0.0.1", self.server.port), 10).close()
        except ConnectionError:  # refused, or reset when it closed just then
            return True
        return False


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book"
    path.write_bytes(BOOK)
    return path


@contextmanager
def program(book: Path, *, grace: float = 30) -> Iterator[Program]:
    command = [sys.executable, "-m", "tests.web.stopping", str(book), str(grace)]
    with Program(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            url = running.hears()
            port = int(url.rpartition(":")[2])
            assert url == f"http://127.0.0.1:{port}"
            running.server = Server(url, port, running.terminate)
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_running_download_and_purchase_are_finished(
    book: Path, stop: signal.Signals
) -> None:
    with program(book) as running:
        reader = running.server.connect(receive_buffer=SMALL)
        buyer, idle = running.server.connect(), running.server.connect()
        with reader, buyer, idle:
            idle.sendall(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
            read_head(idle)
            buyer.sendall(GET_SLOW)
            assert running.hears() == "begun"
            reader.sendall(GET_BOOK)
            read_head(reader)
            running.send_signal(stop)
            until(running.refuses)
            read_head(buyer)
            assert read_exactly(buyer, 6) == b"bought"
            assert read_exactly(reader, SIZE) == BOOK
            assert running.hears() == f"delivered {SIZE}"
            assert running.hears() == "stopped"
            assert running.wait(10) == 0


def test_who_has_a_connection_is_served_during_the_grace_and_then_sent_off(
    book: Path,
) -> None:
    with program(book) as running:
        reader = running.server.connect(receive_buffer=SMALL)
        with closing(HTTPConnection("127.0.0.1", running.server.port)) as visitor:
            visitor.connect()
            with reader:
                reader.sendall(GET_BOOK)
                read_head(reader)
                running.terminate()
                until(running.refuses)
                visitor.request("GET", "/page")
                response = visitor.getresponse()
                assert response.read() == b"a page"
                assert response.getheader("Connection") == "close"
                assert read_exactly(reader, SIZE) == BOOK
                assert running.wait(10) == 0


def test_when_the_grace_is_over_it_ends_and_counts_what_arrived(book: Path) -> None:
    with (
        program(book, grace=0.3) as running,
        running.server.connect(receive_buffer=SMALL) as reader,
    ):
        reader.sendall(GET_BOOK)
        read_head(reader)
        read_exactly(reader, 100_000)
        running.terminate()
        word, count = running.hears().split()
        assert word == "delivered"
        assert 100_000 <= int(count) <= 100_000 + 4 * SMALL
        assert running.wait(10) == 0


def test_a_second_signal_does_not_wait(book: Path) -> None:
    with (
        program(book) as running,
        running.server.connect(receive_buffer=SMALL) as reader,
    ):
        reader.sendall(GET_BOOK)
        read_head(reader)
        begin = monotonic()
        running.terminate()
        until(running.refuses)
        running.terminate()
        assert running.wait(10) == 0
        assert monotonic() - begin < 25  # the grace is 30


def test_a_port_in_use_is_said_with_what_to_do(book: Path) -> None:
    with (
        serving(Bookshop(book)) as server,
        pytest.raises(ConfigurationError) as raised,
    ):
        listen("127.0.0.1", server.port)
    assert raised.value.message == f"Port {server.port} is in use by another program."
    assert "shop.url" in raised.value.hint  # or links would lead to the other program
    assert "handsel demo --port" in raised.value.hint


def test_a_name_that_nobody_has_is_said() -> None:
    with pytest.raises(ConfigurationError) as raised:
        listen("no-such-host.invalid", 0)
    assert raised.value.message == (
        "The address no-such-host.invalid does not belong to this machine."
    )
    assert "127.0.0.1" in raised.value.hint


def test_an_address_of_another_machine_is_said() -> None:
    """Asked in a program of its own, because tests may not even name other machines."""
    code = "from handsel.web.carrier import listen; listen('192.0.2.1', 0)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "The address 192.0.2.1 does not belong to this machine." in found.stderr


def test_a_port_can_be_used_again_at_once(book: Path) -> None:
    with serving(Bookshop(book)) as server:
        assert server.ask("/page").status == 200
    listen("127.0.0.1", server.port).close()


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:"),
        ("localhost", "http://127.0.0.1:"),
        ("0.0.0.0", "http://127.0.0.1:"),  # noqa: S104
        ("", "http://127.0.0.1:"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, shown: str) -> None:
    with listen(host, 0) as listener:
        url = address_of(listener)
        assert url == f"{shown}{listener.getsockname()[1]}"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")
def test_the_ipv6_address_of_all_takes_ipv4_too() -> None:
    with listen("::", 0) as listener:
        port = listener.getsockname()[1]
        assert address_of(listener) == f"http://[::1]:{port}"
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
