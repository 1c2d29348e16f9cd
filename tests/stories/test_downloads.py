"""The download rule, as buyers, their programs and their mail scanners meet it."""

import re
import threading
from itertools import pairwise
from urllib.parse import unquote

import pytest
from werkzeug.test import TestResponse

from handsel import worker
from handsel.models import Grant, ReleaseFile
from handsel.models.words import GrantState
from handsel.sales import catalogue
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import buy, download, facts, with_settings

SIZE = len(make.BOOK)


def used(shop: Shop) -> int:
    """How many of the allowed downloads are taken."""
    found = facts(shop)["downloads_used"]
    assert isinstance(found, int)
    return found


def press(visitor: Visitor, page: TestResponse, file_id: int = 1) -> str:
    """Press Download and give the address the file is at."""
    answer = visitor.press(page, f"{page.request.path}/{file_id}")
    assert answer.status_code == 303, words(answer)
    return answer.headers["Location"]


def part(visitor: Visitor, where: str, wanted: str, **more: str) -> TestResponse:
    """Ask for a part of a file, as browsers and download managers do."""
    return visitor.get(where, headers={"Range": f"bytes={wanted}", **more})


@pytest.fixture
def page(shop: Shop, visitor: Visitor) -> TestResponse:
    """The page of a purchase."""
    make.product(shop)
    return buy(visitor)


def test_the_file_arrives_whole_and_under_its_own_name(
    shop: Shop, visitor: Visitor, page: TestResponse
) -> None:
    answer = download(visitor, page)

    assert answer.data == make.BOOK
    assert answer.headers["Content-Type"] == "application/epub+zip"
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"].startswith('"sha256-')
    assert file_name(answer) == "book.epub"
    assert used(shop) == 1


def test_pressing_again_in_the_same_browser_costs_nothing(
    shop: Shop, visitor: Visitor, page: TestResponse, clock: Clock
) -> None:
    first = press(visitor, page)
    visitor.get(first)
    clock.move(hours=20)

    again = press(visitor, visitor.get(page.request.path))

    assert again == first
    assert used(shop) == 1


def test_looking_at_a_file_without_taking_it_costs_nothing(
    shop: Shop, visitor: Visitor, page: TestResponse, clock: Clock
) -> None:
    where = press(visitor, page)
    etag = visitor.head(where).headers["ETag"]

    for _ in range(20):
        assert visitor.head(where).headers["Content-Length"] == str(SIZE)
        known = visitor.get(where, headers={"If-None-Match": etag})
        assert (known.status_code, known.data) == (304, b"")
        outside = part(visitor, where, f"{SIZE}-")
        assert outside.status_code == 416
        assert outside.headers["Content-Range"] == f"bytes */{SIZE}"

    clock.move(hours=25)
    worker.turn(shop)
    assert used(shop) == 0


def test_a_drop_at_a_third_and_a_resume_twenty_hours_later_are_one(
    shop: Shop, visitor: Visitor, page: TestResponse, clock: Clock
) -> None:
    where = press(visitor, page)
    cut = SIZE * 3 // 10
    first = part(visitor, where, f"0-{cut - 1}")
    clock.move(hours=20)

    rest = part(visitor, where, f"{cut}-", **{"If-Range": first.headers["ETag"]})

    assert rest.status_code == 206
    assert rest.headers["Content-Range"] == f"bytes {cut}-{SIZE - 1}/{SIZE}"
    assert first.data + rest.data == make.BOOK
    assert used(shop) == 1


def test_a_resume_of_another_version_begins_anew(
    visitor: Visitor, page: TestResponse
) -> None:
    where = press(visitor, page)
    whole = part(visitor, where, "1000-", **{"If-Range": '"sha256-of-another"'})
    assert (whole.status_code, whole.data) == (200, make.BOOK)


