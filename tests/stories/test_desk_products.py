"""A seller puts something on sale at the desk, changes it, and takes it off again."""

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from handsel.delivery.storage.uploads import Upload
from handsel.kit.money import Money
from handsel.models import AuditEntry, Product
from handsel.models.words import ProductStatus
from handsel.ops import sample, shelving
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.catalogue import NewProduct
from handsel.shop import Shop
from handsel.web.admin import product_form
from tests import make
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import buy
from tests.stories.desks import Seller

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\0\0\x03\x84\0\0\x04\xb0" + bytes(9)
NEW = {
    "name": "The Book",
    "description": "A *very* good book.",
    "price": "15",
    "version": "1.0",
    "limit": "5",
    "tax_class": "ebook",
    "do": "draft",
}


def uploaded(shop: Shop, name: str = "book.epub", content: bytes = make.BOOK) -> Upload:
    """A file that was sent and waits."""
    upload = shop.uploads.begin(name, len(content))
    shop.uploads.append(upload, 0, io.BytesIO(content).read)
    return shop.uploads.seal(upload)


def send(seller: Seller, url: str, fields: dict[str, Any]) -> TestResponse:
    """Send a form with what it says, lists among it, and follow where it leads."""
    data = MultiDict(fields | {"form_token": seller.form_word()})
    return seller.go_on(seller._ask("POST", url, data=data))


def fields_of(shop: Shop, slug: str) -> dict[str, Any]:
    """What the form of a product says, as a browser would send it back unchanged."""
    with shop.reading() as session:
        form = product_form.of(catalogue.get(session, slug), shop)
    return form.values | {
        "also": [usual for usual, _ in form.also],
        "also_sale": [lower for _, lower in form.also],
        "contains": list(form.contains),
    }


def get(shop: Shop, slug: str) -> Product:
    """A product as it is kept."""
    with shop.reading() as session:
        return catalogue.get(session, slug)


def noted(shop: Shop) -> list[tuple[str, str]]:
    """What the log says was done to what, but for who came in."""
    with shop.reading() as session:
        rows = session.execute(
            select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id)
        )
        return [(at, on) for at, on in rows if not at.startswith("staff.")]


def test_a_seller_sends_a_file_makes_a_draft_of_it_looks_and_puts_it_on_sale(
    seller: Seller, shop: Shop
) -> None:
    nothing = seller.get("/admin/products")
    assert "Nothing is for sale yet" in words(nothing)
    book, cover = uploaded(shop), uploaded(shop, "cover.png", PICTURE)
    page = seller.get("/admin/new-product")
    assert book.id in page.text

    made = send(
        seller, "/admin/new-product", NEW | {"upload": [book.id], "cover": cover.id}
    )

    assert "The Book is a draft" in words(made)
    assert shop.uploads.waiting() == []
    found = get(shop, "the-book")
    assert found.status is ProductStatus.DRAFT
    assert (found.price_minor, found.currency, found.tax_class) == (
        1500,
        "EUR",
        "ebook",
    )
    assert [file.name for file in found.files] == ["book.epub"]
    assert seller.get("/admin/products/the-book/cover").data == PICTURE
    stranger = Visitor(shop, app=seller.app)
    assert stranger.get("/p/the-book").status_code == 404

    seen = seller.get("/admin/products/the-book/preview")
    assert "Preview" in words(seen)
    assert "€15.00" in words(seen)
    assert '<fieldset class="still" disabled>' in seen.text
    assert form_of(seen, "/buy/the-book")
    assert "/admin/products/the-book/cover" in seen.text
    assert stranger.post("/buy/the-book", {"press": "x"}).status_code == 404

    on_sale = seller.press_and_follow(made, "/publish")
    assert "is on sale" in words(on_sale)
    assert stranger.get("/p/the-book").status_code == 200
    buy(stranger, "the-book")
    listed = words(seller.get("/admin/products"))
    assert "The Book on sale €15.00 1.0" in listed

    off = seller.press_and_follow(on_sale, "/unpublish")
    assert "its buyers keep it" in words(off)
    assert stranger.get("/p/the-book").status_code == 404
    assert noted(shop) == [
        ("product.added", "the-book"),
        ("product.published", "the-book"),
        ("product.unpublished", "the-book"),
    ]


