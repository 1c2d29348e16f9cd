"""Settings change while `handsel run` is open: nobody starts it again, nobody is cut off."""

import hashlib
import html
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from handsel.settings import CONFIG_FILE
from handsel.shop import Shop, utc_now
from tests import make
from tests.faults.processes import program, shop_program
from tests.ground.visitor import Visitor, forms_in
from tests.ground.waiting import wait_until
from tests.stories.buyers import buy
from tests.stories.desks import Seller, hire

LONG = bytes(range(256)) * 4 * 12_000
Change = Callable[[str, str], None]


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """The real one: other processes look at it, too."""
    return utc_now


@pytest.fixture
def change(shop: Shop) -> Change:
    """Change a piece of the shop's file, as an editor does."""
    path = shop.home / CONFIG_FILE

    def replace(old: str, new: str) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return replace


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the shop's processes write their news."""
    return tmp_path / "log"


@pytest.fixture
def url(shop: Shop, log: Path) -> Iterator[str]:
    """Where the shop is, run as a seller runs it: pages, and a worker beside them."""
    with program(*shop_program("run", shop.home), log=log) as run:
        url, _ = run.open()
        wait_until(lambda: "The worker is ready" in log.read_text(), 20)
        yield url


def title(url: str) -> str:
    """Read what the shop is called on its first page."""
    return requests.get(url, timeout=20).text.partition("</title>")[0]


def slow_download(shop: Shop, url: str) -> socket.socket:
    """Buy a long file, and begin to fetch it as a slow reader does."""
    visitor = Visitor(shop)
    page = buy(visitor)
    pressed = visitor.press(page, f"{page.request.path}/1")
    path = urlsplit(pressed.headers["Location"]).path
    kept = visitor.client.get_cookie("handsel_visitor", domain="127.0.0.1")
    assert kept
    reader = socket.socket()
    reader.settimeout(20)
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    reader.connect(("127.0.0.1", urlsplit(url).port))
    said = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Cookie: {kept.key}={kept.value}\r\n\r\n"
    )
    reader.sendall(said.encode())
    return reader


def rest_of(reader: socket.socket, begun: bytes) -> bytes:
    """Read on until the end; give the body."""
    pieces = [begun]
    while piece := reader.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces).partition(b"\r\n\r\n")[2]


def test_pages_and_worker_take_new_settings_and_a_slow_download_goes_on(
    shop: Shop, url: str, log: Path, change: Change
) -> None:
    make.product(shop, files={"book.epub": LONG})
    with slow_download(shop, url) as reader:
        begun = reader.recv(4096)
        assert begun.startswith(b"HTTP/1.1 200")

        change('name = "Ada\'s Books"', 'name = "دار الكتب"')

        wait_until(lambda: "دار الكتب" in title(url), 20)
        taken = "The settings have changed: shop.name."
        wait_until(lambda: log.read_text().count(taken) == 2, 20)
        whole = rest_of(reader, begun)
    assert hashlib.sha256(whole).digest() == hashlib.sha256(LONG).digest()
    assert "ERROR" not in log.read_text()


def at_the_desk(seller: Seller, url: str, name: str) -> str:
    """Call the shop something else at its desk, as a browser does; give what it says."""
    cookie = seller.client.get_cookie("handsel_staff", domain="127.0.0.1")
    assert cookie
    with requests.Session() as browser:
        browser.cookies.set(cookie.key, cookie.value)
        page = browser.get(f"{url}/admin/settings/shop", timeout=20)
        forms = forms_in(page.text)
        [form] = [each for each in forms if each.action == "/admin/settings/shop"]
        typed = form.fields | {"shop.name": name}
        return browser.post(f"{url}{form.action}", typed, timeout=20).text


def test_what_is_saved_at_the_desk_counts_with_the_answer_and_a_download_goes_on(
    shop: Shop, url: str, log: Path
) -> None:
    make.product(shop, files={"book.epub": LONG})
    seller = hire(shop)
    with slow_download(shop, url) as reader:
        begun = reader.recv(4096)
        for name in ("دار الكتب", "Buch & Söhne", "Ada's Books"):
            said = at_the_desk(seller, url, name)
            assert "Saved: Name of the shop. The shop works with it now." in said
            assert name in html.unescape(title(url))
        whole = rest_of(reader, begun)
    assert hashlib.sha256(whole).digest() == hashlib.sha256(LONG).digest()
    assert "ERROR" not in log.read_text()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_mistake_takes_nothing_down_and_is_said_once(
    shop: Shop, url: str, log: Path, change: Change
) -> None:
    change('currency = "EUR"', 'currency = "XXXX"')
    wait_until(
        lambda: log.read_text().count("goes on with the settings it has") == 2, 20
    )
    change('currency = "XXXX"', 'currency = "EUR')  # no TOML at all
    wait_until(
        lambda: log.read_text().count("goes on with the settings it has") == 4, 20
    )
    assert "Ada" in title(url)
    (shop.home / CONFIG_FILE).rename(shop.home / "away")
    wait_until(
        lambda: log.read_text().count("goes on with the settings it has") == 6, 20
    )
    assert "Ada" in title(url)
    (shop.home / "away").rename(shop.home / CONFIG_FILE)

    change('currency = "EUR', 'currency = "EUR"')
    change('name = "Ada\'s Books"', 'name = "Mended"')
    wait_until(lambda: "Mended" in title(url), 20)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_where_records_are_counts_from_the_next_start(
    shop: Shop, url: str, log: Path, change: Change
) -> None:
    make.product(shop)
    change("# path =", "path =")
    change('path = "data/files"', 'path = "elsewhere"')
    change('name = "Ada\'s Books"', 'name = "The same"')
    wait_until(lambda: "The same" in title(url), 20)
    page = buy(Visitor(shop))
    assert page.status_code == 200
    assert "storage.path" not in log.read_text()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_secret_that_is_another_is_taken_too(
    shop: Shop, url: str, log: Path, change: Change
) -> None:
    secret = shop.home / "secrets" / "mail"
    secret.write_text("one and only")
    change('# password = ""', 'password_file = "secrets/mail"')
    taken = "The settings have changed: mail.password."
    wait_until(lambda: log.read_text().count(taken) == 2, 20)
    secret.write_text("another one")
    wait_until(lambda: log.read_text().count(taken) == 4, 20)
    assert "another one" not in log.read_text()
