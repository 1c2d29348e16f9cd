"""Files that come in pieces: what is kept, what is refused, and what is forgotten."""

import hashlib
import io
import os
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from handsel import worker
from handsel.delivery.storage.local import LocalStorage
from handsel.delivery.storage.uploads import (
    BLOCK,
    KEEP,
    DamagedUploadError,
    DiskFullError,
    OffsetError,
    Upload,
    Uploads,
)
from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.models.words import ProductStatus
from handsel.ops import shelving, stock
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock

BOOK = b"".join(b"%07d\n" % number for number in range(150_000))  # 1.2 MB
GB = 10**9
SHA256 = hashlib.sha256(BOOK).hexdigest()


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "storage" / "uploads")


def comes(content: bytes) -> Callable[[int], bytes]:
    """What an upload reads from."""
    return io.BytesIO(content).read


def comes_slowly(content: bytes) -> Callable[[int], bytes]:
    """The same, a kB at a time."""
    line = io.BytesIO(content)
    return lambda _: line.read(1000)


def whole(uploads: Uploads, name: str = "book.epub", content: bytes = BOOK) -> Upload:
    """An upload that has arrived and was looked at."""
    upload = uploads.begin(name, len(content))
    uploads.append(upload, 0, comes(content))
    return uploads.seal(upload)


def breaks_off(content: bytes) -> Callable[[int], bytes]:
    """A line that breaks after this much."""
    line = io.BytesIO(content)

    def read(most: int) -> bytes:
        if found := line.read(most):
            return found
        raise ConnectionResetError

    return read


def test_a_file_comes_in_pieces(uploads: Uploads) -> None:
    begun = uploads.begin("../My book?.epub", len(BOOK))
    assert begun.name == "My book_.epub"
    assert uploads.append(begun, 0, comes(BOOK[:500_000])) == 500_000
    again = uploads.get(begun.id)
    assert again == begun
    assert again.offset == 500_000
    assert uploads.append(again, 500_000, comes(BOOK[500_000:])) == len(BOOK)
    done = uploads.seal(again, SHA256)
    assert done.sha256 == SHA256
    assert uploads.seal(uploads.get(begun.id), SHA256) == done
    assert uploads.waiting() == [done]
    assert done.path.read_bytes() == BOOK
    assert done.path.stat().st_mode & 0o077 == 0
    assert done.path.parent.stat().st_mode & 0o077 == 0


def test_what_came_before_the_line_broke_is_kept(uploads: Uploads) -> None:
    upload = uploads.begin("book.epub", len(BOOK))
    with pytest.raises(ConnectionResetError):
        uploads.append(upload, 0, breaks_off(BOOK[:300_007]))
    assert upload.offset == 300_007
    uploads.append(upload, 300_007, comes(BOOK[300_007:]))
    assert uploads.seal(upload).sha256 == SHA256


def test_a_piece_from_elsewhere_changes_nothing(uploads: Uploads) -> None:
    upload = uploads.begin("book.epub", len(BOOK))
    uploads.append(upload, 0, comes(BOOK[:1000]))
    for offset in (0, 999, 1001):
        with pytest.raises(OffsetError) as refused:
            uploads.append(upload, offset, comes(BOOK))
        assert refused.value.offset == 1000
    uploads.append(upload, 1000, comes(BOOK[1000:]))
    with pytest.raises(BadInputError):
        uploads.append(upload, len(BOOK), comes(b"more"))
    assert uploads.seal(upload).sha256 == SHA256


