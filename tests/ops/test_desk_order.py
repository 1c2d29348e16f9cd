"""One order with everything that happened to it, and the people who bought."""

import pytest
from sqlalchemy import update

from handsel import worker
from handsel.customers.staff import audit
from handsel.kit.errors import NotFoundError
from handsel.models import OutboxItem
from handsel.models.words import OutboxState, StopReason
from handsel.ops import giving, privacy
from handsel.ops.desk import customers, order
from handsel.ops.desk.order import Look
from handsel.ops.desk.timeline import Happened
from handsel.outbound import suppressions
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.ops import keeping
from tests.stories import buyers
from tests.stories.visiting import Reader, seen


def look(shop: Shop, number: str = "H-1001") -> Look:
    """Look at an order as the desk does."""
    with shop.reading() as session:
        return order.look(session, shop, number)


def told(shop: Shop, number: str = "H-1001") -> list[str]:
    """Name what happened to an order, the first first."""
    return [str(each.kind) for each in look(shop, number).moments]


def test_a_whole_life_is_told_in_its_order(shop: Shop, clock: Clock) -> None:
    make.product(shop)
    visitor = Visitor(shop)
    page = buyers.buy(visitor, email="ann@example.com")
    worker.turn(shop)
    clock.move(minutes=5)
    buyers.download(visitor, page)
    clock.move(minutes=5)
    giving.note(shop, "H-1001", "Rang up.", press="one", by="ada@example.com")
    clock.move(minutes=5)
    keeping.refund(shop, "H-1001", 500)
    clock.move(minutes=5)
    giving.revoke(shop, "H-1001")
    clock.move(minutes=5)
    giving.restore(shop, "H-1001")
    with shop.transaction() as session:
        audit.write(session, "ada@example.com", "order.noted", "H-1001", shop.now())
        audit.write(session, "ada@example.com", "order.restored", "H-1001", shop.now())

    found = told(shop)
    assert found.index("started") < found.index("paid") < found.index("mailed")
    later = ("downloaded", "noted", "refunded", "revoked", "restored", "done")
    assert [each for each in found if each in later] == list(later)
    assert found.count("done") == 1
    (note,) = (each for each in look(shop).moments if each.kind is Happened.NOTED)
    assert (note.what, note.by) == ("Rang up.", "ada@example.com")
    assert [each.taken for each in look(shop).files] == [1]


def test_what_may_be_done_follows_from_how_it_stands(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    giving.give(shop, "book", "bob@example.com")
    buyers.payment_page(Visitor(shop))

    paid, given, begun = (look(shop, f"H-100{n}").may for n in (1, 2, 3))

    assert str(paid.refund) == "15.00 EUR"
    assert (paid.resend, paid.revoke, paid.restore, paid.accept) == (
        *(True, True),
        *(False, False),
    )
    assert given.refund is None
    assert (begun.resend, begun.revoke, begun.restore) == (False, False, False)
    assert "given" in told(shop, "H-1002")
    assert told(shop, "H-1003")[-1] == "started"
    giving.revoke(shop, "H-1001")
    assert (look(shop).may.revoke, look(shop).may.restore) == (False, True)
    with pytest.raises(NotFoundError):
        look(shop, "H-9999")


def test_a_mail_that_failed_says_why(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    with shop.transaction() as session:
        session.execute(
            update(OutboxItem).values(state=OutboxState.DEAD, last_error="No such box.")
        )

    (failed,) = (m for m in look(shop).moments if m.kind is Happened.MAIL_FAILED)
    assert failed.what == "receipt reader1@example.com: No such box."


def test_customers_are_found_and_added_up_each_currency_for_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "AT_ONCE", 2)
    make.product(shop)
    keeping.buy(shop, 3)
    giving.give(shop, "book", "reader1@example.com")
    giving.resend(shop, "H-1002", "corrected@example.com")

    with shop.reading() as session:
        first = customers.page(session, "")
        second = customers.page(session, "", after=first.older)
        back = customers.page(session, "", before=second.newer)
        named = customers.page(session, "reader")
        (ann,) = customers.page(session, "reader1@").people

    assert [each.email for each in first.people] == [
        "corrected@example.com",
        "reader3@example.com",
    ]
    assert [each.email for each in second.people] == ["reader1@example.com"]
    assert (second.older, back) == (0, first)
    assert len(named.people) == 2
    assert (ann.orders, ann.tests, ann.paid) == (0, 2, [])


def test_one_customer_is_shown_with_mails_and_whether_updates_come(
    shop: Shop,
) -> None:
    make.product(shop)
    keeping.buy(shop)
    worker.turn(shop)
    with shop.transaction() as session:
        suppressions.stop(
            session, "reader1@example.com", StopReason.UNSUBSCRIBED, shop.now()
        )

    with shop.reading() as session:
        found = customers.look(session, shop.keys, 1)
    assert [(mail.topic, mail.state) for mail in found.mails] == [("receipt", "sent")]
    assert found.stopped == [StopReason.UNSUBSCRIBED]

    privacy.erase(shop, "reader1@example.com")
    with shop.reading() as session:
        forgotten = customers.look(session, shop.keys, 1)
        with pytest.raises(NotFoundError):
            customers.look(session, shop.keys, 99)
    assert (forgotten.person.email, forgotten.stopped) == ("", [])
    assert forgotten.person.tests == 1


def test_what_led_to_another_order_of_the_same_address_is_not_told(
    shop: Shop, clock: Clock
) -> None:
    make.product(shop)
    reader = Reader(shop)
    for looks in (3, 1):
        for _ in range(looks):
            reader.get("/p/book")
        clock.move(minutes=5)
        buyers.buy(reader)
        clock.move(minutes=5)
    seen(reader)
    reader.close()

    first, second = told(shop), told(shop, "H-1002")
    assert first.count("viewed") > second.count("viewed") > 0
    with shop.reading() as session:
        moments = order.look(session, shop, "H-1002").moments
        begun = order.look(session, shop, "H-1001").moments
    start = max(each.at for each in begun if each.kind is Happened.STARTED)
    assert all(each.at > start for each in moments)
