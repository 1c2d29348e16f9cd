"""Files come to the desk in pieces, from the people who run the shop and nobody else."""

import base64
import hashlib
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete
from werkzeug.test import TestResponse

from handsel.models import Staff, StaffSession
from handsel.ops import sample
from handsel.shop import Shop
from handsel.web.admin.tray import WHOLE
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.desks import Seller
from tests.stories.test_desk_products import fields_of, send

BOOK = b"A page.\n" * 1000
DIGEST = base64.b64encode(hashlib.sha256(BOOK).digest()).decode()
TUS = {"Tus-Resumable": "1.0.0"}
PLACE = "/admin/uploads"
FORM = "multipart/form-data; boundary=x"
WHOLE_OF_NEW = "/whole?next=/admin/new-product"


def named(name: str) -> str:
    """What is said about a file called so."""
    return f"filetype dGV4dA==,filename {base64.b64encode(name.encode()).decode()}"


class Sender:
    """A program of the seller's that speaks tus."""

    def __init__(self, seller: Seller) -> None:
        self.seller = seller
        self.word = {"X-Form-Token": seller.form_word()}

    def begin(self, size: int = len(BOOK), name: str = "book.epub") -> TestResponse:
        """Say what will come."""
        about = {"Upload-Length": str(size), "Upload-Metadata": named(name)}
        return self.ask("POST", PLACE, about)

    def place(self) -> str:
        """Begin, and give where the pieces go."""
        return self.begin().headers["Location"]

    def piece(
        self, place: str, at: int, content: bytes, method: str = "PATCH", **more: str
    ) -> TestResponse:
        """Send a piece."""
        headers = {"Upload-Offset": str(at), **more}
        headers.setdefault("Content-Type", "application/offset+octet-stream")
        return self.ask(method, place, headers, content)

    def ask(
        self,
        method: str,
        place: str,
        headers: dict[str, str] | None = None,
        content: bytes = b"",
    ) -> TestResponse:
        """Send any request."""
        told = {**TUS, **self.word, **(headers or {})}
        return self.seller._ask(method, place, data=content, headers=told)


@pytest.fixture
def sender(seller: Seller) -> Sender:
    return Sender(seller)


def test_a_file_comes_in_pieces_and_is_whole(sender: Sender, shop: Shop) -> None:
    begun = sender.begin(name="Größe.epub")
    place = begun.headers["Location"]
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "0")
    first = sender.piece(place, 0, BOOK[:3000])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "3000")
    looked = sender.ask("HEAD", place)
    assert looked.headers["Upload-Offset"] == "3000"
    assert looked.headers["Upload-Length"] == "8000"
    assert looked.headers["Cache-Control"] == "no-store"
    assert "Upload-Expires" in looked.headers
    assert "Repr-Digest" not in looked.headers
    last = sender.piece(
        place, 3000, BOOK[3000:], **{"Repr-Digest": f"sha-256=:{DIGEST}:"}
    )
    assert last.headers["Repr-Digest"] == f"sha-256=:{DIGEST}:"
    [here] = shop.uploads.waiting()
    assert (here.name, here.path.read_bytes()) == ("Größe.epub", BOOK)
    assert "Größe.epub" in words(sender.seller.get(PLACE))
    for answer in (begun, first, looked, last):
        assert answer.headers["Tus-Resumable"] == "1.0.0"


def test_a_program_that_knows_no_digest_is_told_it(sender: Sender) -> None:
    place = sender.place()
    done = sender.piece(place, 0, BOOK)
    assert done.headers["Repr-Digest"] == f"sha-256=:{DIGEST}:"
    again = sender.piece(place, len(BOOK), b"")
    assert again.headers["Repr-Digest"] == done.headers["Repr-Digest"]


def test_a_piece_from_elsewhere_is_told_where_to_go_on(sender: Sender) -> None:
    place = sender.place()
    sender.piece(place, 0, BOOK[:100])
    for at in (0, 99, 101, 8000):
        refused = sender.piece(place, at, BOOK[at:])
        assert (refused.status_code, refused.headers["Upload-Offset"]) == (409, "100")
    assert sender.piece(place, 100, BOOK).status_code in (413, 422)
    assert sender.ask("HEAD", place).headers["Upload-Offset"] == "100"


