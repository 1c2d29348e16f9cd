"""The seller gives money back: what the buyer is told, and what still opens."""

import pytest

from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.money import Money
from handsel.models.words import FactKind
from handsel.ops import contesting, refunding
from handsel.sales import orders
from handsel.sales.payments.base import RefundRequest
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import untrue
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import bank, buy, download, facts, mails
from tests.stories.giving_back import give_back, rows


def plan(shop: Shop, amount: str | None, *, number: str) -> refunding.Plan:
    """Say what a refund would be."""
    return refunding.plan(shop, number, refunding.Wish(amount))


def refund_mails(shop: Shop) -> list[str]:
    """Give the text of every mail about money going back, the newest first."""
    return [each.text for each in mails(shop) if "on its way back" in each.subject]


def test_a_full_refund_closes_the_link_and_the_buyer_is_told(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor)

    done = give_back(shop)

    assert (done["status"], done["refunded_minor"]) == ("refunded", 1500)
    assert done["access"] is False
    assert "This order was refunded" in words(visitor.get(page.request.path))
    [told] = refund_mails(shop)
    assert "€15.00 is on its way back to you" in told
    assert "card ending in 4242" in told
    assert "The link to your copy is closed." in told
    assert untrue(shop) == {}


def test_a_part_leaves_the_link_open_and_the_rest_can_follow(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor)

    part = give_back(shop, "4.99")
    assert (part["status"], part["refunded_minor"]) == ("partly_refunded", 499)
    assert download(visitor, visitor.get(page.request.path)).data == make.BOOK
    [told] = refund_mails(shop)
    assert "€4.99 of your order H-1001" in told
    assert page.request.path in told

    rest = give_back(shop)
    assert (rest["status"], rest["refunded_minor"]) == ("refunded", 1500)
    assert len(refund_mails(shop)) == 2
    assert [each.amount_minor for each in rows(shop)] == [499, 1001]


def test_the_buyer_may_keep_the_files(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    page = buy(visitor)

    done = give_back(shop, keep_access=True)

    assert (done["status"], done["access"]) == ("refunded", True)
    assert download(visitor, visitor.get(page.request.path)).data == make.BOOK
    [told] = refund_mails(shop)
    assert "your copy stays" in told
    assert untrue(shop) == {}


def test_what_cannot_go_back_is_said_and_nothing_is_asked_for(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    make.product(shop, slug="free", price=Money(0, "EUR"))
    buy(visitor)

    for amount in ("15.01", "0", "-1", "USD 5", "a lot"):
        with pytest.raises(BadInputError):
            plan(shop, amount, number="H-1001")
    visitor.press(visitor.get("/p/book"), "/buy/book")
    with pytest.raises(ConflictError, match="H-1002 has not been paid"):
        plan(shop, None, number="H-1002")
    visitor.press(visitor.get("/buy/free"), "/buy/free", {"email": "a@example.com"})
    with pytest.raises(ConflictError, match="H-1003 was free"):
        plan(shop, None, number="H-1003")
    assert rows(shop) == []

    give_back(shop)
    with pytest.raises(ConflictError, match="H-1001 was refunded already"):
        plan(shop, None, number="H-1001")


def test_a_refund_in_the_providers_own_panel_comes_to_the_same(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)
    with shop.reading() as session:
        name = orders.by_number(session, "H-1001").session_id
    by_hand = RefundRequest("by hand", Money(1000, "EUR"))
    bank(shop).refund(name, by_hand, shop.now())

    with pytest.raises(BadInputError, match=r"up to €5\.00"):
        plan(shop, "10", number="H-1001")  # it asks the provider before it offers

    assert facts(shop)["refunded_minor"] == 1000
    assert len(refund_mails(shop)) == 1
    shop.hear("test", name)
    assert len(refund_mails(shop)) == 1


def test_the_seller_is_told_of_a_dispute_and_how_it_ended(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    buy(visitor)
    with shop.reading() as session:
        name = orders.by_number(session, "H-1001").session_id

    bank(shop).open_dispute(name, shop.now())
    shop.hear("test", name)
    clock.move(days=30)
    bank(shop).close_dispute(name, FactKind.DISPUTE_WON, shop.now())
    shop.hear("test", name)

    said = [each for each in mails(shop) if "dispute" in each.subject]
    assert [each.to for each in said] == ["ada@example.com"] * 2
    assert "the dispute is won" in said[0].subject
    assert "handsel order evidence H-1001" in said[1].text
    assert facts(shop)["access"] is True


def test_what_the_shop_knows_answers_a_dispute(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buy(visitor)
    mails(shop)
    download(visitor, page)
    clock.move(minutes=3)
    with shop.reading() as session:
        name = orders.by_number(session, "H-1001").session_id

    number, known = contesting.evidence(shop, "1001")
    assert number == "H-1001"
    with pytest.raises(ConflictError, match="waits for an answer"):
        contesting.submit(shop, "H-1001", known)
    dispute = bank(shop).open_dispute(name, shop.now())

    assert contesting.submit(shop, "H-1001", known) == dispute
    said = contesting.in_words(known)
    assert "book.epub (72 kB): downloaded all of it" in said
    assert "mailed to the buyer; the mail server took it" in said
    assert "Download pressed, first on" in said
    assert "receipt mailed to reader@example.com" in said
    assert page.request.path not in said
    with pytest.raises(ConflictError, match="waits for an answer"):
        contesting.submit(shop, "H-1001", known)


def test_the_shop_claims_nothing_that_it_has_not_seen(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor)  # no mail has gone yet
    pressed = visitor.press(page, f"{page.request.path}/1")

    said = contesting.in_words(contesting.evidence(shop, "H-1001")[1])
    assert "No file was downloaded." in said
    assert "mailed to the buyer" not in said

    visitor.get(pressed.headers["Location"], headers={"Range": "bytes=0-40000"})
    said = contesting.in_words(contesting.evidence(shop, "H-1001")[1])
    assert "downloaded 40 kB, a part" in said
    assert "all of it" not in said


def test_the_seller_is_told_when_a_refund_comes_back(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    buy(visitor)
    give_back(shop)
    with shop.reading() as session:
        order = orders.by_number(session, "H-1001")
        [refund] = [
            fact
            for fact in orders.facts_of(session, order)
            if fact.kind is FactKind.REFUND
        ]

    clock.move(days=10)
    bank(shop).fail_refund(refund.object_id, shop.now())
    shop.hear("test", order.session_id)

    [told] = [each for each in mails(shop) if "did not go through" in each.subject]
    assert told.to == "ada@example.com"
    assert facts(shop)["access"] is True


def test_old_news_after_a_restore_is_told_to_nobody(
    shop: Shop, visitor: Visitor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.product(shop)
    page = visitor.press(visitor.get("/p/book"), "/buy/book")
    name = page.headers["Location"].rpartition("/")[2]
    bank(shop).submit(
        name,
        email="reader@example.com",
        number="4242 4242 4242 4242",
        expiry="12/30",
        cvc="123",
        now=shop.now(),
    )
    price = bank(shop).look_up(name, shop.now()).price
    bank(shop).refund(name, RefundRequest("old", price), shop.now())

    clock.move(days=8)
    shop.hear("test", name)  # nothing of this was heard of before

    assert facts(shop)["status"] == "refunded"
    assert refund_mails(shop) == []