def test_sixty_four_parts_are_one(
    shop: Shop, visitor: Visitor, page: TestResponse
) -> None:
    where = press(visitor, page)
    edges = [SIZE * i // 64 for i in range(65)]

    parts = [
        part(visitor, where, f"{start}-{stop - 1}").data
        for start, stop in pairwise(edges)
    ]

    assert b"".join(parts) == make.BOOK
    assert used(shop) == 1


def test_a_connection_lost_in_the_middle_costs_nothing_after_a_day(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    large = bytes(2_000_000)
    make.product(shop, files={"large.bin": large})
    page = buy(visitor)

    for _ in range(7):
        lost = visitor.get(press(visitor, page), buffered=False)
        lost.close()
        assert used(shop) == 1
        clock.move(hours=25)
        worker.turn(shop)
        assert used(shop) == 0
        page = visitor.get(page.request.path)

    assert download(visitor, page).data == large
    clock.move(hours=25)
    worker.turn(shop)
    assert used(shop) == 1
    assert "4 of 5 left" in words(visitor.get(page.request.path))


def test_give_backs_end_after_ten_for_whoever_only_ever_begins(
    shop: Shop, visitor: Visitor, page: TestResponse, clock: Clock
) -> None:
    for _ in range(12):
        press(visitor, page)
        clock.move(hours=25)
        worker.turn(shop)
        page = visitor.get(page.request.path)
    assert used(shop) == 2


@pytest.mark.parametrize("devices", [20, 50])
def test_a_crowd_at_one_instant_gets_five(
    shop: Shop, visitor: Visitor, page: TestResponse, devices: int
) -> None:
    crowd = [visitor.device() for _ in range(devices)]
    pages = [device.get(page.request.path) for device in crowd]
    bodies: list[bytes] = []

    def take(device: Visitor, page: TestResponse, start: threading.Barrier) -> None:
        start.wait()
        pressed = device.press(page, f"{page.request.path}/1")
        if pressed.status_code == 303:
            bodies.append(part(device, pressed.headers["Location"], "0-").data)
        else:
            assert pressed.status_code == 410

    for batch in range(0, devices, 20):
        crew = list(zip(crowd, pages, strict=True))[batch : batch + 20]
        start = threading.Barrier(len(crew))
        threads = [threading.Thread(target=take, args=[*pair, start]) for pair in crew]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert bodies == [make.BOOK] * 5
    assert used(shop) == 5


def test_two_presses_of_one_browser_at_one_instant_are_one(
    shop: Shop, visitor: Visitor, page: TestResponse
) -> None:
    start = threading.Barrier(4)
    places: list[str] = []

    def push(tab: Visitor) -> None:
        start.wait()
        places.append(press(tab, page))

    threads = [threading.Thread(target=push, args=[visitor.tab()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(places) == 4
    assert len(set(places)) == 1
    assert used(shop) == 1


def test_two_presses_at_one_instant_on_the_last_download_are_one(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop, limit=1)
    page = buy(visitor)
    start = threading.Barrier(4)
    places: list[str] = []

    def push(tab: Visitor) -> None:
        start.wait()
        places.append(press(tab, page))

    threads = [threading.Thread(target=push, args=[visitor.tab()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(places) == 4
    assert len(set(places)) == 1


def test_whoever_always_stops_just_before_half_gets_seven_sizes_at_the_most(
    shop: Shop, visitor: Visitor, page: TestResponse, clock: Clock
) -> None:
    slice_end = SIZE * 49 // 100
    sent = 0
    for _ in range(30):
        device = visitor.device()
        shown = device.get(page.request.path)
        if "Download EPUB" not in words(shown):
            clock.move(hours=25)
            worker.turn(shop)
            continue
        pressed = device.press(shown, "/1")
        answer = part(device, pressed.headers["Location"], f"0-{slice_end - 1}")
        sent += len(answer.data) if answer.status_code == 206 else 0

    assert sent <= 7 * SIZE


def test_one_press_serves_three_sizes_at_the_most(
    shop: Shop, visitor: Visitor, page: TestResponse
) -> None:
    where = press(visitor, page)
    answers = [visitor.get(where) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "in a minute" in words(answers[3])
    assert used(shop) == 1


def test_the_window_of_a_press_ends_and_says_what_to_do(
    shop: Shop, visitor: Visitor, page: TestResponse, clock: Clock
) -> None:
    where = press(visitor, page)
    clock.move(hours=24)

    over = visitor.get(where)

    assert over.status_code == 404
    assert "press Download again" in words(over)
    assert press(visitor, visitor.get(page.request.path)) != where


def test_a_guessed_download_address_opens_nothing(
    visitor: Visitor, page: TestResponse
) -> None:
    where = press(visitor, page)
    for wrong in (where[:-1] + "2", where + "1", where[:-1], "/g/" + "a" * 22 + "1"):
        assert visitor.get(wrong).status_code == 404


NAMES = [
    "كتاب الرمل.epub",
    "Sand 🏜️ & sea.epub",
    'The "first" coin.epub',
    "100% 'plain'; name=x.epub",
    "naïve\\path.epub",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_language_arrives_as_it_was(
    shop: Shop, visitor: Visitor, name: str
) -> None:
    make.product(shop, files={name: b"sand"})
    page = buy(visitor)

    answer = download(visitor, page)

    assert answer.data == b"sand"
    shelved = [file.name for file in _files(shop)]
    assert file_name(answer) == shelved[0]
    if "\\" not in name and '"' not in name:
        assert shelved == [name]


def test_an_empty_file_arrives_empty(shop: Shop, visitor: Visitor) -> None:
    make.product(shop, files={"nothing.txt": b""})
    page = buy(visitor)

    where = press(visitor, page)
    answer, ranged = visitor.get(where), part(visitor, where, "0-")

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == "0"
    assert ranged.status_code in (200, 416)
    assert used(shop) == 1


def test_a_file_gone_from_the_storage_is_said_kindly_and_not_counted(
    shop: Shop, visitor: Visitor, page: TestResponse, clock: Clock
) -> None:
    [file] = _files(shop)
    stored = shop.storage.path(file.sha256)
    stored.rename(stored.with_suffix(".away"))
    where = press(visitor, page)

    missing = visitor.get(where)

    assert missing.status_code == 404
    assert "Tell the seller" in words(missing)
    assert str(shop.home) not in missing.get_data(as_text=True)
    assert "Content-Disposition" not in missing.headers
    stored.with_suffix(".away").rename(stored)
    assert visitor.get(where).data == make.BOOK
    assert used(shop) == 1


def test_a_press_on_a_file_that_is_gone_is_given_back(
    shop: Shop, visitor: Visitor, page: TestResponse, clock: Clock
) -> None:
    [file] = _files(shop)
    shop.storage.path(file.sha256).unlink()
    visitor.get(press(visitor, page))
    clock.move(hours=25)
    worker.turn(shop)
    assert used(shop) == 0


def test_a_proxy_that_sends_files_by_itself_is_told_which_and_the_press_counts(
    shop: Shop, clock: Clock
) -> None:
    shop = with_settings(shop, "server", accel=True)
    make.product(shop)
    visitor = Visitor(shop)
    where = press(visitor, buy(visitor))

    visitor.head(where)
    with shop.reading() as session:
        assert session.get_one(Grant, 1).state is GrantState.RESERVED
    answer = visitor.get(where)

    [file] = _files(shop)
    told = answer.headers["X-Accel-Redirect"]
    assert told.startswith("/_files/")
    assert shop.storage.root / told.removeprefix("/_files/") == shop.storage.path(
        file.sha256
    )
    assert answer.data == b""
    assert file_name(answer) == "book.epub"
    clock.move(hours=25)
    worker.turn(shop)
    assert used(shop) == 1


def _files(shop: Shop) -> list[ReleaseFile]:
    with shop.reading() as session:
        return list(catalogue.get(session, "book").releases[-1].files)


def file_name(answer: TestResponse) -> str:
    """The name a browser gives the file (RFC 6266)."""
    header = answer.headers["Content-Disposition"]
    assert header.startswith("attachment;")
    assert "\r" not in header
    assert "\n" not in header
    encoded = re.findall(r"filename\*=UTF-8''([^;\s]+)", header)
    plain = re.findall(r'filename="((?:[^"\\]|\\.)*)"', header)
    return unquote(encoded[0], errors="strict") if encoded else str(plain[0])


def test_one_download_is_called_one(shop: Shop, visitor: Visitor) -> None:
    make.product(shop, limit=1)
    page = buy(visitor)
    assert "downloaded 1 time." in words(visitor.get("/p/book"))
    download(visitor, page)
    late = visitor.device().press(page, "/1")

    assert "downloaded 1 time " in words(late)
    assert "the one download is used up" in words(visitor.get(page.request.path))


def test_the_last_download_can_be_gone_on_with_by_the_browser_that_began_it(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop, limit=1)
    page = buy(visitor)
    where = press(visitor, page)

    again = visitor.get(page.request.path)
    stranger = Visitor(shop).get(page.request.path)

    assert press(visitor, again) == where
    assert "Download EPUB" not in words(stranger)
    assert "is used up" in words(stranger)
