"""Mails at the desk: what became of them, trying them, how they look, who wants none."""

import pytest

from handsel import worker
from handsel.models import OutboxItem
from handsel.models.words import OutboxState, StopReason
from handsel.ops import previewing
from handsel.outbound import outbox, suppressions
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import buy
from tests.stories.desks import Seller


def many(shop: Shop, count: int) -> None:
    """Fill the outbox with test mails."""
    with shop.transaction() as session:
        for number in range(count):
            outbox.put(
                session, "mail.test", f"many:{number}",
                recipient=f"reader{number}@example.com",
                now=shop.now(), payload={"date": "2026-11-23"},
            )  # fmt: skip


def test_every_mail_is_listed_with_what_became_of_it(
    shop: Shop, seller: Seller, visitor: Visitor
) -> None:
    assert "Nothing was sent yet" in words(seller.get("/admin/mails"))
    make.product(shop)
    buy(visitor, email="ann@example.com")
    assert "Receipt ann@example.com H-1001" in words(seller.get("/admin/mails"))
    assert "waiting" in words(seller.get("/admin/mails"))

    worker.turn(shop)

    sent = seller.get("/admin/mails?state=sent")
    assert "Receipt ann@example.com H-1001" in words(sent)
    assert "There is none like that" in words(seller.get("/admin/mails?state=dead"))
    assert seller.get("/admin/mails?state=nonsense&kind=odd").status_code == 200


def test_the_list_is_paged_and_every_mail_is_seen_once(
    shop: Shop, seller: Seller
) -> None:
    many(shop, 120)
    seen: list[str] = []
    page = seller.get("/admin/mails?kind=mail")
    while True:
        seen += [part.split("<")[0] for part in page.text.split("<bdi>reader")[1:]]
        older = page.text.partition('rel="next"')[0].rpartition('<a href="')[2]
        if 'rel="next"' not in page.text:
            break
        page = seller.get(older.partition('"')[0].replace("&amp;", "&"))
    assert len(seen) == len(set(seen)) == 120


def test_what_was_given_up_goes_again_one_or_all(shop: Shop, seller: Seller) -> None:
    many(shop, 3)
    with shop.transaction() as session:
        for item in session.query(OutboxItem):
            item.state, item.last_error = OutboxState.DEAD, "551 nobody <b>here</b>"
    page = seller.get("/admin/mails?state=dead")
    assert "551 nobody &lt;b&gt;here" in page.text

    one = seller.do(page, "/admin/mails/retry")
    rest = seller.get("/admin/mails?state=dead")
    every = seller.do(rest, "/admin/mails/retry", {"id": ""})

    assert "1 mail goes again" in words(one)
    assert "2 mails go again" in words(every)
    unknown = seller.post(
        "/admin/mails/retry", {"id": "99", "form_token": seller.form_word()}
    )
    assert unknown.status_code == 404


def test_a_test_mail_goes_at_once_or_says_why_not(shop: Shop, seller: Seller) -> None:
    page = seller.get("/admin/mails")
    done = seller.do(page, "/mails/test", {"to": "bob@example.com"})
    assert "A test mail for bob@example.com is out" in words(done)
    assert len(list((shop.home / "mail").iterdir())) == 1

    wrong = seller.press(page, "/mails/test", {"to": "no address"})
    assert wrong.status_code == 422
    assert 'value="no address"' in wrong.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", previewing.NAMES)
def test_every_mail_can_be_looked_at_and_can_do_nothing(
    seller: Seller, name: str
) -> None:
    page = seller.get(f"/admin/mails/looks/{name}")
    framed = seller.get(f"/admin/mails/looks/{name}/html")
    assert page.status_code == framed.status_code == 200
    policy = framed.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert framed.text.strip().startswith("<")
    assert seller.get("/admin/mails/looks/nothing").status_code == 404


def test_who_wants_no_mails_is_listed_and_written_to_again(
    shop: Shop, seller: Seller
) -> None:
    assert "Everybody gets them" in words(seller.get("/admin/mails/stopped"))
    with shop.transaction() as session:
        suppressions.stop(
            session, "ann@example.com", StopReason.BOUNCED, shop.now(), "551 <i>"
        )
    page = seller.get("/admin/mails/stopped")
    assert "ann@example.com" in words(page)
    assert "551 &lt;i&gt;" in page.text

    done = seller.do(page, "/mails/lift")

    assert "ann@example.com gets mails again" in words(done)
    assert "Everybody gets them" in words(done)
    assert "ann@example.com" not in words(seller.get("/admin/audit"))
