"""Several products for one price: one purchase, one page, each with its own editions."""

import pytest

from handsel.kit.errors import BadInputError, NotFoundError
from handsel.kit.money import Money
from handsel.ops import campaigning, releasing
from handsel.ops.releasing import Sending, Wanted
from handsel.sales import catalogue
from handsel.sales.asking import Asking
from handsel.sales.catalogue import Changes, NewProduct
from handsel.sales.releases import NewRelease
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import rows, untrue
from tests.ground.visitor import Visitor, form_of, words
from tests.ops import keeping
from tests.stories.buyers import buy, download, facts, mails, pay, payment_page
from tests.stories.test_release import news, send

FONT = b"letters\n" * 5000


@pytest.fixture
def bundle(shop: Shop) -> Shop:
    """A shop with a book, a font, and both together."""
    make.product(shop)
    make.product(shop, slug="font", name="The Font", files={"font.otf": FONT})
    new = NewProduct(
        slug="both",
        name="Both",
        asking=Asking(Money(2000, "EUR")),
        contents=("book", "font"),
    )
    with shop.transaction() as session:
        catalogue.add(session, new, [], None, shop.now())
    return shop


def edition(shop: Shop, slug: str, content: bytes) -> None:
    """Bring out version 1.1 of a product, and write to its buyers."""
    path = make.book_file(shop.home / "new", f"{slug}.epub", content)
    wanted = Wanted(slug, [path], NewRelease("1.1"), Sending())
    made = releasing.publish(shop, wanted, mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)
    send(shop, made.campaign_id)


def test_one_purchase_opens_both(bundle: Shop, visitor: Visitor) -> None:
    page = visitor.get("/p/both")
    opened = buy(visitor, "both")

    assert "The Book" in words(page)
    assert "font.otf" in words(page)
    assert words(opened).index("book.epub") < words(opened).index("font.otf")
    assert download(visitor, opened, 1).data == make.BOOK
    assert download(visitor, opened, 2).data == FONT
    [mail] = mails(bundle)
    assert "book.epub, 72 kB" in mail.text
    assert "font.otf, 40 kB" in mail.text
    assert facts(bundle)["product"] == "both"
    assert "You bought this" in words(visitor.get("/p/font"))
    assert untrue(bundle) == {}


def test_each_file_has_downloads_of_its_own(bundle: Shop, visitor: Visitor) -> None:
    opened = buy(visitor, "both")
    for _ in range(5):
        other = visitor.device()
        download(other, other.get(opened.request.path), 1)

    late = visitor.device()
    page = late.get(opened.request.path)

    assert "all 5 downloads are used up" in words(page)
    assert download(late, page, 2).data == FONT
    assert untrue(bundle) == {}


def test_a_new_edition_of_what_is_in_it_reaches_its_buyers(
    bundle: Shop, visitor: Visitor
) -> None:
    opened = buy(visitor, "both", email="both@example.com")
    buy(visitor.device(), "font", email="font@example.com")
    mails(bundle)

    edition(bundle, "book", b"better" * 9000)

    assert [each.to for each in news(bundle)] == ["both@example.com"]
    page = visitor.get(opened.request.path)
    assert "New in 1.1" in words(page)
    assert "Older versions" in words(page)
    assert download(visitor, page, 3).data == b"better" * 9000
    assert download(visitor, page, 1).data == make.BOOK


def test_an_edition_from_before_the_purchase_is_no_news(
    bundle: Shop, visitor: Visitor
) -> None:
    path = make.book_file(bundle.home / "new", "book.epub", b"second" * 9000)
    wanted = Wanted("book", [path], NewRelease("1.1"))
    releasing.publish(bundle, wanted, mail=False)

    opened = buy(visitor, "both")

    assert "New in" not in words(opened)
    assert "Older versions" not in words(opened)
    assert visitor.press(opened, f"{opened.request.path}/3").status_code == 303
    fields = form_of(opened, f"{opened.request.path}/3").fields
    assert visitor.post(f"{opened.request.path}/1", fields).status_code == 404


def test_a_refund_closes_all_of_it_at_once(bundle: Shop, visitor: Visitor) -> None:
    opened = buy(visitor, "both")
    grant = visitor.press(opened, f"{opened.request.path}/2").headers["Location"]

    keeping.refund(bundle, "H-1001", 2000)

    closed = visitor.get(opened.request.path)
    assert "This order was refunded" in words(closed)
    assert "font.otf" not in words(closed)
    assert visitor.get(grant).status_code == 403
    assert facts(bundle)["access"] is False
    assert untrue(bundle) == {}


def test_what_is_put_in_later_is_not_of_those_who_bought_before(
    bundle: Shop, visitor: Visitor
) -> None:
    make.product(bundle, slug="song", name="The Song", files={"song.ogg": FONT})
    before = buy(visitor, "both")

    with bundle.transaction() as session:
        catalogue.edit(
            session, "both", Changes(contents=("book", "song")), bundle.now()
        )
    after = buy(visitor.device(), "both")
    keeping.refund(bundle, "H-1001", 100)

    assert "song.ogg" not in words(visitor.get(before.request.path))
    assert "font.otf" in words(visitor.get(before.request.path))
    assert "song.ogg" in words(after)
    assert "font.otf" not in words(after)
    assert rows(bundle)["entitlements"] == 6
    assert untrue(bundle) == {}


def test_a_bundle_is_what_it_was_when_the_buyer_set_out_to_pay(
    bundle: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(bundle, slug="song", name="The Song", files={"song.ogg": FONT})
    page = payment_page(visitor, "both")
    clock.move(minutes=5)
    with bundle.transaction() as session:
        catalogue.edit(session, "both", Changes(contents=("song",)), bundle.now())

    opened = pay(visitor, page)

    assert "font.otf" in words(opened)
    assert "book.epub" in words(opened)
    assert "song.ogg" not in words(opened)


def test_a_bundle_is_given_and_may_have_files_of_its_own(bundle: Shop) -> None:
    file = make.book_file(bundle.home / "extra", "extra.txt", b"thanks")
    from handsel.ops import giving, shelving

    shelving.add_product(
        bundle, [file], price="30", name="All", slug="all", contains=["font", "book"]
    )

    giving.give(bundle, "all", "ann@example.com")

    [mail] = mails(bundle)
    names = [
        name for name in ("extra.txt", "font.otf", "book.epub") if name in mail.text
    ]
    assert names == ["extra.txt", "font.otf", "book.epub"]


@pytest.mark.parametrize(
    ("slug", "contents", "error"),
    [
        ("both", ("both",), BadInputError),
        ("font", ("both",), BadInputError),
        ("book", ("font",), BadInputError),
        ("both", ("nothing",), NotFoundError),
    ],
)
def test_a_bundle_has_products_in_it_and_no_bundles(
    bundle: Shop, slug: str, contents: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error), bundle.transaction() as session:
        catalogue.edit(session, slug, Changes(contents=contents), bundle.now())
    with bundle.reading() as session:
        inside = [each.slug for each in catalogue.get(session, "both").contents]
    assert inside == ["book", "font"]
