"""A seller at the desk finds an order, looks at it, and does what there is to do."""

import csv
import json
import re

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from handsel.models import AuditEntry, Note, Order, Refund
from handsel.models.words import OrderStatus
from handsel.ops import giving
from handsel.sales import blocks
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, words
from tests.ops import keeping
from tests.stories import buyers
from tests.stories.desks import Seller

NASTY = '<script>alert(1)</script>"@example.com'


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop that has sold three books."""
    make.product(shop, name="The Book <b>of</b> كتاب 📚")
    keeping.buy(shop, 3)
    return shop


def log(shop: Shop) -> list[tuple[str, str]]:
    """Give what was done at the desk, and to what."""
    with shop.reading() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(row.action, row.subject) for row in rows]


def open_order(seller: Seller, number: str = "H-1001") -> TestResponse:
    """Open the page of an order."""
    page = seller.get(f"/admin/orders/{number}")
    assert page.status_code == 200, words(page)
    return page


def test_an_order_is_found_from_the_list_and_by_typing(
    sold: Shop, seller: Seller
) -> None:
    everything = seller.get("/admin/orders")
    assert re.findall(r">(H-\d+)<", everything.text) == ["H-1003", "H-1002", "H-1001"]
    assert "3 orders" in words(everything)
    assert "€45.00 in test purchases" in words(everything)
    assert "<b>of</b>" not in everything.text

    found = seller.get("/admin/orders?q=reader2&status=paid")
    assert re.findall(r">(H-\d+)<", found.text) == ["H-1002"]
    assert "Status: paid" in words(found)
    assert "No order fits" in words(seller.get("/admin/orders?q=nobody"))
    wrong = seller.get("/admin/orders?from=yesterday")
    assert (wrong.status_code, "is no day" in words(wrong)) == (422, True)


def test_an_empty_shop_says_what_to_do(shop: Shop, seller: Seller) -> None:
    assert "Buy something of yours" in words(seller.get("/admin/orders"))
    assert "Nobody has bought yet" in words(seller.get("/admin/customers"))


def test_what_a_buyer_has_typed_stays_text(sold: Shop, seller: Seller) -> None:
    with sold.transaction() as session:
        session.execute(update(Order).values(email=NASTY))

    for path in ("/admin/orders", "/admin/orders/H-1001", "/admin/orders?q=%3Cscript"):
        page = seller.get(path)
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


def test_the_sheet_is_what_is_filtered_after_the_password(
    sold: Shop, seller: Seller
) -> None:
    seller._shop.clock.move(minutes=11)  # type: ignore[attr-defined]
    asked = seller.get("/admin/orders.csv?q=reader2&status=paid")
    assert asked.status_code == 403
    sheet = seller.press(
        asked, "orders.csv", {"confirm_password": "seven green bottles on a wall"}
    )

    rows = list(csv.DictReader(sheet.text.removeprefix("\ufeff").splitlines()))
    assert [row["number"] for row in rows] == ["H-1002"]
    assert "attachment" in sheet.headers["Content-Disposition"]
    assert log(sold) == [("orders.exported", "orders")]


def test_the_link_is_sent_again_and_the_address_corrected(
    sold: Shop, seller: Seller
) -> None:
    page = open_order(seller)
    sent = seller.do(page, "/resend")
    assert "A mail with the link goes to reader1@example.com" in words(sent)

    wrong = seller.press(page, "/address", {"email": "no address"})
    assert (wrong.status_code, "no @ in it" in words(wrong)) == (422, True)
    for _ in range(2):
        right = seller.do(page, "/address", {"email": "ann@example.com"})
        assert "goes to ann@example.com" in words(right)
    found = buyers.order(sold)
    assert (found.email, found.token_version) == ("ann@example.com", 2)
    assert set(log(sold)) == {
        ("order.link_sent", "H-1001"),
        ("order.address_corrected", "H-1001"),
    }


def test_more_downloads_are_allowed(
    sold: Shop, seller: Seller, visitor: Visitor
) -> None:
    link = buyers.facts(sold)["link"]
    buyers.download(visitor, visitor.get(link))

    done = seller.do(open_order(seller), "/downloads")

    assert "taken 1 of 6 times" in words(done)
    assert log(sold) == [("order.downloads_reset", "H-1001")]


def test_files_are_closed_and_opened_and_two_presses_are_one(
    sold: Shop, seller: Seller
) -> None:
    page = open_order(seller)
    for _ in range(2):
        closed = seller.do(page, "/close")
    assert "Files closed" in words(closed)
    again = open_order(seller)
    for _ in range(2):
        opened = seller.do(again, "/open")
    assert "Files open" in words(opened)
    assert log(sold) == [("order.closed", "H-1001"), ("order.opened", "H-1001")]


def test_what_was_held_back_is_accepted(sold: Shop, seller: Seller) -> None:
    giving.revoke(sold, "H-1002")
    with sold.transaction() as session:
        mine = update(Order).where(Order.id == 1)
        held = {"review_reason": "Odd.", "status": OrderStatus.NEEDS_REVIEW}
        session.execute(mine.values(held))

    page = open_order(seller)
    assert "Held back" in words(page)
    assert "H-1001 is delivered" in words(seller.do(page, "/accept"))
    assert buyers.facts(sold)["status"] == "paid"


def test_a_note_is_kept_once_and_its_words_when_it_is_empty(
    sold: Shop, seller: Seller
) -> None:
    page = open_order(seller)
    for _ in range(2):
        done = seller.do(page, "/note", {"note": "Rang up.\nاتصل 🙂 <i>"})
    assert "Rang up." in words(done)
    assert "<i>" not in done.text
    assert seller.press(page, "/note", {"note": "  "}).status_code == 422
    with sold.reading() as session:
        assert len(session.scalars(select(Note)).all()) == 1
    assert log(sold) == [("order.noted", "H-1001")]


def refunds(shop: Shop) -> list[int]:
    """Give the amounts that were asked to go back."""
    with shop.reading() as session:
        return list(session.scalars(select(Refund.amount_minor).order_by(Refund.id)))


def test_money_goes_back_after_it_was_said_what_happens_and_once(
    sold: Shop, seller: Seller
) -> None:
    seller._shop.clock.move(minutes=11)  # type: ignore[attr-defined]
    form = seller.get("/admin/orders/H-1001/refund")
    assert "€15.00 can go back" in words(form)
    sure = seller.press(form, "/refund", {"amount": "5"})
    assert "€5.00 of €15.00 goes back to reader1@example.com" in words(sure)
    assert "The link stays open" in words(sure)
    assert refunds(sold) == []

    done = seller.do(sure, "/refund")
    assert "€5.00 went back to reader1@example.com" in words(done)
    assert "partly refunded" in words(done)
    second = seller.do(sure, "/refund")
    assert "has moved since you looked" in words(second)
    assert refunds(sold) == [500]

    rest = seller.press(
        seller.get("/admin/orders/H-1001/refund"), "/refund", {"keep": "1"}
    )
    assert "€10.00" in words(rest)
    seller.do(rest, "/refund")
    assert refunds(sold) == [500, 1000]
    assert buyers.facts(sold)["access"] is True
    assert log(sold) == [("order.refund_asked", "H-1001")] * 2
    assert "nothing can go back" in words(seller.get("/admin/orders/H-1001/refund"))


@pytest.mark.parametrize("amount", ["16", "0", "-1", "GBP 5", "much", "1e9"])
def test_what_cannot_go_back_is_said_at_the_field(
    sold: Shop, seller: Seller, amount: str
) -> None:
    form = seller.get("/admin/orders/H-1001/refund")
    wrong = seller.press(form, "/refund", {"amount": amount})

    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    assert refunds(sold) == []


def test_a_product_is_given_once_for_each_press(sold: Shop, seller: Seller) -> None:
    form = seller.get("/admin/orders/give")
    wrong = seller.press(form, "/give", {"slug": "book", "email": "nobody"})
    assert wrong.status_code == 422
    for _ in range(2):
        done = seller.do(wrong, "/give", {"slug": "book", "email": "zoe@example.com"})
        assert "A mail with the link goes to zoe@example.com" in words(done)
        assert "H-1004" in words(done)
    assert log(sold) == [("order.given", "H-1004")]
    missing = seller.press(form, "/give", {"slug": "no", "email": "zoe@example.com"})
    assert missing.status_code == 404


def test_a_buyer_is_not_sold_to_any_more_and_again(sold: Shop, seller: Seller) -> None:
    page = open_order(seller)
    for _ in range(2):
        done = seller.do(page, "/block", {"reason": "Stolen cards"})
        assert "not sold to any more" in words(done)
    with sold.reading() as session:
        assert blocks.is_blocked(session, sold.keys, "reader1@example.com")
    seller.do(open_order(seller), "/unblock")
    assert log(sold) == [
        ("order.buyer_blocked", "H-1001"),
        ("order.buyer_unblocked", "H-1001"),
    ]


def test_addresses_that_are_not_sold_to_are_listed_and_let_in_again(
    sold: Shop, seller: Seller
) -> None:
    empty = seller.get("/admin/customers/blocked")
    assert "sells to everybody" in words(empty)
    for _ in range(2):
        page = seller.do(
            empty, "/blocked", {"email": "Bob@example.com", "reason": "Stolen <b>"}
        )
    assert "Bob@example.com" in words(page)
    assert "<b>" not in page.text
    wrong = seller.press(empty, "/customers/blocked", {"email": "nobody"})
    assert (wrong.status_code, "no @ in it" in words(wrong)) == (422, True)
    assert "sells to everybody" in words(seller.do(page, "/lift"))
    assert [each[0] for each in log(sold)] == [
        *("customer.blocked", "customer.unblocked"),
    ]


def test_a_dispute_is_answered_once_with_what_is_known(
    shop: Shop, seller: Seller, visitor: Visitor
) -> None:
    make.product(shop)
    page = buyers.payment_page(visitor)
    buyers.pay(visitor, page, number=buyers.DISPUTED)
    shop.hear("test", buyers.order(shop).session_id)

    order = open_order(seller)
    assert "The bank disputes the payment" in words(order)
    known = seller.get("/admin/orders/H-1001/evidence")
    assert "reader@example.com" in words(known)
    sent = seller.do(known, "/evidence")
    assert "The bank decides" in words(sent)
    assert log(shop) == [("order.dispute_answered", "H-1001")]
    refused = seller.press(known, "/evidence")
    assert refused.status_code == 409
    assert log(shop)[1:] == [
        ("order.dispute_answered", "H-1001"),
        ("order.dispute_answered_failed", "H-1001"),
    ]


def test_a_customer_is_found_given_out_and_forgotten(
    sold: Shop, seller: Seller
) -> None:
    found = seller.get("/admin/customers?q=reader2")
    assert "reader2@example.com" in words(found)
    assert "reader1@example.com" not in words(found)
    page = seller.get("/admin/customers/2")
    assert "H-1002" in words(page)
    assert "gets them" in words(page)

    given = seller.press(page, "/export")
    assert json.loads(given.text)["orders"][0]["number"] == "H-1002"
    done = seller.do(page, "/erase")
    assert "A customer who was forgotten" in words(done)
    assert "reader2" not in done.text
    assert seller.press(page, "/erase").status_code == 404
    assert buyers.facts(sold, "H-1002")["email"] is None
    assert log(sold) == [
        ("customer.exported", "customer 2"),
        ("customer.erased", "customer 2"),
    ]
    assert "forgotten on" in words(open_order(seller, "H-1002"))
    assert seller.get("/admin/customers/77").status_code == 404


def test_of_an_order_that_was_only_begun_there_is_nothing_to_do(
    shop: Shop, seller: Seller
) -> None:
    make.product(shop)
    visitor = Visitor(shop)
    visitor.press(visitor.get("/p/book"), "/buy/book")

    said = words(open_order(seller))

    assert "What you can do Nothing, as it stands. If it is paid, everything" in said


def test_pages_of_what_is_not_there_say_so(sold: Shop, seller: Seller) -> None:
    for path in ("orders/H-9", "orders/nonsense", "orders/H-9/refund", "customers/9"):
        assert seller.get(f"/admin/{path}").status_code == 404, path
    for path in ("orders?after=x&before=y", "customers?after=-1&before=x"):
        assert seller.get(f"/admin/{path}").status_code == 200, path
