"""A product that was a slip is deleted at the desk; one that was sold stays."""

from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, words
from tests.ops import keeping
from tests.stories.desks import Seller
from tests.stories.test_desk_products import NEW, noted, send, uploaded

GO = "/products/book/delete"


def test_a_slip_is_deleted_after_the_password_and_the_log_keeps_it(
    seller: Seller, shop: Shop, clock: Clock
) -> None:
    new = NEW | {"slug": "book", "upload": [uploaded(shop).id], "do": "publish"}
    assert "is on sale" in words(send(seller, "/admin/new-product", new))
    assert "/admin/products/book" in seller.get("/admin/audit").text
    clock.move(minutes=11)
    page = seller.get("/admin/products/book")
    assert "It cannot be undone." in words(page)
    asked = seller.press(page, GO)
    assert asked.status_code == 403
    stranger = Visitor(shop, app=seller.app)
    assert stranger.get("/p/book").status_code == 200

    gone = seller.do(page, GO)

    assert "The Book is deleted." in words(gone)
    assert "Nothing is for sale yet" in words(gone)
    assert stranger.get("/p/book").status_code == 404
    assert seller.get("/admin/products/book").status_code == 404
    assert noted(shop) == [("product.added", "book"), ("product.deleted", "book")]
    log = seller.get("/admin/audit")
    assert "Added a product" in words(log)
    assert "Deleted a product" in words(log)
    assert "/admin/products/book" not in log.text
    assert seller.do(page, GO).status_code == 404
    make.product(shop, name="The Book, at last")
    assert stranger.get("/p/book").status_code == 200
    assert "/admin/products/book" in seller.get("/admin/audit").text


def test_what_was_sold_meanwhile_stays_and_the_page_says_why(
    seller: Seller, shop: Shop
) -> None:
    make.product(shop)
    page = seller.get("/admin/products/book")
    keeping.buy(shop)

    late = seller.do(page, GO)

    assert late.status_code == 409
    assert "Nothing was deleted. book was ordered once" in words(late)
    now = seller.get("/admin/products/book")
    assert "It cannot be deleted. book was ordered once" in words(now)
    assert GO not in now.text
    assert noted(shop) == []
