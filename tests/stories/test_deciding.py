"""What a seller decides by hand: who opens their files, notes, who is not sold to."""

import pytest

from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.kit.money import Money
from handsel.models.words import OrderStatus
from handsel.ops import giving
from handsel.sales import blocks, deciding, orders
from handsel.sales.payments.base import RefundRequest
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, words
from tests.ops import keeping
from tests.stories import buyers


def test_a_link_is_closed_and_opened_again(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buyers.buy(visitor)

    closed = giving.revoke(shop, "H-1001")
    again = giving.revoke(shop, "H-1001")
    clock.move(minutes=1)
    refused = visitor.get(page.request.path)

    assert (closed["access"], closed["status"]) == (False, "paid")
    assert again == closed
    assert "does not open" in words(refused) or "Download" not in words(refused)

    opened = giving.restore(shop, "H-1001")
    assert opened["access"] is True
    assert giving.restore(shop, "H-1001") == opened
    assert buyers.download(visitor, visitor.get(page.request.path)).status_code == 200
    assert keeping.broken(shop) == {}


def test_many_decisions_in_one_moment_end_with_the_last(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)

    for _ in range(3):
        assert giving.revoke(shop, "H-1001")["access"] is False
        assert giving.restore(shop, "H-1001")["access"] is True


def test_what_was_opened_by_hand_closes_when_money_moves_again(
    shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    keeping.buy(shop)
    keeping.refund(shop, "H-1001", 500)
    giving.revoke(shop, "H-1001")
    clock.move(minutes=1)
    giving.restore(shop, "H-1001")
    clock.move(minutes=1)
    order = keeping.order_of(shop, "H-1001")
    shop.provider("test").refund(
        order.session_id,
        RefundRequest("another", Money(1000, "EUR")),
        shop.now(),
    )
    shop.hear("test", order.session_id)

    assert buyers.facts(shop)["access"] is False
    assert giving.restore(shop, "H-1001")["access"] is True
    assert keeping.broken(shop) == {}


def test_what_was_never_paid_is_neither_closed_nor_opened(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buyers.payment_page(visitor)

    for decide in (giving.revoke, giving.restore):
        with pytest.raises(ConflictError, match="has not been paid"):
            decide(shop, "H-1001")
    with pytest.raises(NotFoundError):
        giving.revoke(shop, "H-9999")


def test_a_note_is_written_once_for_each_press(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)

    for press in ("one", "one", "two"):
        giving.note(shop, "H-1001", "  Rang me up. 🙂\n", press=press, by="Ada")

    with shop.reading() as session:
        order = orders.by_number(session, "H-1001")
        found = deciding.notes(session, order)
    assert [(each["by"], each["text"]) for each in found] == [
        ("Ada", "Rang me up. 🙂")
    ] * 2
    for text in (" ", "x" * 4001):
        with pytest.raises(BadInputError):
            giving.note(shop, "H-1001", text, press="three", by="Ada")


def test_one_press_gives_one_present(shop: Shop) -> None:
    make.product(shop)

    first = giving.give(shop, "book", "ann@example.com", press="one")
    again = giving.give(shop, "book", "ann@example.com", press="one")
    other = giving.give(shop, "book", "bob@example.com", press="one")

    assert first["number"] == again["number"] == "H-1001"
    assert other["number"] == "H-1002"


def test_to_correct_an_address_twice_mails_one_link(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)

    first = giving.resend(shop, "H-1001", "right@example.com")
    again = giving.resend(shop, "H-1001", "right@example.com")

    assert first["link"] == again["link"]
    to = [mail for mail in buyers.mails(shop) if "right@example.com" in mail.to]
    assert len(to) == 1


def block(shop: Shop, email: str) -> None:
    """Sell to an address no more."""
    with shop.transaction() as session:
        blocks.block(session, shop.keys, email, shop.now(), reason="Too many disputes")


def test_who_is_not_sold_to_is_told_kindly_before_they_pay(
    shop: Shop, visitor: Visitor
) -> None:
    free = Money(0, "EUR")
    make.product(shop, price=free)
    block(shop, "Bob@example.com")
    block(shop, "bob@example.com")

    page = visitor.press_and_follow(visitor.get("/p/book"), "/buy/book")
    refused = visitor.press_and_follow(
        page, "/buy/book", {"email": " BOB@Example.com "}
    )

    assert refused.status_code == 422
    assert "does not sell to this address" in words(refused)
    assert "write to the seller" in words(refused)
    given = visitor.press_and_follow(page, "/buy/book", {"email": "ann@example.com"})
    assert given.request.path.startswith("/d/")
    with shop.reading() as session:
        assert len(blocks.every(session)) == 1


def test_who_says_the_address_only_to_the_provider_is_held_back(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    block(shop, "bob@example.com")
    page = buyers.pay(visitor, buyers.payment_page(visitor), email="bob@example.com")

    found = buyers.facts(shop)
    assert found["status"] == "needs_review"
    assert "do not sell to" in found["review_reason"]
    assert found["access"] is False
    assert page.status_code == 200
    assert giving.accept(shop, "H-1001")["access"] is True
    assert keeping.broken(shop) == {}


def test_who_was_let_in_again_buys(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    block(shop, "reader@example.com")
    with shop.transaction() as session:
        assert blocks.unblock(session, shop.keys, "Reader@example.com")
        assert not blocks.unblock(session, shop.keys, "Reader@example.com")

    buyers.buy(visitor)

    assert buyers.order(shop).status is OrderStatus.PAID