def test_what_the_protocol_refuses(sender: Sender) -> None:
    place = sender.place()
    offered = sender.ask("OPTIONS", PLACE)
    assert offered.headers["Tus-Extension"] == "creation,expiration,termination"
    old = sender.ask("HEAD", place, {"Tus-Resumable": "0.2.2"})
    assert (old.status_code, old.headers["Tus-Version"]) == (412, "1.0.0")
    typed = sender.piece(place, 0, BOOK, **{"Content-Type": "text/plain"})
    assert typed.status_code == 415
    for headers in (
        {"Upload-Length": "-1", "Upload-Metadata": named("x")},
        {"Upload-Length": "9" * 18, "Upload-Metadata": named("x")},
        {"Upload-Metadata": named("x")},
        {"Upload-Length": "0", "Upload-Metadata": named("x")},
        {"Upload-Length": "10", "Upload-Metadata": "filename ///"},
        {"Upload-Length": "10"},
    ):
        assert sender.ask("POST", PLACE, headers).status_code == 422
    assert sender.piece(place, 0, b"", **{"Upload-Offset": "x"}).status_code == 422
    assert sender.ask("HEAD", f"{PLACE}/{'0' * 32}").status_code == 404
    assert sender.ask("POST", place).status_code == 422


def test_a_full_disk_is_said_in_words(sender: Sender, shop: Shop) -> None:
    answer = sender.begin(size=shop.uploads.room() + 10**10)
    assert answer.status_code == 507
    assert "The disk of the shop is full" in answer.text
    assert shop.uploads.waiting() == []


def test_another_file_than_was_meant_is_thrown_away(sender: Sender, shop: Shop) -> None:
    place = sender.place()
    other = {"Repr-Digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"}
    answer = sender.piece(place, 0, BOOK, **other)
    assert answer.status_code == 422
    assert "is not what was sent" in answer.text
    assert shop.uploads.waiting() == []


def test_an_upload_can_be_left(sender: Sender, shop: Shop) -> None:
    place = sender.place()
    assert sender.ask("DELETE", place).status_code == 204
    assert sender.ask("HEAD", place).status_code == 404
    place = sender.place()
    override = {"X-HTTP-Method-Override": "PATCH"}
    assert sender.piece(place, 0, BOOK[:5], "POST", **override).status_code == 204
    override = {"X-HTTP-Method-Override": "DELETE"}
    assert sender.ask("POST", place, override).status_code == 204
    assert shop.uploads.waiting() == []


class NobodysBusiness(io.RawIOBase):
    """A body that must not be read: whoever sends it could hold a thread for ever."""

    read_at_all = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self.read_at_all = True
        return 0


def long_body(
    visitor: Visitor,
    method: str,
    url: str,
    kind: str,
    body: NobodysBusiness,
    *,
    size: int = 10**9,
) -> TestResponse:
    """Send a request whose body has only been promised."""
    return visitor.client.open(
        url,
        method=method,
        base_url=visitor._base,
        headers={**TUS, "Upload-Offset": "0"},
        environ_overrides={
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(size),
        },
    )


class SlowBody(io.RawIOBase):
    """A body that comes in so many pieces; something happens before each but the first."""

    def __init__(self, pieces: int, between: Callable[[], object]) -> None:
        self.left, self.between, self.begun = pieces, between, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self.begun:
            self.between()
        self.begun = True
        if not self.left:
            return 0
        self.left -= 1
        buffer[:100] = b"x" * 100
        return 100


