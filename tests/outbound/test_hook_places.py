"""P28: a web hook goes to the open internet, and never into the network we stand in."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from handsel.kit.errors import BadInputError
from handsel.outbound.webhooks import addresses, line
from handsel.outbound.webhooks.addresses import (
    ForbiddenAddressError,
    Place,
)
from handsel.outbound.webhooks.line import NotTakenError
from tests.ground.smtp import CERTIFICATE

PRIVATE = [
    *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.168.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.254", "0.0.0.0"),  # noqa: S104
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.2.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "192.0.0.1"),
    *("::1", "::", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1"),
    *("64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:0a00:0001::1"),
    *("2002:7f00:1::", "2001:0:0a00:1::f5ff:fffe", "fc00::1", "fd12:3456::1"),
    *("fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1", "100::1", "fec0::1"),
    *("3fff::1", "5f00::1", "not an address", "", "127.1"),
]
OPEN = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("ip", PRIVATE)
def test_no_address_of_a_private_network_is_open(ip: str) -> None:
    assert not addresses.is_open(ip)


@pytest.mark.parametrize("ip", OPEN)
def test_addresses_of_the_internet_are(ip: str) -> None:
    assert addresses.is_open(ip)


URLS = [
    *("https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/"),
    *("https://0177.0.0.1/", "https://127.1/", "https://0/", "https://localhost/"),
    *("https://localhost./", "https://LOCALHOST/", "https://[::1]/"),
    *("https://[::ffff:10.0.0.1]/", "https://[::ffff:127.0.0.1]:8443/"),
    *("https://[64:ff9b::7f00:1]/", "https://169.254.169.254/latest/meta-data"),
    *("https://10.0.0.1/", "https://100.64.0.1/", "https://0.0.0.0/"),
    "https://[fe80::1%25lo]/",
]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve what every machine resolves by itself: numbers, however they are written.

    The world outside is played: the tests may ask no name server.
    """

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        bare = host.lower().rstrip(".").partition("%")[0]
        if bare == "localhost":
            ip = "127.0.0.1"
        elif ":" in bare:
            ip = socket.inet_ntop(
                socket.AF_INET6, socket.inet_pton(socket.AF_INET6, bare)
            )
        else:
            ip = socket.inet_ntoa(socket.inet_aton(bare))
        return [(0, 0, 0, "", (ip, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize("url", URLS)
def test_however_it_is_written_this_machine_is_not_told(
    url: str, resolver: None
) -> None:
    try:
        checked = addresses.check_url(url, loopback=False)
    except BadInputError:
        return
    with pytest.raises(ForbiddenAddressError):
        addresses.resolve(checked, loopback=False)
    with pytest.raises(NotTakenError, match="private network"):
        line.post(checked, b"{}", {}, loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "ftp://example.com/", "example.com", "", "https://"),
        *("https://user:pw@example.com/", "https://example.com:25/", "https://a:x/"),
        *("https://example.com/#here", "https://example.com/a b", "https://[::1"),
        *("https://example.com/\r\nHost: evil", "javascript:alert(1)", "file:///etc"),
        *("https://example.com:22/", "https://" + "a" * 2000, "//example.com/"),
    ],
)
def test_what_is_no_address_of_a_web_hook_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadInputError) as refused:
        addresses.check_url(url, loopback=False)
    assert refused.value.field == "url"


def test_good_addresses_are_kept_as_they_are() -> None:
    for url in ("https://example.com/hooks?a=b", "https://bücher.example:8443/"):
        assert addresses.check_url(f" {url} ", loopback=False) == url


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the name server says, one list after the other."""
    said: list[list[str]] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        ips = said.pop(0) if len(said) > 1 else said[0]
        return [(0, 0, 0, "", (ip, port)) for ip in ips]

    # The world outside is played: no name server can be asked in a test.
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return said


def test_one_private_answer_among_open_ones_is_enough(
    answers: list[list[str]],
) -> None:
    answers.append(["93.184.216.34", "10.0.0.1"])
    with pytest.raises(ForbiddenAddressError):
        addresses.resolve("https://example.com/", loopback=False)


def test_the_connection_goes_to_what_was_looked_at(answers: list[list[str]]) -> None:
    answers += [["93.184.216.34"], ["127.0.0.1"]]
    place = addresses.resolve("https://example.com/a?b", loopback=False)
    assert place == Place("93.184.216.34", "example.com", 443, "/a?b", True)


@contextmanager
def listening(
    talk: Callable[[socket.socket], None], *, tls: bool = False
) -> Iterator[int]:
    """Listen on a port of this machine; `talk` has each connection to itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return  # closed by us
                # They may go at any time.
                with client, contextlib.suppress(OSError), _wrapped(client, tls) as end:
                    talk(end)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def _wrapped(client: socket.socket, tls: bool) -> socket.socket:
    if not tls:
        return client
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key = CERTIFICATE.with_name("localhost-not-a-secret.key")
    context.load_cert_chain(CERTIFICATE, key)
    return context.wrap_socket(client, server_side=True)


def answer(status: str, more: str = "") -> Callable[[socket.socket], None]:
    """Take a request and answer with a status."""

    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(f"HTTP/1.1 {status}\r\n{more}content-length: 0\r\n\r\n".encode())

    return talk


def test_a_redirect_is_not_followed() -> None:
    other_asked: list[bool] = []
    with listening(lambda client: other_asked.append(True)) as other:
        more = f"location: http://127.0.0.1:{other}/\r\n"
        with listening(answer("302 Found", more)) as port:
            url = f"http://127.0.0.1:{port}/"
            assert line.post(url, b"{}", {}, loopback=True) == 302
    assert other_asked == []


def test_whoever_sends_a_byte_now_and_then_holds_nobody() -> None:
    stop = threading.Event()

    def drip(client: socket.socket) -> None:
        client.recv(65536)
        while not stop.wait(0.05):
            client.sendall(b"H")

    began = time.monotonic()
    with listening(drip) as port:
        with pytest.raises(NotTakenError):
            line.post(
                f"http://127.0.0.1:{port}/", b"{}", {}, loopback=True, seconds=0.5
            )
        stop.set()
    assert time.monotonic() - began < 5


def test_a_huge_answer_is_not_read() -> None:
    sent = 0

    def flood(client: socket.socket) -> None:
        nonlocal sent
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            sent += client.send(b"x" * 65536)

    with listening(flood) as port:
        assert line.post(f"http://127.0.0.1:{port}/", b"{}", {}, loopback=True) == 200
    assert sent < 20_000_000  # what lies in the sockets between us


@pytest.mark.parametrize("trusted", [True, False])
def test_the_certificate_is_looked_at_by_the_name_and_not_by_the_number(
    trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with listening(answer("204 No Content"), tls=True) as port:
        place = Place("127.0.0.1", "localhost", port, "/", True)
        if trusted:
            assert line.ask(place, b"{}", {}, 5) == 204
        else:
            with pytest.raises(NotTakenError, match="certificate"):
                line.ask(place, b"{}", {}, 5)
        other = Place("127.0.0.1", "example.com", port, "/", True)
        with pytest.raises(NotTakenError, match="certificate"):
            line.ask(other, b"{}", {}, 5)


def test_nobody_there_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotTakenError, match="Nobody listens"):
        line.post(f"http://127.0.0.1:{port}/", b"{}", {}, loopback=True)
    with pytest.raises(NotTakenError, match="leads nowhere"):
        line.post("https://" + "a" * 70 + ".example/", b"{}", {}, loopback=True)
