"""P16: every way to ask for a part of a file, against a real server.

Whatever a download manager does within one press, it costs one download.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import unquote

import pytest

from handsel.kit.ranges import Spans
from handsel.models import Allowance, Grant, ReleaseFile
from handsel.shop import Shop
from tests import make
from tests.ground.cases import Say
from tests.ground.shops import Clock
from tests.ground.till import untrue
from tests.ground.visitor import Visitor
from tests.ground.waiting import wait_until
from tests.stories.buyers import buy, facts
from tests.web.bookshop import book_bytes
from tests.web.serving import Answer, Server, serving

SIZE = 200_000
BOOK = book_bytes(SIZE)
ETAG = f'"sha256-{hashlib.sha256(BOOK).hexdigest()}"'

# Range, more headers, and what must come: status and which bytes.
WHOLE = (200, 0, SIZE)
TABLE: dict[str, tuple[dict[str, str], tuple[int, int, int]]] = {
    "none": ({}, WHOLE),
    "all": ({"Range": "bytes=0-"}, (206, 0, SIZE)),
    "first byte": ({"Range": "bytes=0-0"}, (206, 0, 1)),
    "last ten": ({"Range": "bytes=-10"}, (206, SIZE - 10, SIZE)),
    "more than there is, from behind": (
        {"Range": f"bytes=-{SIZE * 2}"},
        (206, 0, SIZE),
    ),
    "from the middle": ({"Range": "bytes=1000-"}, (206, 1000, SIZE)),
    "last byte": ({"Range": f"bytes={SIZE - 1}-"}, (206, SIZE - 1, SIZE)),
    "over the end": ({"Range": f"bytes=10-{SIZE * 2}"}, (206, 10, SIZE)),
    "beyond the end": ({"Range": f"bytes={SIZE}-"}, (416, 0, 0)),
    "last none": ({"Range": "bytes=-0"}, (416, 0, 0)),
    "reversed": ({"Range": "bytes=20-10"}, WHOLE),
    "no numbers": ({"Range": "bytes=abc"}, WHOLE),
    "no unit": ({"Range": "0-10"}, WHOLE),
    "another unit": ({"Range": "pages=1-2"}, WHOLE),
    "two parts": ({"Range": "bytes=0-9,20-29"}, WHOLE),
    "a thousand parts": (
        {"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(1000))},
        WHOLE,
    ),
    "If-Range, the same": (
        {"Range": "bytes=5-9", "If-Range": ETAG},
        (206, 5, 10),
    ),
    "If-Range, another": ({"Range": "bytes=5-9", "If-Range": '"old"'}, WHOLE),
    "If-Range, weak": ({"Range": "bytes=5-9", "If-Range": f"W/{ETAG}"}, WHOLE),
    "If-Range, a date": (
        {"Range": "bytes=5-9", "If-Range": "Mon, 23 Nov 2026 12:00:00 GMT"},
        WHOLE,
    ),
    "known": ({"If-None-Match": ETAG}, (304, 0, 0)),
}


@dataclass
class Press:
    """One press on Download, and the server that answers for it."""

    shop: Shop
    server: Server
    place: str

    def ask(self, headers: dict[str, str], method: str = "GET") -> Answer:
        """Ask for the file."""
        return self.server.ask(self.place, headers, method=method)

    def used(self) -> int:
        """How many downloads are taken."""
        return int(facts(self.shop)["downloads_used"])

    def arrived(self) -> int:
        """How many distinct bytes are known to have arrived."""
        with self.shop.reading() as session:
            return Spans.of(session.query(Grant).one().parts).total()


@pytest.fixture
def press(shop: Shop) -> Iterator[Press]:
    """Somebody has bought the book and pressed Download."""
    make.product(shop, files={"book.epub": BOOK})
    visitor = Visitor(shop)
    page = buy(visitor)
    answer = visitor.press(page, f"{page.request.path}/1")
    with serving(visitor.app) as server:
        yield Press(shop, server, answer.headers["Location"])
    assert untrue(shop) == {}


def test_the_table_of_ranges(press: Press, shop: Shop, say: Say) -> None:
    wrong = []
    for name, (headers, (status, start, stop)) in TABLE.items():
        answer = press.ask(headers)
        if (answer.status, answer.body) != (status, BOOK[start:stop]):
            wrong.append(f"{name}: {answer.status}, {len(answer.body)} bytes")
        if status == 206:
            said = f"bytes {start}-{stop - 1}/{SIZE}"
            assert answer.headers["Content-Range"] == said, name
        if status == 416:
            assert answer.headers["Content-Range"] == f"bytes */{SIZE}", name
        assert answer.headers["ETag"] == ETAG, name
        _forget_what_was_sent(shop)  # so that no row meets the limit of three sizes
    for headers in ({}, {"Range": "bytes=0-9"}):
        head = press.ask(headers, "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(SIZE)
    assert press.ask({}, "POST").status == 405
    say("P16", rows=len(TABLE) + 3, wrong=len(wrong), used=press.used())
    assert wrong == []
    assert press.used() == 1


def _forget_what_was_sent(shop: Shop) -> None:
    wait_until(lambda: _settled(shop))
    with shop.transaction() as session:
        session.query(Grant).update({"bytes_out": 0})
        session.query(Allowance).update({"bytes_out": 0})


def _settled(shop: Shop) -> bool:
    """Say whether the server has noted the last delivery."""
    with shop.reading() as session:
        grant, allowance = session.query(Grant).one(), session.query(Allowance).one()
        return grant.bytes_out == allowance.bytes_out


def test_64_parts_over_16_connections_are_one_download(press: Press, say: Say) -> None:
    step = SIZE // 64

    def fetch(number: int) -> bytes:
        stop = SIZE if number == 63 else (number + 1) * step
        answer = press.ask({"Range": f"bytes={number * step}-{stop - 1}"})
        assert answer.status == 206
        return answer.body

    with ThreadPoolExecutor(16) as pool:
        whole = b"".join(pool.map(fetch, range(64)))

    wait_until(lambda: press.arrived() == SIZE)
    right = hashlib.sha256(whole).hexdigest() == hashlib.sha256(BOOK).hexdigest()
    say("P16", parts=64, connections=16, sha256="right" if right else "wrong")
    assert right
    assert press.used() == 1


def test_fifty_who_ask_for_all_from_zero_are_five(shop: Shop) -> None:
    make.product(shop, files={"book.epub": BOOK})
    visitor = Visitor(shop)
    page = buy(visitor)
    devices = [visitor.device() for _ in range(50)]
    pages = [device.get(page.request.path) for device in devices]
    statuses = []
    with serving(visitor.app) as server:
        for device, mine in zip(devices, pages, strict=True):
            pressed = device.press(mine, f"{page.request.path}/1")
            if pressed.status_code == 303:
                place = pressed.headers["Location"]
                statuses.append(server.ask(place, {"Range": "bytes=0-"}).status)
            else:
                statuses.append(pressed.status_code)
    assert sorted(statuses) == [206] * 5 + [410] * 45
    assert untrue(shop) == {}


def test_when_the_window_is_over_the_address_is_gone(
    press: Press, clock: Clock
) -> None:
    clock.move(hours=25)
    assert press.ask({}).status == 404


def test_a_new_release_in_the_middle_leaves_the_old_file_whole(
    press: Press, shop: Shop
) -> None:
    half = press.ask({"Range": f"bytes=0-{SIZE // 2 - 1}"})
    path = shop.storage.path(hashlib.sha256(BOOK).hexdigest())
    other = path.with_name("other")
    other.write_bytes(BOOK)
    other.replace(path)

    rest = press.ask({"Range": f"bytes={SIZE // 2}-", "If-Range": half.headers["ETag"]})

    assert (half.status, rest.status) == (206, 206)
    assert half.body + rest.body == BOOK


@pytest.mark.parametrize(
    "name",
    ['a"b.epub', "a\r\nX-Evil: 1.epub", "Übung für Öl.epub", "📚.epub", "n" * 300],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_name_breaks_the_headers(press: Press, shop: Shop, name: str) -> None:
    with shop.transaction() as session:
        session.query(ReleaseFile).update({"name": name[:255]})

    answer = press.ask({})

    assert answer.body == BOOK
    assert "X-Evil" not in answer.headers
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")
    told = unquote(disposition.rpartition("''")[2]) if "''" in disposition else ""
    assert "\n" not in told
    if name.isprintable() and '"' not in name and len(name) < 100:
        assert told == name