def slowly(
    sender: Sender, pieces: int, between: Callable[[], object]
) -> tuple[int, int]:
    """Send a file in one request that lasts; give the answer and how much is here."""
    place = sender.begin(size=pieces * 100).headers["Location"]
    answer = sender.seller.client.open(
        place,
        method="PATCH",
        base_url=sender.seller._base,
        headers={**TUS, **sender.word, "Upload-Offset": "0"},
        environ_overrides={
            "wsgi.input": SlowBody(pieces, between),
            "wsgi.input_terminated": True,
            "CONTENT_TYPE": "application/offset+octet-stream",
            "CONTENT_LENGTH": str(pieces * 100),
            "REMOTE_ADDR": "127.0.0.1",
        },
    )
    [here] = sender.seller._shop.uploads.waiting()
    assert (here.sha256 != "") is (answer.status_code == 204)
    return answer.status_code, here.offset


def test_whoever_is_signed_out_meanwhile_sends_no_file(
    sender: Sender, shop: Shop
) -> None:
    def take_out() -> None:
        with shop.transaction() as session:
            session.execute(delete(StaffSession))

    assert slowly(sender, 5, take_out) == (401, 500)


def test_an_upload_of_somebody_who_was_taken_out_stops_within_a_minute(
    sender: Sender, shop: Shop, clock: Clock
) -> None:
    def take_out() -> None:
        clock.move(seconds=20)
        with shop.transaction() as session:
            session.execute(delete(Staff))

    status, came = slowly(sender, 50, take_out)
    assert status == 401
    assert came <= 400


def test_a_file_that_comes_for_an_hour_keeps_its_sender_signed_in(
    sender: Sender, clock: Clock
) -> None:
    assert slowly(sender, 60, lambda: clock.move(minutes=1)) == (204, 6000)
    assert sender.seller.get("/admin/").status_code == 200


@pytest.mark.parametrize("kind", ["application/offset+octet-stream", FORM])
def test_nothing_of_a_stranger_is_read(shop: Shop, sender: Sender, kind: str) -> None:
    place = sender.place()
    body = NobodysBusiness()
    stranger = Visitor(shop, app=sender.seller.app)
    for method, url in (
        ("PATCH", place),
        ("POST", place),
        ("POST", PLACE),
        ("POST", f"{PLACE}/whole"),
        ("POST", f"{place}/remove"),
        ("DELETE", place),
    ):
        answer = long_body(stranger, method, url, kind, body)
        assert answer.status_code in (303, 401), (method, url)
    assert not body.read_at_all
    assert len(shop.uploads.waiting()) == 1


def test_a_page_of_somebody_else_sends_nothing_here(sender: Sender, shop: Shop) -> None:
    place = sender.place()
    sender.word = {}
    assert sender.begin().status_code == 403
    assert sender.piece(place, 0, BOOK).status_code == 403
    assert sender.ask("DELETE", place).status_code == 403
    sender.word = {"Sec-Fetch-Site": "cross-site"}
    assert sender.piece(place, 0, BOOK).status_code == 403
    assert [each.offset for each in shop.uploads.waiting()] == [0]


def test_without_scripts_files_come_whole(seller: Seller, shop: Shop) -> None:
    page = seller.get(PLACE)
    answer = seller.press_and_follow(page, "/whole", {"file": files(seller)})
    assert "a.pdf, b.pdf: here" in words(answer)
    assert {each.name for each in shop.uploads.waiting()} == {"a.pdf", "b.pdf"}
    nothing = seller.press(page, "/whole")
    assert nothing.status_code == 422
    assert "No file was chosen" in words(nothing)
    left = seller.press_and_follow(seller.get(PLACE), "/remove")
    assert "gone from here" in words(left)
    assert len(shop.uploads.waiting()) == 1


def files(seller: Seller) -> Any:
    """Two files, as the client of the tests sends them."""
    return [(io.BytesIO(make.BOOK), "a.pdf"), (io.BytesIO(b"other"), "b.pdf")]