def test_what_is_wrong_with_a_new_product_is_said_at_its_fields_and_nothing_is_lost(
    seller: Seller, shop: Shop
) -> None:
    book = uploaded(shop)
    wrong = NEW | {
        "name": "",
        "price": "much",
        "limit": "0",
        "slug": "No Good",
        "upload": [book.id],
        "description": "Typed with love.",
    }
    answer = send(seller, "/admin/new-product", wrong)
    assert answer.status_code == 422
    for field in ("name", "price", "limit", "slug"):
        assert f'id="{field}-error"' in answer.text
    assert "Typed with love." in answer.text
    assert f'value="{book.id}" form="product" checked' in answer.text
    assert "--" not in words(answer).replace("-->", "")
    without = send(seller, "/admin/new-product", NEW)
    assert "Send a file to sell" in words(without)
    gone = send(seller, "/admin/new-product", NEW | {"upload": ["a" * 32]})
    assert "not here any more" in words(gone)
    assert noted(shop) == []
    assert len(shop.uploads.waiting()) == 1
    make.product(shop, slug="the-book")
    taken = send(seller, "/admin/new-product", NEW | {"upload": [book.id]})
    assert taken.status_code == 422
    assert "There is a product called the-book already" in words(taken)


def test_a_file_that_was_chosen_and_not_sent_is_not_left_out_without_a_word(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    # Without scripts a form that sends no files sends the name of what was chosen.
    typed = fields_of(shop, "book") | {"description": "New.", "file": ["cover.png"]}
    kept = send(seller, "/admin/products/book", typed)
    waits = {"upload": [uploaded(shop).id], "file": ["a.pdf", "b.pdf"]}
    new = send(seller, "/admin/new-product", NEW | waits)
    version = {"version": "2.0", "notes": "More."} | waits
    release = send(seller, "/admin/products/book/release", version)
    looked = send(seller, "/admin/products/book", typed | {"do": "look"})

    one = "cover.png was not sent yet. Choose it once more, and press Send first."
    both = "a.pdf, b.pdf were not sent yet. Choose them once more"
    for page, said, here in (
        (kept, one, "New."),
        (looked, one, "New."),
        (new, both, NEW["description"]),
        (release, both, "More."),
    ):
        assert page.status_code == (200 if page is looked else 422)
        assert said in words(page)
        assert 'id="files-error"' in page.text
        assert here in page.text
    assert noted(shop) == []
    nothing = send(seller, "/admin/products/book", typed | {"file": [""]})
    assert "is saved" in words(nothing)


@pytest.fixture
def in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose clock is five and a half hours ahead of UTC."""
    with monkeypatch.context() as environment:
        environment.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_kolkata")
def test_moments_that_are_typed_are_of_utc_wherever_the_server_is(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    fields = fields_of(shop, "book") | {
        "sale": "12.50",
        "sale_until": "2026-12-24T18:00",
    }
    send(seller, "/admin/products/book", fields)
    assert get(shop, "book").sale_ends_at == datetime(2026, 12, 24, 18, tzinfo=UTC)
    form = seller.get("/admin/products/book").text
    assert 'value="2026-12-24T18:00"' in form
    assert "End of the sale, UTC" in form
    coupon = {"code": "XMAS", "value": "10", "ends_at": "2026-12-24T18:00"}
    send(seller, "/admin/new-coupon", coupon)
    assert "2026-12-24 18:00 UTC" in words(seller.get("/admin/coupons/XMAS"))


def test_all_of_a_product_can_be_changed(seller: Seller, shop: Shop) -> None:
    make.product(shop)
    make.product(shop, slug="song", name="The Song")
    fields = fields_of(shop, "book") | {
        "name": "The Better Book",
        "description": "## Now better",
        "price": "20",
        "sale": "12.50",
        "sale_until": "2026-12-24T18:00",
        "also": ["22 USD", "18 GBP", ""],
        "also_sale": ["14", "", ""],
        "limit": "3",
        "tax_class": "audiobook",
        "contains": ["song"],
        "family": "books",
        "edition": "Better",
        "button": "Get it",
    }
    answer = send(seller, "/admin/products/book", fields)
    assert "The Better Book is saved" in words(answer)
    found = get(shop, "book")
    assert (found.name, found.price_minor, found.sale_minor) == (
        "The Better Book",
        2000,
        1250,
    )
    others = {
        each.currency: (each.price_minor, each.sale_minor) for each in found.prices
    }
    assert others == {"USD": (2200, 1400), "GBP": (1800, None)}
    assert found.sale_ends_at
    assert (found.download_limit, found.tax_class) == (3, "audiobook")
    assert [each.slug for each in found.contents] == ["song"]
    assert (found.family, found.edition, found.button) == ("books", "Better", "Get it")

    back = fields_of(shop, "book") | {
        "sale": "",
        "sale_until": "",
        "also": [],
        "also_sale": [],
        "contains": [],
        "family": "",
        "edition": "",
        "button": "",
        "open_price": "yes",
        "suggest": "25; 30",
    }
    assert "is saved" in words(send(seller, "/admin/products/book", back))
    found = get(shop, "book")
    assert (found.sale_minor, found.sale_ends_at, found.prices) == (None, None, [])
    assert (found.contents, found.family, found.button) == ([], None, None)
    assert (found.open_price, found.suggestions) == (True, [2500, 3000])
    with shop.reading() as session:
        details = session.scalars(
            select(AuditEntry.detail).order_by(AuditEntry.id.desc())
        )
        told = details.first()
    assert told
    assert told["Amounts to choose from"] == {"was": "", "now": "25; 30"}
    log = words(seller.get("/admin/audit"))
    assert "Amounts to choose from: nothing became 25; 30" in log


def test_a_cover_is_taken_away(seller: Seller, shop: Shop) -> None:
    make.product(shop)
    shelving.edit_product(shop, "book", cover=sample.sample_cover())
    page = seller.get("/admin/products/book").text
    assert "None: take it away" in page

    sent = fields_of(shop, "book") | {"cover": "none"}
    assert "is saved" in words(send(seller, "/admin/products/book", sent))
    assert get(shop, "book").cover is None
    assert seller.get("/admin/products/book/cover").status_code == 404
    assert "take it away" not in seller.get("/admin/products/book").text
    send(seller, "/admin/products/book", fields_of(shop, "book") | {"cover": "none"})
    assert noted(shop) == [("product.changed", "book")]


def test_saving_what_was_not_changed_changes_nothing(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    shelving.edit_product(shop, "book", description="From\n\na file.\n", also=["9 USD"])
    before = fields_of(shop, "book")
    sent = before | {"description": "From\r\n\r\na file.\r\n"}  # as browsers do
    answer = send(seller, "/admin/products/book", sent)
    assert "is saved" in words(answer)
    assert fields_of(shop, "book") == before
    assert noted(shop) == []


def test_whoever_comes_second_is_told_and_loses_nothing(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    mine = fields_of(shop, "book") | {"name": "My name", "description": "My words."}
    shelving.edit_product(shop, "book", name="Their name", price="9")

    answer = send(seller, "/admin/products/book", mine)

    assert answer.status_code == 409
    said = words(answer)
    assert "was changed by somebody else" in said
    assert "Name Their name My name" in said
    assert "Price 9.00 15.00" in said
    assert "My words." in answer.text
    assert get(shop, "book").name == "Their name"
    seen = form_of(answer, "/admin/products/book").fields["seen"]
    again = send(seller, "/admin/products/book", mine | {"seen": seen, "price": "9.00"})
    assert "My name is saved" in words(again)
    found = get(shop, "book")
    assert (found.name, found.price_minor) == ("My name", 900)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sale": "15"}, "is not below the usual price"),
        ({"sale_until": "2027-01-01T10:00"}, "There is no sale to end"),
        ({"sale": "9", "sale_until": "2020-01-01T10:00"}, "would be over already"),
        ({"sale": "9", "sale_until": "tomorrow"}, "is no time"),
        ({"suggest": "20"}, "Amounts are only suggested"),
        ({"also": ["17 XXX"], "also_sale": [""]}, "XXX"),
        ({"also": ["17 USD"], "also_sale": ["12"]}, "A sale has a price in the first"),
        ({"price": ""}, "There is no price"),
        ({"limit": "1001"}, "1 to 1000 times"),
        ({"tax_class": "wine"}, "no such tax class"),
        ({"family": "books"}, "An edition has a name"),
        ({"button": "x" * 41}, "40 letters at most"),
        ({"template": "nothing.html"}, "no readable templates/nothing.html"),
        ({"contains": ["nothing"]}, "There is no product called nothing"),
        ({"contains": ["book"]}, "cannot be in book"),
        ({"cover": "a" * 32}, "not here any more"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_is_refused_in_words(
    seller: Seller, shop: Shop, fields: dict[str, Any], said: str
) -> None:
    make.product(shop)
    before = fields_of(shop, "book")
    answer = send(seller, "/admin/products/book", before | fields)
    assert answer.status_code >= 400
    assert said in words(answer)
    assert "--" not in words(answer)
    assert fields_of(shop, "book") == before


def test_a_description_is_looked_at_before_it_is_saved(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    text = "**Bold** <script>alert(1)</script>"
    typed = fields_of(shop, "book") | {"description": text, "do": "look"}
    looked = send(seller, "/admin/products/book", typed)
    assert "<strong>Bold</strong> &lt;script&gt;" in looked.text
    assert get(shop, "book").description == "A *very* good book."
    piece = send(seller, "/admin/markdown", {"text": text})
    assert piece.text.strip().startswith("<p><strong>Bold</strong>")
    new = send(seller, "/admin/new-product", NEW | {"description": text, "do": "look"})
    assert "<strong>Bold</strong>" in new.text


def test_a_new_version_is_looked_at_and_then_is_there_for_every_buyer(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    buyer = Visitor(shop, app=seller.app)
    link = buy(buyer).request.path
    fresh = uploaded(shop, "book.epub", b"The second edition.")
    typed = {"version": "2.0", "notes": "Now *with pictures*.", "upload": [fresh.id]}
    empty = send(seller, "/admin/products/book/release", {"version": "2.0"})
    assert "No file is ticked" in words(empty)

    plan = send(seller, "/admin/products/book/release", typed)

    assert "Nothing has changed yet" in words(plan)
    assert "book.epub new, 19 bytes" in words(plan)
    assert "<em>with pictures</em>" in plan.text
    assert len(get(shop, "book").releases) == 1
    back = seller.press(plan, "/release", {"do": "back"})
    assert "Now *with pictures*." in back.text
    done = send(seller, "/admin/products/book/release", typed | {"do": "publish"})
    assert "Version 2.0 is there" in words(done)
    assert get(shop, "book").releases[-1].version == "2.0"
    assert "New in 2.0" in words(buyer.get(link))
    assert shop.uploads.waiting() == []
    assert noted(shop) == [("release.published", "book")]
    other = uploaded(shop, "book.epub", b"Another.")
    twice = typed | {"upload": [other.id], "do": "publish"}
    taken = send(seller, "/admin/products/book/release", twice)
    assert taken.status_code == 409
    assert "There is a version 2.0" in words(taken)


def test_links_and_buttons_are_copied_from_a_page(seller: Seller, shop: Shop) -> None:
    make.product(shop)
    page = seller.get("/admin/products/book/embed")
    assert "data-handsel=&#34;overlay&#34;" in page.text
    assert 'aria-label="QR code: http' in page.text
    code = seller.get("/admin/products/book/code.svg")
    assert code.mimetype == "image/svg+xml"
    assert "attachment" in code.headers["Content-Disposition"]
    send(seller, "/admin/products/book/unpublish", {})
    draft = seller.get("/admin/products/book/embed")
    assert draft.status_code == 409
    assert "is a draft" in words(draft)


def test_a_long_list_comes_in_pages_and_by_state(seller: Seller, shop: Shop) -> None:
    stored = [shelving.store(shop, make.book_file(shop.home / "to-sell"))]
    with shop.transaction() as session:
        for number in range(60):
            new = NewProduct(
                slug=f"book-{number}",
                name=f"Book {number}",
                asking=Asking(Money(100, "EUR")),
                published=number % 2 == 0,
            )
            catalogue.add(session, new, stored, None, shop.now())
    first = seller.get("/admin/products")
    assert "Book 59" in words(first)
    assert "Book 9 " not in words(first)
    [onward] = [
        part.split('"')[0]
        for part in first.text.split('href="')
        if "after=" in part.split('"')[0]
    ]
    assert "Book 9 " in words(seller.get(onward.replace("&amp;", "&")))
    drafts = words(seller.get("/admin/products?status=draft"))
    assert "Book 59" in drafts
    assert "Book 58" not in drafts
    assert seller.get("/admin/products?status=nonsense&after=x").status_code == 200


def test_what_is_not_there_is_not_found(seller: Seller) -> None:
    for path in ("", "/preview", "/cover", "/release", "/embed", "/code.svg"):
        assert seller.get(f"/admin/products/nothing{path}").status_code == 404
    for path in ("", "/publish", "/unpublish", "/release"):
        fields: dict[str, Any] = {"version": "1.0", "upload": []}
        answer = send(seller, f"/admin/products/nothing{path}", fields)
        assert answer.status_code == 404