def test_a_line_thought_dead_may_go_on_beside_the_one_in_its_place(
    uploads: Uploads,
) -> None:
    upload = uploads.begin("book.epub", len(BOOK))
    together = threading.Barrier(4)

    def send() -> None:
        together.wait()
        while (offset := upload.offset) < len(BOOK):
            try:
                uploads.append(upload, offset, comes_slowly(BOOK[offset:]))
            except OffsetError:
                continue

    threads = [threading.Thread(target=send) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert uploads.seal(upload).sha256 == SHA256


def test_another_file_than_the_one_sent_is_thrown_away(uploads: Uploads) -> None:
    upload = uploads.begin("book.epub", len(BOOK))
    with pytest.raises(ConflictError):
        uploads.seal(upload, SHA256)
    uploads.append(upload, 0, comes(BOOK[:-1] + b"!"))
    with pytest.raises(DamagedUploadError):
        uploads.seal(upload, SHA256)
    for gone in (
        lambda: uploads.get(upload.id),
        lambda: upload.offset,
        lambda: uploads.append(upload, 0, comes(BOOK)),
    ):
        with pytest.raises(NotFoundError):
            gone()


@pytest.mark.parametrize("number", ["", "..", "../tmp", "A" * 32, "a" * 32, "a" * 33])
def test_only_what_was_begun_is_found(uploads: Uploads, number: str) -> None:
    whole(uploads)
    with pytest.raises(NotFoundError):
        uploads.get(number)
    uploads.remove(number)
    assert len(uploads.waiting()) == 1


def test_nothing_is_no_file(uploads: Uploads) -> None:
    with pytest.raises(BadInputError):
        uploads.begin("book.epub", 0)
    assert uploads.waiting() == []


def test_a_full_disk_keeps_what_has_come(uploads: Uploads) -> None:
    room = uploads.room()
    with pytest.raises(DiskFullError, match="full"):
        uploads.begin("huge.zip", room + 10**9)
    upload = uploads.begin("book.epub", len(BOOK))
    uploads.append(upload, 0, comes(BOOK[:BLOCK]))
    full = Uploads(uploads.root, kept_free=1 << 62)
    with pytest.raises(DiskFullError):
        full.append(upload, BLOCK, comes(BOOK[BLOCK:]))
    assert upload.offset == BLOCK
    assert len(uploads.waiting()) == 1
    uploads.append(upload, BLOCK, comes(BOOK[BLOCK:]))
    assert uploads.seal(upload).sha256 == SHA256


def with_room(uploads: Uploads, size: int) -> Uploads:
    """Give the same folder on a disk that has so much room, whatever ours has."""
    kept_free = uploads.kept_free + uploads.room() - size
    return Uploads(uploads.root, kept_free=kept_free)


def test_the_room_of_files_on_their_way_is_promised(uploads: Uploads) -> None:
    tight = with_room(uploads, 5 * GB)
    first = tight.begin("first.zip", 3 * GB)
    tight.append(first, 0, comes(BOOK))
    with pytest.raises(DiskFullError, match="on their way"):
        tight.begin("second.zip", 3 * GB)
    whole(tight)
    tight.remove(first.id)
    tight.begin("second.zip", 3 * GB)
    assert {each.name for each in tight.waiting()} == {"book.epub", "second.zip"}


def test_of_many_who_begin_at_once_only_those_with_room_do(uploads: Uploads) -> None:
    tight = with_room(uploads, 5 * GB)

    def begin(number: int) -> bool:
        try:
            tight.begin(f"{number}.zip", 2 * GB)
        except DiskFullError:
            return False
        return True

    with ThreadPoolExecutor(16) as crowd:
        begun = list(crowd.map(begin, range(16)))
    assert begun.count(True) == 2
    assert len(list(uploads.root.glob("*"))) == 2


def test_memory_stays_flat(uploads: Uploads) -> None:
    size = 64 << 20
    upload = uploads.begin("long.bin", size)
    left = size

    def read(most: int) -> bytes:
        nonlocal left
        most = min(most, left)
        left -= most
        return bytes(most)

    tracemalloc.start()
    try:
        uploads.append(upload, 0, read)
        uploads.seal(upload)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_what_nobody_goes_on_with_is_forgotten_after_a_day(
    shop: Shop, clock: Clock
) -> None:
    kept, left = whole(shop.uploads), whole(shop.uploads, "other.epub")
    now = shop.now().timestamp()
    for upload, age in ((kept, KEEP - timedelta(minutes=1)), (left, KEEP * 1.01)):
        for path in (upload.path.parent, *upload.path.parent.iterdir()):
            os.utime(path, times=(now, now - age.total_seconds()))

    worker._sweep(shop)

    assert shop.uploads.waiting() == [kept]


def test_an_upload_becomes_a_file_for_sale_without_a_copy(shop: Shop) -> None:
    upload = whole(shop.uploads)
    product = shelving.add_product(shop, [upload], price="15", name="The Book")
    [file] = product.files
    kept = shop.storage.path(SHA256)
    assert (file.name, file.sha256, file.size) == ("book.epub", SHA256, len(BOOK))
    assert kept.samefile(upload.path)
    again = shelving.add_product(shop, [upload], price="15", name="Once more")
    assert again.files[0].sha256 == SHA256
    shop.uploads.remove(upload.id)
    assert kept.read_bytes() == BOOK
    assert list(shop.storage.root.glob("tmp/*")) == []


def test_an_upload_that_is_not_whole_is_not_for_sale(shop: Shop) -> None:
    upload = shop.uploads.begin("book.epub", len(BOOK))
    with pytest.raises(ConflictError, match="not arrived"):
        shelving.add_product(shop, [upload], price="15")


def test_a_cover_may_be_an_upload(shop: Shop) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\0\0\x03\x84\0\0\x04\xb0" + bytes(9)
    cover = whole(shop.uploads, "cover.png", picture)
    book = make.product(shop, published=False)
    edited = shelving.edit_product(shop, book.slug, cover=cover, description="*New*")
    assert (edited.cover_width, edited.cover_height) == (900, 1200)
    assert (edited.description, edited.status) == ("*New*", ProductStatus.DRAFT)
    with pytest.raises(BadInputError, match="no picture"):
        shelving.store_cover(shop, whole(shop.uploads))


def test_what_was_just_put_there_is_not_swept_away(shop: Shop) -> None:
    """The form with an upload may be sent hours after its last byte."""
    upload = whole(shop.uploads)
    long_ago = (shop.now() - stock.SWEEP_AFTER * 2).timestamp()
    os.utime(upload.path, times=(long_ago, long_ago))
    shelving.store(shop, upload)
    assert stock.sweep(shop.database, shop.storage, shop.now()) == 0
    assert shop.storage.holds(SHA256)


def test_without_hard_links_it_is_copied(
    tmp_path: Path, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)  # as exFAT does
    storage, upload = LocalStorage(tmp_path / "storage"), whole(uploads)
    assert storage.adopt(upload.path, SHA256).size == len(BOOK)
    assert storage.holds(SHA256)
    assert not storage.path(SHA256).samefile(upload.path)
