"""P21 and P22: exactly who should gets the mail, and leaving is one press of a person."""

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select, update

from handsel.models import Order
from handsel.models.words import StopReason
from handsel.ops import campaigning, releasing
from handsel.outbound import suppressions
from handsel.outbound.transports.folder import read_folder
from handsel.sales import catalogue
from handsel.shop import Shop
from tests import make
from tests.ground.cases import Say
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.ops.keeping import refund
from tests.stories.buyers import DISPUTED, buy, pay, payment_page
from tests.stories.test_release import edition, leave, news, release, send


@pytest.fixture
def visitor(shop: Shop) -> Visitor:
    """Somebody at the door."""
    return Visitor(shop)


RULE = {
    "refunded": False,
    "refunded-in-part": True,
    "disputed": False,
    "erased": False,
    "unsubscribed": False,
    "bounced": False,
    "complained": False,
    "other-case": True,
    "bought-twice": True,
    "one-of-two-refunded": True,
    "refunded-meanwhile": False,
    "left-meanwhile": False,
    "plain": True,
}
"""Who gets the mail, as the documents say."""


def test_exactly_who_should_gets_the_mail_and_only_once(
    shop: Shop, visitor: Visitor, say: Say
) -> None:
    make.product(shop)
    numbers = {name: _sell(shop, visitor, name) for name in RULE}
    _sell(shop, visitor, "bought-twice")
    _sell(shop, visitor, "OTHER-Case")
    again = _sell(shop, visitor, "one-of-two-refunded")
    refund(shop, numbers["refunded"], 1500)
    refund(shop, numbers["refunded-in-part"], 500)
    refund(shop, again, 1500)
    _erase(shop, numbers["erased"])
    for reason in StopReason:
        _stop(shop, str(reason), reason)
    made = releasing.publish(shop, edition(shop), mail=True)
    assert made.campaign_id
    campaigning.begin(shop, made.campaign_id)

    refund(shop, numbers["refunded-meanwhile"], 1500)
    _stop(shop, "left-meanwhile", StopReason.UNSUBSCRIBED)
    _sell(shop, visitor, "bought-meanwhile")
    with shop.transaction() as session:
        catalogue.show(session, "book", published=False)
    send(shop, made.campaign_id)

    found = Counter(mail.to.lower().partition("@")[0] for mail in news(shop))
    facts = campaigning.facts(shop, made.campaign_id)
    wanted = [name for name, gets in RULE.items() if gets]
    say("P21", kinds=len(RULE) + 1, mailed=sum(found.values()), wanted=len(wanted))
    assert found == Counter(wanted)
    assert (facts["state"], facts["sent"]) == ("finished", len(wanted))


def _sell(shop: Shop, visitor: Visitor, name: str) -> str:
    """Sell the book to somebody; give the order's number."""
    person = visitor.device()
    email = f"{name}@example.com"
    if name == "disputed":
        pay(person, payment_page(person), email=email, number=DISPUTED)
    else:
        buy(person, email=email)
    with shop.reading() as session:
        newest = select(Order).order_by(Order.id.desc()).limit(1)
        return session.scalars(newest).one().number


def _erase(shop: Shop, number: str) -> None:
    """Forget who bought this, as the law may want it."""
    row = int(number.removeprefix("H-")) - 1000
    with shop.transaction() as session:
        gone = update(Order).where(Order.id == row)
        session.execute(gone.values(email=None, customer_id=None))


def _stop(shop: Shop, name: str, reason: StopReason) -> None:
    with shop.transaction() as session:
        suppressions.stop(session, f"{name}@example.com", reason, shop.now())


def test_looking_ten_times_changes_nothing_and_one_press_does_at_once(
    shop: Shop, visitor: Visitor, clock: Clock, say: Say
) -> None:
    make.product(shop)
    for name in ("ann", "bob"):
        buy(visitor.device(), email=f"{name}@example.com")
    release(shop, edition(shop))
    ann, bob = news(shop)
    scanner, program = visitor.device(), visitor.device()

    for _ in range(10):
        for look in (scanner.get, scanner.head):
            assert look(leave(ann)).status_code == 200
    looked = _left(shop)
    clock.move(days=730)
    answers = [
        program.post(leave(ann), {"List-Unsubscribe": "One-Click"}) for _ in range(3)
    ]
    crossed = program.post(leave(ann)[:25] + leave(bob)[25:])

    head = Path(ann.path).read_bytes().partition(b"\r\n\r\n")[0]
    say(
        "P22",
        looks=20,
        left_by_looking=len(looked),
        left_by_pressing=len(_left(shop)),
        statuses=sorted({answer.status_code for answer in answers}),
        crossed=crossed.status_code,
    )
    assert looked == set()
    assert {answer.status_code for answer in answers} == {200}
    assert crossed.status_code == 404
    assert _left(shop) == {"ann@example.com"}
    assert b"\r\nList-Unsubscribe: <http" in head
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    assert not [m for m in read_folder(shop.home / "mail") if "Unsub" in m.subject]


def _left(shop: Shop) -> set[str]:
    with shop.reading() as session:
        return {each.email_key for each in suppressions.newest(session)}
