"""Find my purchases: a link by mail, for whoever lost the first one."""

import re

import pytest

from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import buy, mails, misread


def ask(visitor: Visitor, email: str) -> str:
    """Ask for the link, and give what the page says."""
    answer = visitor.press(visitor.get("/find"), "/find", {"email": email})
    assert answer.status_code == 200
    return words(answer)


def link_in_mail(shop: Shop) -> str:
    """The link of the newest mail, which must be one of these."""
    mail = mails(shop)[0]
    assert "Your purchases at Ada's Books" in mail.subject
    [link] = re.findall(r"\S+/find/\S+", mail.text)
    assert link in mail.html
    return str(link)


def test_the_answer_does_not_tell_whether_somebody_bought_here(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor, email="known@example.com")
    before = len(mails(shop))

    known = ask(visitor, "known@example.com")
    unknown = ask(visitor, "nobody@example.com")

    assert known.replace("known@", "nobody@") == unknown
    assert len(mails(shop)) == before + 1


def test_the_link_shows_every_purchase_once(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    make.product(shop, slug="other", name="The Other Book")
    first = buy(visitor)
    second = buy(visitor, "other", email="READER@example.com")
    buy(visitor, email="somebody@example.com")
    ask(visitor, "Reader@Example.com")
    link = link_in_mail(shop)
    device = visitor.device()

    shown = device.press_and_follow(device.get(link), "/find/")
    later = visitor.device()
    again = later.press(later.get(link), "/find/")

    html = shown.get_data(as_text=True)
    assert shown.status_code == 200
    assert html.index(second.request.path) < html.index(first.request.path)
    assert "H-1001" in words(shown)
    assert "H-1003" not in words(shown)
    assert device.get(first.request.path).status_code == 200
    assert again.status_code == 410
    assert "Ask for a new one" in words(again)
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"


def test_a_scanner_that_opens_the_link_does_not_spend_it(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    bought = buy(visitor).request.path
    ask(visitor, "reader@example.com")
    link = link_in_mail(shop)

    for _ in range(3):
        seen = visitor.device().get(link)
        assert seen.status_code == 200
        assert bought not in seen.get_data(as_text=True)
        assert visitor.device().head(link).status_code == 200

    shown = visitor.press_and_follow(visitor.get(link), "/find/")
    assert bought in shown.get_data(as_text=True)


def test_whoever_has_opened_the_list_may_come_back_to_it_for_half_an_hour(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    bought = buy(visitor).request.path
    ask(visitor, "reader@example.com")
    link = link_in_mail(shop)
    device = visitor.device()
    device.press_and_follow(device.get(link), "/find/")

    clock.move(minutes=29)
    mails(shop)  # the worker tidies up
    back = device.get(link)
    assert bought in back.get_data(as_text=True)
    assert back.headers["Cache-Control"] == "no-store"
    assert bought not in visitor.get(link).get_data(as_text=True)

    clock.move(minutes=1)
    assert bought not in device.get(link).get_data(as_text=True)


def test_a_browser_without_cookies_sees_the_list_once(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    bought = buy(visitor).request.path
    ask(visitor, "reader@example.com")
    link = link_in_mail(shop)

    shown = visitor.device().post(link)
    again = visitor.device().post(link)

    assert bought in shown.get_data(as_text=True)
    assert shown.headers["Cache-Control"] == "no-store"
    assert again.status_code == 410


def test_the_link_lasts_half_an_hour(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    buy(visitor)
    ask(visitor, "reader@example.com")
    link = link_in_mail(shop)
    page = visitor.get(link)
    clock.move(minutes=30)

    assert visitor.press(page, "/find/").status_code == 410
    mails(shop)  # the worker tidies up
    clock.move(minutes=11)
    mails(shop)
    late = visitor.press(page, "/find/")
    assert late.status_code == 410
    assert "Ask for a new one" in words(late)


def test_a_changed_link_opens_nothing(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    buy(visitor)
    ask(visitor, "reader@example.com")
    link = link_in_mail(shop)
    for wrong in (misread(link), link + "0", link[:-3], link.replace("find/", "g/")):
        answer = visitor.get(wrong)
        assert answer.status_code == 404
        assert "or with “Find my purchases”" in words(answer)
        assert visitor.post(wrong).status_code in (404, 405)


def test_what_is_no_address_is_said_so_and_kept(visitor: Visitor) -> None:
    page = visitor.get("/find")
    for typed in ("", "reader", "reader@", "a b@example.com"):
        wrong = visitor.press(page, "/find", {"email": typed})
        assert wrong.status_code == 422
        assert 'id="email-error"' in wrong.get_data(as_text=True)
        assert form_of(wrong, "/find").fields["email"] == typed
        assert "You were not charged" not in words(wrong)


def test_somebody_who_never_paid_is_not_a_buyer(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    page = visitor.press_and_follow(visitor.get("/p/book"), "/buy/book")
    visitor.press(
        page, "/testpay/", {"email": "reader@example.com", "number": "4000000000000002"}
    )
    ask(visitor, "reader@example.com")
    assert mails(shop) == []


def test_nobodys_mailbox_is_filled_by_asking_over_and_over(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    buy(visitor)
    strangers = [
        Visitor(shop, address=f"203.0.113.{n}", app=visitor.app) for n in range(5)
    ]

    answers = [
        stranger.press(stranger.get("/find"), "/find", {"email": "Reader@example.com"})
        for stranger in strangers
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert "Wait 60 minutes" in words(answers[3])
    assert answers[3].headers["Retry-After"] == "3600"
    assert len(mails(shop)) == 1 + 3


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8:1:2::9"])
def test_one_visitor_asks_for_ten_addresses_an_hour(
    shop: Shop, visitor: Visitor, clock: Clock, address: str
) -> None:
    stranger = Visitor(shop, address=address, app=visitor.app)

    def asks(number: int) -> int:
        fields = {"email": f"reader{number}@example.com"}
        return stranger.press(stranger.get("/find"), "/find", fields).status_code

    assert [asks(n) for n in range(12)] == [200] * 10 + [429] * 2
    assert visitor.get("/find").status_code == 200
    clock.move(hours=1)
    assert asks(13) == 200


def test_a_network_of_many_addresses_counts_as_one_visitor(
    shop: Shop, visitor: Visitor
) -> None:
    crowd = [
        Visitor(shop, address=f"2001:db8:1:2::{n}", app=visitor.app) for n in range(11)
    ]
    codes = [
        each.press(
            each.get("/find"), "/find", {"email": f"r{n}@example.com"}
        ).status_code
        for n, each in enumerate(crowd)
    ]
    assert codes == [200] * 10 + [429]