def test_what_was_typed_of_a_new_product_comes_back_with_its_files(
    seller: Seller, shop: Shop
) -> None:
    page = seller.get("/admin/new-product")
    typed: dict[str, Any] = {
        "name": "The Book",
        "description": "Two\nlines.",
        "price": "7,50",
        "cover": "",
    }
    sent = [(io.BytesIO(make.BOOK), "a.pdf"), (io.BytesIO(sample_cover()), "c.png")]

    again = seller.press(page, WHOLE_OF_NEW, typed | {"file": sent})

    assert again.status_code == 200
    assert "a.pdf, c.png: here" in words(again)
    fields = form_of(again, "/admin/new-product").fields
    assert (fields["name"], fields["price"]) == ("The Book", "7,50")
    assert "Two\nlines." in again.text
    book, cover = sorted(shop.uploads.waiting(), key=lambda each: each.name)
    assert f'value="{book.id}" form="product" checked' in again.text
    assert f'value="{cover.id}" form="product" checked' not in again.text
    assert f'<option value="{cover.id}" selected>' in again.text
    more: dict[str, Any] = {
        **typed,
        "upload": book.id,
        "cover": cover.id,
        "file": files(seller),
    }
    once_more = seller.press(again, WHOLE_OF_NEW, more)
    assert once_more.text.count('form="product" checked') == 3
    nothing = seller.press(again, WHOLE_OF_NEW, typed)
    assert nothing.status_code == 422
    assert "No file was chosen" in words(nothing)
    assert "Two\nlines." in nothing.text


def test_what_came_beside_a_file_that_cannot_be_kept_is_ticked(
    seller: Seller, shop: Shop
) -> None:
    first, last = files(seller)
    sent: dict[str, Any] = {"file": [first, (io.BytesIO(b""), "book.epub"), last]}

    again = seller.press(seller.get("/admin/new-product"), WHOLE_OF_NEW, sent)

    assert again.status_code == 422
    assert "book.epub is empty" in words(again)
    assert "a.pdf, b.pdf: here" in words(again)
    here = shop.uploads.waiting()
    assert {each.name for each in here} == {"a.pdf", "b.pdf"}
    for each in here:
        assert f'value="{each.id}" form="product" checked' in again.text


def test_what_was_typed_of_a_version_and_of_a_product_comes_back_with_files(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    place = "/admin/products/book"
    typed: dict[str, Any] = {"version": "1.1", "notes": "More of it.", "replace": "yes"}
    sent = {"file": [(io.BytesIO(b"more"), "book.epub")]}
    again = seller.press(
        seller.get(f"{place}/release"),
        f"/whole?next={place}/release",
        typed | sent,
    )
    assert "book.epub: here" in words(again)
    assert form_of(again, f"{place}/release").fields["version"] == "1.1"
    assert "More of it." in again.text
    [book] = shop.uploads.waiting()
    assert f'value="{book.id}" form="release" checked' in again.text

    picture = [(io.BytesIO(sample_cover()), "c.png")]
    named: dict[str, Any] = {"name": "Another name", "cover": "", "file": picture}
    cover = seller.press(seller.get(place), f"/whole?next={place}", named)
    assert form_of(cover, place).fields["name"] == "Another name"
    fields = fields_of(shop, "book") | {"name": "Another name", "cover": chosen(cover)}
    saved = send(seller, place, fields)
    assert "Another name is saved." in words(saved)
    assert seller.get(f"{place}/cover").data == sample_cover()


def test_a_page_that_is_none_of_ours_is_not_shown_again(
    seller: Seller, shop: Shop
) -> None:
    for place in (
        "/admin/products/none/release",
        "/admin/nowhere",
        "https://e.example",
    ):
        answer = seller.post(
            f"{PLACE}/whole?next={place}",
            {"file": files(seller), "form_token": seller.form_word()},
        )
        assert answer.status_code in (303, 404), place


def sample_cover() -> bytes:
    """A picture that can be a cover."""
    return sample.sample_cover().read_bytes()


def chosen(page: TestResponse) -> str:
    """The cover that is chosen on a page."""
    found = re.search(r'<option value="([0-9a-f]+)" selected>', page.text)
    assert found
    return found[1]


def test_too_much_at_once_is_said_on_the_page(seller: Seller) -> None:
    body = NobodysBusiness()
    answer = long_body(seller, "POST", f"{PLACE}/whole", FORM, body, size=WHOLE + 1)
    assert answer.status_code == 413
    assert "100 MB at a time" in words(answer)
